package metrics

import (
	"bytes"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// Options say where metrics come from besides the Observer.
type Options struct {
	Version string
	// Status is every pipeline's present state, asked at each scrape.
	Status func() []pipeline.Status
	// Topic is the topic of a table in a pipeline, "" where its stream has none.
	Topic func(pipeline string, t *change.Table) string
	// LagBytes is how far a pipeline stands behind its source's log, false where that isn't known.
	LagBytes func(pipeline string) (int64, bool)
	// Now is the clock.
	Now func() time.Time
}

// Metrics is one registry. Its methods may be called from any goroutine.
type Metrics struct {
	options  Options
	started  time.Time
	families []*family
	tables   *tables
	topics   *capped
	codes    *capped

	restarts, events, txns, snapshotRows, produced *family
	sinkRows, sinkRetries, stale, duplicates, gaps *family
	commitSeconds, latency, lag, authFailures      *family
}

const namespace = "tailwater_"

// Buckets from a millisecond to the minutes in which an operator should know.
var (
	commitBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
)

// New returns a registry with everything in it.
func New(o Options) *Metrics {
	m := &Metrics{options: o, started: o.Now(), tables: newTables(), topics: newCapped(), codes: newCapped()}
	m.add(&family{name: "build_info", help: "1; the labels say what runs.", kind: gauge, labels: []string{"version", "go"}}).with(o.Version, runtime.Version()).set(1)
	m.restarts = m.add(&family{name: "pipeline_restarts_total", help: "Loops that ended and were started again, by kind of error.", kind: counter, labels: []string{"pipeline", "reason"}})
	m.events = m.add(&family{name: "source_events_total", help: "Row changes and markers read from the source.", kind: counter, labels: []string{"pipeline", "table", "op"}})
	m.txns = m.add(&family{name: "source_transactions_total", help: "Source transactions read; one handed over in parts counts once a part.", kind: counter, labels: []string{"pipeline"}})
	m.lag = m.add(&family{name: "source_lag_seconds", help: "Age of the last source transaction when it was read; 0 at the log's end.", kind: gauge, labels: []string{"pipeline"}})
	m.snapshotRows = m.add(&family{name: "snapshot_rows_total", help: "Rows read by snapshots.", kind: counter, labels: []string{"pipeline", "table"}})
	m.produced = m.add(&family{name: "produce_records_total", help: "Changes that a topic has acknowledged.", kind: counter, labels: []string{"pipeline", "topic", "result"}})
	m.sinkRows = m.add(&family{name: "sink_rows_total", help: "Changes by what became of them at the sink: applied, skipped or parked.", kind: counter, labels: []string{"pipeline", "sink", "table", "op", "result"}})
	m.sinkRetries = m.add(&family{name: "sink_retries_total", help: "Passing faults of a target, by its own code.", kind: counter, labels: []string{"pipeline", "sink", "code"}})
	m.stale = m.add(&family{name: "sink_stale_skipped_total", help: "Changes not applied because the target's mark covers them.", kind: counter, labels: []string{"pipeline", "sink"}})
	m.duplicates = m.add(&family{name: "duplicates_suppressed_total", help: "Changes that came again and were left out, by where.", kind: counter, labels: []string{"pipeline", "where"}})
	m.gaps = m.add(&family{name: "gap_halts_total", help: "Halts because continuity could not be proved.", kind: counter, labels: []string{"pipeline", "reason"}})
	m.commitSeconds = m.add(&family{name: "sink_commit_seconds", help: "Time of one target transaction.", kind: histogram, labels: []string{"pipeline", "sink"}, buckets: commitBuckets})
	m.latency = m.add(&family{name: "end_to_end_latency_seconds", help: "From the source's commit to the target's, one observation a source transaction and target transaction.", kind: histogram, labels: []string{"pipeline", "sink"}, buckets: latencyBuckets})
	m.authFailures = m.add(&family{name: "auth_failures_total", help: "Requests with a missing or wrong token.", kind: counter})
	m.authFailures.with().set(0)
	return m
}

func (m *Metrics) add(f *family) *family {
	f.name = namespace + f.name
	f.series = map[string]*series{}
	m.families = append(m.families, f)
	return f
}

// AuthFailed counts a missing or wrong token.
func (m *Metrics) AuthFailed() { m.authFailures.with().add(1) }

// Handler serves all of it.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		all := append(slices.Clone(m.families), statusFamilies(m.options, m.tables.names)...)
		all = append(all, processFamilies(m.started)...)
		var b bytes.Buffer
		for _, f := range all {
			f.write(&b)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(b.Bytes()) // the scraper has gone: nothing to do about it
	})
}

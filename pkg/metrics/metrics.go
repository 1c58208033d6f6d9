package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

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
	// Lag is how old what a pipeline has read is, false where that isn't known.
	Lag func(pipeline string) (time.Duration, bool)
	// Now is the clock.
	Now func() time.Time
}

// Metrics is one registry. Its methods may be called from any goroutine.
type Metrics struct {
	options  Options
	registry *prometheus.Registry
	tables   *tables
	topics   *capped
	codes    *capped

	restarts, events, txns, snapshotRows, produced *prometheus.CounterVec
	sinkRows, sinkRetries, stale, duplicates, gaps *prometheus.CounterVec
	schemaChanges                                  *prometheus.CounterVec
	commitSeconds, latency                         *prometheus.HistogramVec
	authFailures                                   prometheus.Counter
}

const namespace = "tailwater"

// Buckets from a millisecond to the minutes in which an operator should know.
var (
	commitBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
)

// New returns a registry with everything in it.
func New(o Options) *Metrics {
	m := &Metrics{options: o, registry: prometheus.NewRegistry(), tables: newTables(), topics: newCapped(), codes: newCapped()}
	m.restarts = m.counter("pipeline_restarts_total", "Loops that ended and were started again, by kind of error.", "pipeline", "reason")
	m.events = m.counter("source_events_total", "Row changes and markers read from the source.", "pipeline", "table", "op")
	m.txns = m.counter("source_transactions_total", "Source transactions read; one handed over in parts counts once a part.", "pipeline")
	m.snapshotRows = m.counter("snapshot_rows_total", "Rows read by snapshots.", "pipeline", "table")
	m.produced = m.counter("produce_records_total", "Changes that a topic has acknowledged.", "pipeline", "topic", "result")
	m.sinkRows = m.counter("sink_rows_total", "Changes by what became of them at the sink: applied, skipped or parked.", "pipeline", "sink", "table", "op", "result")
	m.sinkRetries = m.counter("sink_retries_total", "Passing faults of a target, by its own code.", "pipeline", "sink", "code")
	m.schemaChanges = m.counter("schema_changes_total", "Changes of tables at the source by what the target did about them: apply or ignore.", "pipeline", "sink", "table", "kind", "action")
	m.stale = m.counter("sink_stale_skipped_total", "Changes not applied because the target's mark covers them.", "pipeline", "sink")
	m.duplicates = m.counter("duplicates_suppressed_total", "Changes that came again and were left out, by where.", "pipeline", "where")
	m.gaps = m.counter("gap_halts_total", "Halts because continuity could not be proved.", "pipeline", "reason")
	m.commitSeconds = m.histogram("sink_commit_seconds", "Time of one target transaction.", commitBuckets)
	m.latency = m.histogram("end_to_end_latency_seconds", "From the source's commit to the target's, one observation a source transaction and target transaction.", latencyBuckets)
	m.authFailures = prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "auth_failures_total", Help: "Requests with a missing or wrong token."})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "go": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(m.authFailures, build, newStatusCollector(o, m.tables.names),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(name, help string, buckets []float64) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, []string{"pipeline", "sink"})
	m.registry.MustRegister(h)
	return h
}

// Handler serves the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// maxScrapes is how many scrapes may run at once.
const maxScrapes = 4

// AuthFailed counts a missing or wrong token.
func (m *Metrics) AuthFailed() { m.authFailures.Inc() }

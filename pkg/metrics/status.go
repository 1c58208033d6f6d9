package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// states is every state, so that each is 0 or 1 and none is missing.
var states = []pipeline.State{pipeline.Starting, pipeline.Snapshotting, pipeline.Running, pipeline.Draining, pipeline.Halted, pipeline.Stopped}

// statusCollector turns the pipelines' Status into gauges at each scrape.
type statusCollector struct {
	options                      Options
	tables                       *capped
	state, ready, age, progress  *prometheus.Desc
	parked, lagSeconds, lagBytes *prometheus.Desc
}

func newStatusCollector(o Options, tables *capped) *statusCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return &statusCollector{
		options:    o,
		tables:     tables,
		state:      desc("pipeline_state", "1 for the state that the pipeline is in, 0 for the others.", "pipeline", "state"),
		age:        desc("checkpoint_age_seconds", "Time since the last checkpoint that this process saved; 0 where all that was read is saved.", "pipeline"),
		progress:   desc("snapshot_progress_ratio", "How much of a table's snapshot has been read, by the server's own estimate.", "pipeline", "table"),
		parked:     desc("parked_rows", "Changes that the target refused, or that wait behind one.", "pipeline", "sink"),
		lagSeconds: desc("source_lag_seconds", "How old what has been read is: 0 at the log's end, else the time since the last transaction read was committed or the log's end was reached.", "pipeline"),
		ready:      desc("pipeline_ready", "1 where the pipeline runs and nothing keeps it from moving, else 0.", "pipeline"),
		lagBytes:   desc("source_lag_bytes", "How far the source's log goes on beyond what has been read.", "pipeline"),
	}
}

// Describe is prometheus.Collector.
func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.ready, c.age, c.progress, c.parked, c.lagSeconds, c.lagBytes} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (c *statusCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range c.options.Status() {
		for _, state := range states {
			v := 0.0
			if s.State == state {
				v = 1
			}
			gauge(c.state, v, s.Pipeline, string(state))
		}
		ready := 0.0
		if s.Ready() {
			ready = 1
		}
		gauge(c.ready, ready, s.Pipeline)
		switch {
		case s.SavedAt.IsZero():
		case s.Read == s.Saved && s.Unacked == 0:
			gauge(c.age, 0, s.Pipeline)
		default:
			gauge(c.age, max(0, c.options.Now().Sub(s.SavedAt).Seconds()), s.Pipeline)
		}
		if d, ok := c.options.Lag(s.Pipeline); ok {
			gauge(c.lagSeconds, d.Seconds(), s.Pipeline)
		}
		if n, ok := c.options.LagBytes(s.Pipeline); ok {
			gauge(c.lagBytes, float64(n), s.Pipeline)
		}
		for _, k := range s.Sinks {
			gauge(c.parked, float64(k.Parked), s.Pipeline, k.Sink)
		}
		for label, ratio := range ratios(s.Snapshot, c.tables) {
			gauge(c.progress, ratio, s.Pipeline, label)
		}
	}
}

// ratios gives each label once: tables beyond the cap share one, and the least of their ratios.
func ratios(snapshot []connectors.Progress, tables *capped) map[string]float64 {
	least := map[string]float64{}
	for _, p := range snapshot {
		label := tables.value(p.Table)
		r, known := Ratio(p)
		if was, ok := least[label]; known && (!ok || r < was) {
			least[label] = r
		}
	}
	return least
}

// Ratio is how much of a table's snapshot has been read, from 0 to 1; false where the server gave no estimate. It reaches 1 only
// when the snapshot is complete: an estimate may be too low.
func Ratio(p connectors.Progress) (float64, bool) {
	const almost = 0.99
	switch {
	case p.Done:
		return 1, true
	case p.Estimate < 0:
		return 0, false
	case p.Estimate == 0:
		return almost, true
	}
	return min(almost, float64(p.Rows)/float64(p.Estimate)), true
}

package metrics

import (
	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// states is every state, so that each is 0 or 1 and none is missing.
var states = []pipeline.State{pipeline.Starting, pipeline.Snapshotting, pipeline.Running, pipeline.Draining, pipeline.Halted, pipeline.Stopped}

// statusFamilies turns the pipelines' Status into gauges, at each scrape.
func statusFamilies(o Options, tables *capped) []*family {
	m := &Metrics{}
	state := m.add(&family{name: "pipeline_state", help: "1 for the state that the pipeline is in, 0 for the others.", kind: gauge, labels: []string{"pipeline", "state"}})
	age := m.add(&family{name: "checkpoint_age_seconds", help: "Time since the last checkpoint that this process saved.", kind: gauge, labels: []string{"pipeline"}})
	progress := m.add(&family{name: "snapshot_progress_ratio", help: "How much of a table's snapshot has been read, by the server's own estimate.", kind: gauge, labels: []string{"pipeline", "table"}})
	parked := m.add(&family{name: "parked_rows", help: "Changes that the target refused, or that wait behind one.", kind: gauge, labels: []string{"pipeline", "sink"}})
	lagBytes := m.add(&family{name: "source_lag_bytes", help: "How far the source's log goes on beyond what has been read.", kind: gauge, labels: []string{"pipeline"}})
	for _, s := range o.Status() {
		for _, is := range states {
			one := state.with(s.Pipeline, string(is))
			if s.State == is {
				one.set(1)
			}
		}
		if !s.SavedAt.IsZero() {
			age.with(s.Pipeline).set(max(0, o.Now().Sub(s.SavedAt).Seconds()))
		}
		if n, ok := o.LagBytes(s.Pipeline); ok {
			lagBytes.with(s.Pipeline).set(float64(n))
		}
		for _, k := range s.Sinks {
			parked.with(s.Pipeline, k.Sink).set(float64(k.Parked))
		}
		for label, ratio := range ratios(s.Snapshot, tables) {
			progress.with(s.Pipeline, label).set(ratio)
		}
	}
	return m.families
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

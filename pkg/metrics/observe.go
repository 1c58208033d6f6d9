package metrics

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// Observer is what a pipeline tells. State, checkpoints and parked changes are read from its Status instead.
func (m *Metrics) Observer() pipeline.Observer {
	return pipeline.Observer{
		Rows: func(e pipeline.Event, at pipeline.Stage, t *change.Table, op change.Op, n int) {
			m.rows(e, at, t, run{op, float64(n)})
		},
		Txns: func(e pipeline.Event, n int) { m.txns.with(e.Pipeline).add(float64(n)) },
		Applied: func(e pipeline.Event, d time.Duration) {
			m.commitSeconds.observe(m.commitSeconds.with(e.Pipeline, e.Sink), d.Seconds())
		},
		Latency: func(e pipeline.Event, d time.Duration, _ int) {
			m.latency.observe(m.latency.with(e.Pipeline, e.Sink), max(0, d.Seconds()))
		},
		Lag: func(e pipeline.Event, d time.Duration) { m.lag.with(e.Pipeline).set(d.Seconds()) },
		Retry: func(e pipeline.Event, code string) {
			m.sinkRetries.with(e.Pipeline, e.Sink, m.codes.value(code)).add(1)
		},
		Restart: func(e pipeline.Event, reason string, _ time.Duration) {
			m.restarts.with(e.Pipeline, m.codes.value(reason)).add(1)
		},
		Gap: func(e pipeline.Event, _ error) {
			where := "source"
			if e.Sink != "" {
				where = "sink"
			}
			m.gaps.with(e.Pipeline, where).add(1)
		},
	}
}

// run is so many rows of one operation.
type run struct {
	op    change.Op
	count float64
}

// rows counts a run of rows of one table at one stage.
func (m *Metrics) rows(e pipeline.Event, at pipeline.Stage, t *change.Table, r run) {
	table := m.tables.label(t)
	switch at {
	case pipeline.StageRead:
		m.events.with(e.Pipeline, table, r.op.String()).add(r.count)
		if r.op == change.SnapshotRow {
			m.snapshotRows.with(e.Pipeline, table).add(r.count)
		}
	case pipeline.StagePublished:
		if topic := m.options.Topic(e.Pipeline, t); topic != "" {
			m.produced.with(e.Pipeline, m.topics.value(topic), "acked").add(r.count)
		}
	case pipeline.StageApplied, pipeline.StageSkipped, pipeline.StageParked:
		m.sinkRows.with(e.Pipeline, e.Sink, table, r.op.String(), string(at)).add(r.count)
		if at == pipeline.StageSkipped {
			m.stale.with(e.Pipeline, e.Sink).add(r.count)
			m.duplicates.with(e.Pipeline, "apply").add(r.count)
		}
	}
}

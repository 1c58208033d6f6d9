package metrics

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// Observer is what a pipeline tells. State, checkpoints and parked changes are read from its Status instead.
func (m *Metrics) Observer() pipeline.Observer {
	return pipeline.Observer{
		Rows: m.rows,
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

// rows counts n rows of one table and operation at one stage.
func (m *Metrics) rows(e pipeline.Event, at pipeline.Stage, t *change.Table, op change.Op, n int) {
	table, count := m.tables.label(t), float64(n)
	switch at {
	case pipeline.StageRead:
		m.events.with(e.Pipeline, table, op.String()).add(count)
		if op == change.SnapshotRow {
			m.snapshotRows.with(e.Pipeline, table).add(count)
		}
	case pipeline.StagePublished:
		if topic := m.options.Topic(e.Pipeline, t); topic != "" {
			m.produced.with(e.Pipeline, m.topics.value(topic), "acked").add(count)
		}
	case pipeline.StageApplied, pipeline.StageSkipped, pipeline.StageParked:
		m.sinkRows.with(e.Pipeline, e.Sink, table, op.String(), string(at)).add(count)
		if at == pipeline.StageSkipped {
			m.stale.with(e.Pipeline, e.Sink).add(count)
			m.duplicates.with(e.Pipeline, "apply").add(count)
		}
	}
}

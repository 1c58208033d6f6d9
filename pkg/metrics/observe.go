package metrics

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Observer is what a pipeline tells. State, checkpoints and parked changes are read from its Status instead.
func (m *Metrics) Observer() pipeline.Observer {
	return pipeline.Observer{
		Rows: func(e pipeline.Event, at pipeline.Stage, t *change.Table, op change.Op, n int) {
			m.rows(e, at, t, run{op, float64(n)})
		},
		Txns: func(e pipeline.Event, n int) { m.txns.WithLabelValues(e.Pipeline).Add(float64(n)) },
		Applied: func(e pipeline.Event, d time.Duration) {
			m.commitSeconds.WithLabelValues(e.Pipeline, e.Sink).Observe(d.Seconds())
		},
		Latency: func(e pipeline.Event, d time.Duration, _ int) {
			m.latency.WithLabelValues(e.Pipeline, e.Sink).Observe(max(0, d.Seconds()))
		},
		Retry: func(e pipeline.Event, code string) {
			m.sinkRetries.WithLabelValues(e.Pipeline, e.Sink, m.codes.value(code)).Inc()
		},
		Restart: func(e pipeline.Event, reason string, _ time.Duration) {
			m.restarts.WithLabelValues(e.Pipeline, m.codes.value(reason)).Inc()
		},
		Schema: func(e pipeline.Event, c sinks.SchemaChange) {
			m.schemaChanges.WithLabelValues(e.Pipeline, e.Sink, m.tables.label(c.Table), string(c.Kind), string(c.Action)).Inc()
		},
		Gap: func(e pipeline.Event, _ error) {
			where := "source"
			if e.Sink != "" {
				where = "sink"
			}
			m.gaps.WithLabelValues(e.Pipeline, where).Inc()
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
		m.events.WithLabelValues(e.Pipeline, table, r.op.String()).Add(r.count)
		if r.op == change.SnapshotRow {
			m.snapshotRows.WithLabelValues(e.Pipeline, table).Add(r.count)
		}
	case pipeline.StagePublished:
		if topic := m.options.Topic(e.Pipeline, t); topic != "" {
			m.produced.WithLabelValues(e.Pipeline, m.topics.value(topic), "acked").Add(r.count)
		}
	case pipeline.StageApplied, pipeline.StageSkipped, pipeline.StageParked:
		m.sinkRows.WithLabelValues(e.Pipeline, e.Sink, table, r.op.String(), string(at)).Add(r.count)
		if at == pipeline.StageSkipped {
			m.stale.WithLabelValues(e.Pipeline, e.Sink).Add(r.count)
			m.duplicates.WithLabelValues(e.Pipeline, "apply").Add(r.count)
		}
	}
}

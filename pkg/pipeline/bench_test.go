package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// BenchmarkDirect is what the two loops and the direct stream cost a row, between a source and a sink that cost nothing.
func BenchmarkDirect(b *testing.B) {
	const rows = 1000
	b.ReportAllocs()
	src := &endless{rows: rows, table: newTable(), txn: &change.Txn{ID: "1", Committed: time.Now()}, left: b.N}
	w := newWorld(nil)
	cfg := w.config(newLife(), 1)
	cfg.Stream = direct.New(direct.Config{SourceID: source, Sinks: []string{"a"}, MemoryBytes: 16 << 20, Atomic: true})
	cfg.Source = func(context.Context, connectors.Start) (connectors.Opened, error) {
		return connectors.Opened{Source: src, Identity: "x", Resume: "0"}, nil
	}
	cfg.Sinks[0].Open = func(context.Context) (sinks.MarkSink, error) { return &blackHole{}, nil }
	cfg.Once = true
	p, err := pipeline.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := p.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

// endless hands over b.N batches.
type endless struct {
	rows  int
	table *change.Table
	txn   *change.Txn
	at    uint64
	left  int
}

func (e *endless) Read(ctx context.Context, _ int) (change.Batch, error) {
	if e.at >= uint64(e.left) {
		<-ctx.Done()
		return change.Batch{}, ctx.Err()
	}
	e.at++
	b := change.Batch{Changes: make([]change.Change, e.rows), Upto: pos(1, e.at), Resume: "1"}
	row := make([]change.Value, 12)
	for i := range b.Changes {
		b.Changes[i] = change.Change{Op: change.Insert, Table: e.table, After: row, Txn: e.txn, Pos: change.Position{Epoch: 1, Commit: e.at, Seq: uint64(i)<<2 | 1}}
	}
	return b, nil
}

func (e *endless) Head(context.Context) (change.Position, error) { return pos(1, uint64(e.left)), nil }
func (e *endless) Release(context.Context, change.Resume) error  { return nil }
func (e *endless) Close() error                                  { return nil }

// blackHole takes everything and keeps its marks only.
type blackHole struct{ marks []change.Mark }

func (h *blackHole) Apply(context.Context, []change.Change) error { return nil }
func (h *blackHole) Close() error                                 { return nil }
func (h *blackHole) Load(context.Context, string) (sinks.State, error) {
	return sinks.State{Marks: h.marks}, nil
}

func (h *blackHole) ApplyAt(_ context.Context, _ []change.Change, _ []sinks.Parked, _, to []change.Mark) error {
	h.marks = append(h.marks[:0], to...)
	return nil
}

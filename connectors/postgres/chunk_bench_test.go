package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// BenchmarkSnapshot reads a table of pgbench's accounts beside an idle log.
func BenchmarkSnapshot(b *testing.B) {
	const rows = 500_000
	pg := testenv.Postgres(b, 15)
	pg.Exec("create table accounts (aid int primary key, bid int, abalance int, filler char(84))")
	pg.Exec("insert into accounts select i, 1, i, '' from generate_series(1, $1) i", rows)
	pg.Exec("analyze accounts")
	config := Config{SourceID: "s", URL: pg.URL, Include: []string{"public.*"}, Slot: Object{Name: pg.Database + "_c", Create: true},
		Publication: Object{Name: "chunks", Create: true}, SnapshotMode: SnapshotNever}
	ctx := b.Context()
	opened, err := Open(config)(ctx, connectors.Start{Epoch: 1})
	if err != nil {
		b.Fatal(err)
	}
	source := opened.Source.(*Source)
	defer source.Close()
	reader := newChunkReader(source.seam())
	defer reader.Close(ctx)
	b.ReportAllocs()
	for b.Loop() {
		runner, err := snapshot.New(snapshot.Config{Log: source.log, Reader: reader, Tables: []string{"public.accounts"},
			Upto: opened.Upto, Resume: opened.Resume})
		if err != nil {
			b.Fatal(err)
		}
		for !runner.Progress()[0].Done {
			if _, err := runner.Read(ctx, 4<<20); err != nil {
				b.Fatal(err)
			}
		}
		if err := runner.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestLoadWaitsForTheOutcome cuts an applier off while its transaction is under way: whoever loads next must see how that ended, not the
// marks before it.
func TestLoadWaitsForTheOutcome(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s, next := open(t, config(pg)), open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.NewShape))
	blocker, err := pgx.Connect(t.Context(), pg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Close(context.WithoutCancel(t.Context())) }()
	if _, err := blocker.Exec(t.Context(), "begin; lock table t in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	lane := change.Lane{Stream: "s"}
	to := []change.Mark{{Lane: lane, Next: 1}}
	applied := make(chan error, 1)
	go func() {
		row := at(table(), 2, change.Insert, change.Int(1), change.Null(), change.Null())
		applied <- s.ApplyAt(t.Context(), []change.Change{row}, nil, []change.Mark{{Lane: lane}}, to)
	}()
	waiting := func(kind string) func() bool {
		return func() bool {
			return pg.Value("select count(*) from pg_locks where not granted and locktype = '"+kind+"'") != "0"
		}
	}
	testenv.Wait(t, "the applier to wait for the table", waiting("relation"))
	type loaded struct {
		state sinks.State
		err   error
	}
	result := make(chan loaded, 1)
	go func() {
		state, err := next.Load(t.Context(), "s")
		result <- loaded{state, err}
	}()
	testenv.Wait(t, "the loader to wait for the applier", waiting("advisory"))
	if _, err := blocker.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	if got := <-result; got.err != nil || !slices.Equal(got.state.Marks, to) {
		t.Errorf("loaded %+v, want the mark that the applier moved", got)
	}
}

// TestCancelled: a call whose context ends leaves nothing behind, and the sink goes on.
func TestCancelled(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	s := open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.NewShape))
	blocker, err := pgx.Connect(t.Context(), pg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Close(context.WithoutCancel(t.Context())) }()
	if _, err := blocker.Exec(t.Context(), "begin; lock table t in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	row := at(table(), 2, change.Insert, change.Int(1), change.Null(), change.Null())
	if err := s.Apply(ctx, []change.Change{row}); err == nil || ctx.Err() == nil {
		t.Fatalf("applied under a lock: %v", err)
	}
	if _, err := blocker.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	mustApply(t, s, at(table(), 3, change.Insert, change.Int(2), change.Null(), change.Null()))
	wantRows(t, pg, "select id from t", "2")
}

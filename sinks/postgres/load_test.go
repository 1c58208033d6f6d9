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

// waiting says whether somebody in the test's own database waits for a lock of the kind.
func waiting(pg *testenv.PG, kind string) func() bool {
	return func() bool {
		return pg.Value("select count(*) from pg_locks where not granted and locktype = '"+kind+
			"' and database = (select oid from pg_database where datname = current_database())") != "0"
	}
}

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
	testenv.Wait(t, "the applier to wait for the table", waiting(pg, "relation"))
	type loaded struct {
		state sinks.State
		err   error
	}
	result := make(chan loaded, 1)
	go func() {
		state, err := next.Load(t.Context(), "s")
		result <- loaded{state, err}
	}()
	testenv.Wait(t, "the loader to wait for the applier", waiting(pg, "advisory"))
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

// TestALoadBesideAParkingCall lets a Load read that nothing is parked while a call is about to park: what it parks must be superseded all the same.
func TestALoadBesideAParkingCall(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s := open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.NewShape))
	blocker, err := pgx.Connect(t.Context(), pg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Close(context.WithoutCancel(t.Context())) }()
	if _, err := blocker.Exec(t.Context(), "begin; lock table _tailwater_parked in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	lane := change.Lane{Stream: "s"}
	from, to := []change.Mark{{Lane: lane}}, []change.Mark{{Lane: lane, Next: 1}}
	loaded, applied := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Load(t.Context(), "s")
		loaded <- err
	}()
	testenv.Wait(t, "the loader to wait for the parked changes", waiting(pg, "relation"))
	go func() {
		bad := sinks.Parked{Change: at(table(), 2, change.Insert, change.Int(1), change.Null(), change.Null()), Lane: lane, Code: "X"}
		applied <- s.ApplyAt(t.Context(), nil, []sinks.Parked{bad}, from, to)
	}()
	testenv.Wait(t, "the applier to wait for the loader", waiting(pg, "advisory"))
	if _, err := blocker.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	for _, result := range []chan error{loaded, applied} {
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	}
	read := at(table(), 3, change.SnapshotRow, change.Int(1), change.Null(), change.Null())
	read.Txn = nil
	if err := s.ApplyAt(t.Context(), []change.Change{read}, nil, to, []change.Mark{{Lane: lane, Next: 2}}); err != nil {
		t.Fatal(err)
	}
	if parked, err := s.ListParked(t.Context()); err != nil || len(parked) != 0 {
		t.Errorf("a snapshot row left %d changes of its key parked, %v", len(parked), err)
	}
}

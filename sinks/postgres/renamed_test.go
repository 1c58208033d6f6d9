package postgres_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// identified is table() with columns of these names and numbers.
func identified(names ...string) *change.Table {
	t := table()
	for i, n := range names {
		t.Columns[i+1].Name = n[:1]
		t.Columns[i+1].ID = uint64(n[1] - '0')
	}
	t.Columns[0].ID = 9
	return t
}

// TestExchangedNames: the statements that a halt prints for columns that have exchanged their names or passed them on, can be
// run as they stand, and then it goes on.
func TestExchangedNames(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		s := open(t, config(pg))
		old, exchanged, passed := identified("a1", "b2"), identified("b1", "a2"), identified("a1", "c2")
		mustApply(t, s, at(old, 1, change.Insert, change.Int(1), change.Text("one"), change.Text("two")))
		halts := func(marker change.Change) {
			t.Helper()
			err := s.Apply(t.Context(), []change.Change{marker})
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("names that another column had: %v", err)
			}
			_, statements, _ := strings.Cut(err.Error(), ": ALTER TABLE")
			pg.Exec("ALTER TABLE" + strings.TrimSuffix(statements, ": halted"))
			s = open(t, config(pg))
		}
		halts(at(exchanged, 2, change.NewShape))
		mustApply(t, s, at(exchanged, 2, change.NewShape), at(exchanged, 3, change.Insert, change.Int(2), change.Text("one"), change.Text("two")))
		wantRows(t, pg, "select id, b, a from t order by id", "1|one|two", "2|one|two")
		halts(at(passed, 4, change.NewShape))
		mustApply(t, s, at(passed, 4, change.NewShape), at(passed, 5, change.Insert, change.Int(3), change.Text("one"), change.Text("two")))
		wantRows(t, pg, "select id, a, c from t order by id", "1|one|two", "2|one|two", "3|one|two")
	})
}

// TestANameInAnotherCase: MySQL takes both for one name, so it is a rename here.
func TestANameInAnotherCase(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		s := open(t, config(pg))
		old, now := table(), table()
		old.Engine, now.Engine, now.Columns[1].Name = "mysql", "mysql", "A"
		mustApply(t, s, at(old, 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
		mustApply(t, s, at(now, 2, change.NewShape), at(now, 3, change.Insert, change.Int(2), change.Text("y"), change.Null()))
		wantRows(t, pg, `select id, "A" from t order by id`, "1|x", "2|y")
	})
}

// TestALongNameHaltsOnce: the sentence says so once.
func TestALongNameHaltsOnce(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	long := table()
	long.Name = strings.Repeat("x", 64)
	err := open(t, config(pg)).Apply(t.Context(), []change.Change{at(long, 1, change.Insert, change.Int(1), change.Null(), change.Null())})
	if !errors.Is(err, change.ErrHalt) || strings.Count(err.Error(), "halted") != 1 {
		t.Errorf("a name of 64 bytes: %v", err)
	}
	c := config(pg)
	c.Schema = long.Name
	if _, err := postgres.Open(t.Context(), c, slog.New(slog.DiscardHandler)); !errors.Is(err, change.ErrPreflight) {
		t.Errorf("a schema of 64 bytes: %v", err)
	}
}

// TestARenamedLabelOfText: the log has no row of it, so a target that keeps labels as text keeps the old one, and it is said.
func TestARenamedLabelOfText(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	var said strings.Builder
	s, err := postgres.Open(t.Context(), config(pg), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	old, now := table(), table()
	for tab, labels := range map[*change.Table][]string{old: {"sad", "ok"}, now: {"blue", "ok"}} {
		tab.Columns[1].Native, tab.Columns[1].Enum = "mood", &labels
	}
	mustApply(t, s, at(old, 1, change.Insert, change.Int(1), change.Text("sad"), change.Null()))
	mustApply(t, s, at(now, 2, change.NewShape), at(now, 3, change.Insert, change.Int(2), change.Text("blue"), change.Null()))
	wantRows(t, pg, "select id, a from t order by id", "1|sad", "2|blue")
	if !strings.Contains(said.String(), "labels of an enumeration other names") {
		t.Errorf("it says %s", said.String())
	}
}

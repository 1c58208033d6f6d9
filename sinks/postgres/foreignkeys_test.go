package postgres_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

const foreignFamily = `create table t (id int primary key, a text, b text);
create table child (id int primary key, a text, b text, foreign key (id) references t (id) %)`

var foreignShow = "select 'parent', id from t union all select 'child', id from child order by 1, 2"

// foreignRows are a parent's and a child's tables of a source of that kind, and how rows of them are made.
func foreignRows(engine string) (parent, child *change.Table, row func(tab *change.Table, n uint64, op change.Op, id int64) change.Change) {
	parent, child = table(), table()
	parent.Engine, child.Engine, child.Name = engine, engine, "child"
	return parent, child, func(tab *change.Table, n uint64, op change.Op, id int64) change.Change {
		return at(tab, n, op, change.Int(id), change.Null(), change.Null())
	}
}

// TestForeignKeysAreTrusted: with foreign_keys: trust rows come in any order, and what the source's log carries of its foreign keys isn't done a second
// time. A Truncate of the parent's topic doesn't wait for the child's.
func TestForeignKeysAreTrusted(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{"no action": "", "deferred": "deferrable initially deferred", "restrict": "on delete restrict", "cascade": "on delete cascade", "on update": "on update cascade"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testenv.All(t, func(t *testing.T, pg *testenv.PG) {
				pg.Exec(strings.Replace(foreignFamily, "%", action, 1))
				c := config(pg)
				c.TrustKeys = true
				s := open(t, c)
				parent, child, row := foreignRows("postgres")
				mustApply(t, s, row(child, 1, change.SnapshotRow, 1), row(child, 1, change.SnapshotRow, 2))
				mustApply(t, s, row(parent, 1, change.SnapshotRow, 1), row(parent, 1, change.SnapshotRow, 2), row(child, 2, change.Insert, 3))
				mustApply(t, s, row(parent, 3, change.Delete, 1))
				wantRows(t, pg, foreignShow, "child|1", "child|2", "child|3", "parent|2")

				// nor does the search for a refused row blame others
				bad := at(parent, 5, change.Insert, change.Int(7), change.Text("\x00"), change.Null())
				err := s.Apply(t.Context(), []change.Change{row(child, 4, change.Insert, 9), bad, row(parent, 6, change.Delete, 2)})
				if partial, ok := errors.AsType[*sinks.PartialError](err); !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 {
					t.Errorf("a bad row among rows without parents: %v", err)
				}
				mustApply(t, s, at(parent, 7, change.Truncate), row(parent, 8, change.Insert, 4))
				wantRows(t, pg, foreignShow, "child|1", "child|2", "child|3", "parent|4")
				mustApply(t, s, at(child, 7, change.Truncate), row(child, 8, change.Insert, 4))
				wantRows(t, pg, foreignShow, "child|4", "parent|4")
			})
		})
	}
}

// TestForeignKeysThatActAreNotTrusted: what they do isn't known to be in a MariaDB source's log, so the target goes on doing it, and checks what
// belongs together; one that only forbids is trusted all the same.
func TestForeignKeysThatActAreNotTrusted(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(strings.Replace(foreignFamily, "%", "on delete cascade", 1))
		pg.Exec("create table more (id int primary key); create table other (id int primary key, a text, b text, foreign key (id) references more)")
		c := config(pg)
		c.TrustKeys = true
		s := open(t, c)
		parent, child, row := foreignRows("mariadb")
		other := table()
		other.Engine, other.Name = "mariadb", "other"
		mustApply(t, s, row(other, 1, change.Insert, 5), row(parent, 2, change.Insert, 1), row(child, 3, change.Insert, 1), row(other, 4, change.Insert, 6))
		err := s.Apply(t.Context(), []change.Change{row(other, 5, change.Insert, 7), row(child, 6, change.Insert, 2), row(other, 7, change.Insert, 8)})
		if partial, ok := errors.AsType[*sinks.PartialError](err); !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 || partial.Refused[0].Class != sinks.Wait {
			t.Errorf("a child without its parent: %v", err)
		}
		mustApply(t, s, row(other, 8, change.Insert, 9), row(parent, 9, change.Delete, 1))
		wantRows(t, pg, foreignShow)
		wantRows(t, pg, "select id from other order by 1", "5", "6", "9")
		mustApply(t, s, row(parent, 10, change.Insert, 3), row(child, 11, change.Insert, 3), at(parent, 12, change.Truncate))
		wantRows(t, pg, foreignShow)
	})
}

// TestWhatRunsForReplicas: with foreign_keys: trust triggers and rules run that are enabled for replicas. One that keeps a row is found out, a rule that
// rewrites ends the sink; without trust neither runs.
func TestWhatRunsForReplicas(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table t (id int primary key, a text, b text); create function f() returns trigger language plpgsql as $$ begin return null; end $$;" +
			"create trigger k before delete on t for each row execute function f(); alter table t enable replica trigger k;" +
			"create table child (id int primary key, a text, b text); create rule k as on delete to child do instead nothing; alter table child enable replica rule k;" +
			"create table ruled (id int primary key, a text, b text); create rule k as on insert to ruled do also notify x; alter table ruled enable replica rule k")
		parent, child, row := foreignRows("postgres")
		ruled := table()
		ruled.Engine, ruled.Name = "postgres", "ruled"
		c := config(pg)
		c.TrustKeys = true
		trusting, checking := open(t, c), open(t, config(pg))
		mustApply(t, trusting, row(parent, 1, change.Insert, 1), row(child, 2, change.Insert, 1))
		for _, tab := range []*change.Table{parent, child} {
			err := trusting.Apply(t.Context(), []change.Change{row(tab, 3, change.Delete, 1)})
			if partial, ok := errors.AsType[*sinks.PartialError](err); !ok || len(partial.Refused) != 1 || partial.Refused[0].Code != "row_skipped" {
				t.Errorf("%s: a row that is kept: %v", tab, err)
			}
		}
		if err := trusting.Apply(t.Context(), []change.Change{row(ruled, 4, change.Insert, 1)}); !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "DROP RULE k") {
			t.Errorf("a rule for replicas: %v", err)
		}
		mustApply(t, checking, row(parent, 5, change.Delete, 1), row(child, 6, change.Delete, 1), row(ruled, 7, change.Insert, 1))
		wantRows(t, pg, foreignShow)
	})
}

// TestTrustTakesARight: a role that may not switch the checks off is told so at the start, by the doctor, and by the grants that mend it.
func TestTrustTakesARight(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		role := pg.Database + "_trust"
		c := config(pg)
		c.URL, c.TrustKeys = withUser(t, c.URL, role), true
		t.Cleanup(func() {
			pg.Exec("revoke set on parameter session_replication_role from " + quote(role) + "; drop owned by " + quote(role) + "; drop role " + quote(role))
		})
		grants := func(c postgres.Config) {
			t.Helper()
			sql, err := postgres.Grants(c)
			if err != nil {
				t.Fatal(err)
			}
			pg.Exec(sql)
		}
		without := c
		without.TrustKeys = false
		grants(without)
		if _, err := postgres.Open(t.Context(), c, slog.New(slog.DiscardHandler)); !errors.Is(err, change.ErrDenied) || !strings.Contains(err.Error(), "GRANT SET ON PARAMETER session_replication_role TO ") {
			t.Errorf("a role without the right opens: %v", err)
		}
		if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.Error || !strings.Contains(summaries(f), "may not set session_replication_role") {
			t.Errorf("the doctor finds %+v", f)
		}
		grants(c)
		s := open(t, c)
		parent, child, row := foreignRows("postgres")
		mustApply(t, s, row(parent, 1, change.Insert, 1), row(child, 2, change.Insert, 1))
		if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.OK {
			t.Errorf("the doctor finds %+v", f)
		}
		pg.Exec("alter table child add foreign key (id) references t")
		if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.OK || !strings.Contains(summaries(f), "foreign_keys is trust") {
			t.Errorf("the doctor finds %+v", f)
		}
		if f := postgres.Doctor(t.Context(), without); worst(f) != preflight.Warn || !strings.Contains(summaries(f), "child has a foreign key") {
			t.Errorf("the doctor finds %+v", f)
		}
	})
}

func summaries(findings []preflight.Finding) string {
	var all strings.Builder
	for _, f := range findings {
		all.WriteString(f.Summary + "\n")
	}
	return all.String()
}

// TestRowsThatWaitForTheirOwnTransaction: a table that points at itself, whose rows come parent first when they go, and child first when they come; with
// a bad row beside them, or taken one by one by the server.
func TestRowsThatWaitForTheirOwnTransaction(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table t (id int primary key, a text, b int, foreign key (b) references t (id) deferrable initially immediate)")
		s := open(t, config(pg))
		tab := table()
		tab.Columns[2].Native, tab.Columns[2].Kind, tab.Columns[2].Bits = "integer", change.KindInt, 32
		in := func(txn string, c change.Change) change.Change {
			c.Txn = &change.Txn{ID: txn}
			return c
		}
		bad := at(tab, 9, change.Insert, change.Int(9), change.Text("\x00"), change.Null())
		row := func(n uint64, op change.Op, id int64, up change.Value) change.Change {
			return at(tab, n, op, change.Int(id), change.Null(), up)
		}
		come := []change.Change{in("1", row(1, change.Insert, 1, change.Int(2))), in("1", row(2, change.Insert, 2, change.Int(3))), in("1", row(3, change.Insert, 3, change.Null())), in("bad", bad)}
		wantBad(t, s.Apply(t.Context(), come))
		mustApply(t, s, come[:3]...)
		gone := []change.Change{in("2", row(4, change.Delete, 3, change.Null())), in("2", row(5, change.Delete, 2, change.Int(3))), in("2", row(6, change.Delete, 1, change.Int(2))), in("bad", bad)}
		wantBad(t, s.Apply(t.Context(), gone))
		mustApply(t, s, gone[:3]...)
		wantRows(t, pg, "select id from t")
	})
}

// TestExchangedUnderADeferrableKey: the target's own constraint is checked at the end, as the source's was, in a column that could not be written anew.
func TestExchangedUnderADeferrableKey(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table t (id int primary key, a text unique deferrable, b text, mine text default 'kept')")
		s := open(t, config(pg))
		row := func(n uint64, id int64, a string) change.Change {
			return at(table(), n, change.Update, change.Int(id), change.Text(a), change.Null())
		}
		mustApply(t, s, row(1, 1, "a"), row(2, 2, "b"))
		pg.Exec("update t set mine = id::text")
		bad := row(5, 3, "\x00")
		bad.Txn = &change.Txn{ID: "bad"}
		exchange := []change.Change{row(3, 1, "b"), row(4, 2, "a"), row(4, 4, "d"), bad}
		wantBad(t, s.Apply(t.Context(), exchange))
		mustApply(t, s, exchange[:3]...)
		wantRows(t, pg, "select id, a, mine from t order by id", "1|b|1", "2|a|2", "4|d|kept")
	})
}

// wantBad wants the fourth change to be refused, and no other.
func wantBad(t *testing.T, err error) {
	t.Helper()
	if partial, ok := errors.AsType[*sinks.PartialError](err); !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 3 {
		t.Errorf("want change 3 refused, have %v", err)
	}
}

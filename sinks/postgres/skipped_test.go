package postgres_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestAHiddenRowIsNotAMissingOne: under row level security a DELETE or UPDATE finds fewer rows and says nothing.
func TestAHiddenRowIsNotAMissingOne(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	role := "hidden_" + pg.Database
	pg.Exec("create role " + quote(role) + " login; grant all on schema public to " + quote(role))
	t.Cleanup(func() { pg.Exec("drop owned by " + quote(role) + "; drop role " + quote(role)) })
	pg.Exec(`create table t (id int primary key, a text, b text); insert into t values (1, 'seen'), (20, 'hidden');
alter table t enable row level security; create policy p on t using (id < 10); grant all on t to ` + quote(role))
	c := config(pg)
	c.URL = withUser(t, c.URL, role)
	s := open(t, c)
	err := s.Apply(t.Context(), []change.Change{at(table(), 1, change.Delete, change.Int(20), change.Value{}, change.Value{})})
	if !errors.Is(err, change.ErrDenied) || sinks.ClassOf(err) != sinks.Fatal {
		t.Errorf("a delete of a row that a policy hides: %v", err)
	}
	wantRows(t, pg, "select id from t order by id", "1", "20")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestASkippedRowIsRefused: a trigger that returns NULL drops a row without an error.
func TestASkippedRowIsRefused(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	pg.Exec(`create table t (id int primary key, a text, b text);
create function skip() returns trigger language plpgsql as $$ begin if new.a = 'skip' then return null; end if; return new; end $$;
create trigger skip before insert or update on t for each row execute function skip()`)
	s := open(t, config(pg))
	row := func(id int64, a string) change.Change {
		return at(table(), uint64(id), change.Insert, change.Int(id), change.Text(a), change.Null())
	}
	err := s.Apply(t.Context(), []change.Change{row(1, "a"), row(2, "skip"), row(3, "c")})
	partial, ok := errors.AsType[*sinks.PartialError](err)
	if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 || partial.Refused[0].Class != sinks.Reject {
		t.Errorf("a row that a trigger skipped: %v", err)
	}
	mustApply(t, s, row(1, "a"), row(3, "c"))
	wantRows(t, pg, "select id, a from t order by id", "1|a", "3|c")
}

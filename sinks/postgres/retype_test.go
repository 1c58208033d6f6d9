package postgres_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestATargetAlteredUnderARunningSink: what the plan says of the target is no longer so; no row is to blame for that.
func TestATargetAlteredUnderARunningSink(t *testing.T) {
	t.Parallel()
	row := func(n uint64, id int64, a string) change.Change {
		return at(table(), n, change.Insert, change.Int(id), change.Text(a), change.Null())
	}
	cases := map[string]struct{ alter, show string }{
		"column":  {"alter table t alter column a type integer using a::integer", "1|5|\\N"},
		"key":     {"alter table t alter column id type text", "1|5|\\N"},
		"foreign": {"create table child (id int references t)", "1|5|\\N"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pg := testenv.Postgres(t, 15)
			s := open(t, config(pg))
			tab := table()
			first := at(tab, 1, change.Insert, change.Int(1), change.Text("4"), change.Null())
			mustApply(t, s, first)
			pg.Exec(c.alter)
			next := at(tab, 3, change.Insert, change.Int(1), change.Text("5"), change.Null())
			mustApply(t, s, at(tab, 2, change.Delete, change.Int(1), change.Value{}, change.Value{}), at(tab, 2, change.Truncate), next)
			wantRows(t, pg, "select id, a, b from t", c.show)
		})
	}
	t.Run("a row is to blame", func(t *testing.T) {
		t.Parallel()
		pg := testenv.Postgres(t, 15)
		pg.Exec(`create table t (id int primary key, a text, b text);
create function mismatch() returns trigger language plpgsql as $$ begin if new.a = 'bad' then raise sqlstate '42804'; end if; return new; end $$;
create trigger mismatch before insert on t for each row execute function mismatch()`)
		s := open(t, config(pg))
		err := s.Apply(t.Context(), []change.Change{row(1, 1, "good"), row(2, 2, "bad"), row(3, 3, "good")})
		partial, ok := errors.AsType[*sinks.PartialError](err)
		if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 || partial.Refused[0].Code != "42804" {
			t.Errorf("a row that is refused with 42804: %v", err)
		}
	})
}

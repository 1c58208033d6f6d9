package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestMovedForLong: a table that looks find gone, and that is written meanwhile, is emptied and read again when it comes back: to a process
// that runs, and to one that begins again meanwhile.
func TestMovedForLong(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, again := range []bool{false, true} {
			pg := testenv.Postgres(t, pg.Major)
			pg.Exec(published)
			c := newCopying(t, pg, SnapshotInitial)
			c.until("a", "1 a, 2 b, 3 c")
			pg.Exec("create schema other; alter table a set schema other; create view a as select * from other.a")
			pg.Exec(changed)
			c.head()
			pg.Exec("create table c (id int primary key, v text); insert into c values (1, 'new')")
			c.until("c", "1 new") // so a look has been taken
			if again {
				c.close()
				c.open()
			}
			pg.Exec("drop view a; alter table other.a set schema public")
			c.until("a", after)
			c.close()
		}
	})
}

// TestRenamedIntoTheSelection: what a table was called before it was captured is no lapse, though the log still tells of it: nothing is emptied,
// and where rows may not be read nothing halts.
func TestRenamedIntoTheSelection(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, down := range []bool{false, true} {
			pg := testenv.Postgres(t, pg.Major)
			pg.Exec(published + "; create sequence s start 100; create schema other; create publication parts for all tables with (publish_via_partition_root)")
			c := newCopying(t, pg, SnapshotNever)
			c.head()
			if down {
				c.close()
			}
			pg.Exec("create table other.d (id int primary key, v text)")
			pg.Exec("insert into other.d values (1, 'before')")
			pg.Exec("alter table other.d set schema public")
			if down {
				c.open()
			}
			c.head()
			pg.Exec("insert into d values (2, 'after')")
			c.head()
			if got := c.shown("d"); got != "2 after" {
				t.Errorf("the target has %q", got)
			}
			for range 3 { // looks
				c.pg.Exec("insert into a values (nextval('s'), 'x')")
				c.head()
			}
			c.close()
		}
	})
}

// TestRenamedBetweenSelectedNames: rows that went to the target under another captured name are gone from there once the table has that name again.
func TestRenamedBetweenSelectedNames(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg = testenv.Postgres(t, pg.Major)
		pg.Exec(published)
		c := newCopying(t, pg, SnapshotInitial)
		c.until("a", "1 a, 2 b, 3 c")
		pg.Exec("begin; alter table a rename to x; insert into x values (9, 'seen'); alter table x rename to a; commit")
		c.until("a", "1 a, 2 b, 3 c, 9 seen")
		pg.Exec("delete from a where id = 9; alter table a rename to x")
		c.until("x", "1 a, 2 b, 3 c")
		c.head()
		if c.got[len(c.got)-1] == change.Truncate.String() {
			t.Error("emptied after its rows came")
		}
		c.close()
	})
}

package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

const (
	published = `create table a (id int primary key, v text); insert into a values (1, 'a'), (2, 'b'), (3, 'c'); create table b (id int primary key, v text); ` + parted
	changed   = "delete from a where id = 1; update a set v = 'z' where id = 2; insert into a values (4, 'd')"
	after     = "2 z, 3 c, 4 d"
)

// lapses are ways in which a publication leaves changes of table a out for a while.
var lapses = []struct{ name, made, out, back string }{
	{"table dropped", "", "alter publication parts drop table a", "alter publication parts add table a"},
	{"table dropped, not added", "", "alter publication parts drop table a", "select"},
	{"all set anew", "", "alter publication parts set table b", "alter publication parts set table a, b, p"},
	{"operations", "", "alter publication parts set (publish = 'insert')", "alter publication parts set (publish = 'insert, update, delete, truncate')"},
	{"row filter", "", "alter publication parts set table a where (id > 9), b, p", "alter publication parts set table a, b, p"},
	{"columns", "", "alter publication parts set table a (id), b, p", "alter publication parts set table a, b, p"},
	{"schema", "create publication parts for tables in schema public with (publish_via_partition_root)",
		"alter publication parts drop tables in schema public", "alter publication parts add tables in schema public"},
	{"renamed", "", "alter table a rename to x; create view a as select * from x", "drop view a; alter table x rename to a"},
	{"moved", "", "create schema other; alter table a set schema other; create view a as select * from other.a", "drop view a; alter table other.a set schema public"},
	{"moved out of the schema", "create publication parts for tables in schema public with (publish_via_partition_root)",
		"create schema other; alter table a set schema other; create view a as select * from other.a", "drop view a; alter table other.a set schema public"},
	{"all tables", "create publication parts for all tables with (publish_via_partition_root)",
		"alter publication parts set (publish = 'insert')", "alter publication parts set (publish = 'insert, update, delete, truncate')"},
}

// TestPublicationLeavesOutForAWhile: what a publication leaves out is in no log; the target has what the source has all the same.
func TestPublicationLeavesOutForAWhile(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, down := range []string{"running", "down"} {
			for _, tc := range lapses {
				t.Run(tc.name+" while "+down, func(t *testing.T) {
					t.Parallel()
					pg := testenv.Postgres(t, pg.Major)
					pg.Exec(published)
					if tc.made != "" {
						pg.Exec(tc.made)
					}
					c := newCopying(t, pg, SnapshotInitial)
					c.until("a", "1 a, 2 b, 3 c")
					c.head()
					if down == "down" {
						c.close()
						for _, sql := range []string{tc.out, changed, tc.back} {
							pg.Exec(sql)
						}
						c.open()
					} else {
						pg.Exec("begin; " + tc.out + "; " + changed + "; " + tc.back + "; commit") // no look sees what is between
					}
					c.until("a", after)
					c.until("p", "1 a, 11 b")
				})
			}
		}
	})
}

// TestPublicationOfMoreTables: what is done to a publication for the sake of other tables has none read again.
func TestPublicationOfMoreTables(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, made := range []string{"", "create publication parts for tables in schema public with (publish_via_partition_root)"} {
			pg := testenv.Postgres(t, pg.Major)
			pg.Exec(published)
			if made != "" {
				pg.Exec(made)
			}
			c := newCopying(t, pg, SnapshotInitial)
			c.until("a", "1 a, 2 b, 3 c")
			pg.Exec("create schema other; create table other.x (id int primary key); alter publication parts add table other.x; create table c (id int primary key, v text); insert into c values (1, 'new')")
			c.until("c", "1 new")
			for _, sql := range []string{"vacuum full pg_publication", "vacuum full pg_publication_rel", "vacuum freeze pg_publication",
				"alter publication parts drop table other.x", "comment on publication parts is 'looked at'"} {
				pg.Exec(sql)
			}
			c.close()
			c.open()
			pg.Exec("insert into a values (5, 'e')")
			c.until("a", "1 a, 2 b, 3 c, 5 e")
			c.head()
			if slices.Contains(c.got, change.Truncate.String()) {
				t.Errorf("a table was emptied: %v", c.got)
			}
			c.close()
		}
	})
}

// TestPublicationLeavesOutNow: a running process halts where the publication is found to leave something out, and what was left out comes once
// that is mended.
func TestPublicationLeavesOutNow(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, tc := range lapses {
			if !strings.HasPrefix(tc.name, "operations") && !strings.HasPrefix(tc.name, "row filter") {
				continue
			}
			pg := testenv.Postgres(t, pg.Major)
			pg.Exec(published)
			c := newCopying(t, pg, SnapshotInitial)
			c.until("a", "1 a, 2 b, 3 c")
			pg.Exec(tc.out)
			pg.Exec(changed)
			if err := c.fails(); !errors.Is(err, change.ErrPreflight) {
				t.Fatalf("%s: got %v", tc.name, err)
			}
			c.close()
			pg.Exec(tc.back)
			c.open()
			c.until("a", after)
			c.close()
		}
	})
}

// TestLeftOutWithoutSnapshot: where rows may not be read it halts, and does so at each start.
func TestLeftOutWithoutSnapshot(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, tc := range lapses {
			pg := testenv.Postgres(t, pg.Major)
			pg.Exec(published)
			if tc.made != "" {
				pg.Exec(tc.made)
			}
			c := newCopying(t, pg, SnapshotNever)
			pg.Exec("insert into a values (7, 'streamed')")
			c.head()
			pg.Exec("begin; " + tc.out + "; " + changed + "; " + tc.back + "; commit")
			if err := c.fails(); !errors.Is(err, change.ErrGap) {
				t.Fatalf("%s: got %v", tc.name, err)
			}
			c.close()
			for range 2 {
				var err error
				testenv.Wait(t, "the server notices that the slot's last reader is gone", func() bool {
					_, err = Open(c.config)(t.Context(), c.start)
					return !errors.Is(err, change.ErrBusy)
				})
				if !errors.Is(err, change.ErrGap) || !strings.Contains(err.Error(), "public.") {
					t.Fatalf("%s: got %v", tc.name, err)
				}
			}
			c.config.SnapshotMode = SnapshotInitial
			c.open()
			c.until("a", after+", 7 streamed")
			c.close()
		}
	})
}

// TestUnloggedForAWhile: what is done to an unlogged table is in no log, and that it was one is seen while it is.
func TestUnloggedForAWhile(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, how := range []string{"running", "stopped before it is logged", "stopped behind it", "not to be read"} {
			t.Run(how, func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, pg.Major)
				pg.Exec(published)
				pg.Exec("create publication parts for all tables with (publish_via_partition_root)")
				c := newCopying(t, pg, SnapshotInitial)
				c.until("a", "1 a, 2 b, 3 c")
				c.head()
				if how == "not to be read" {
					c.neverUnlogged()
				} else {
					pg.Exec("alter table a set unlogged")
					for end := time.Now().Add(20 * time.Second); !strings.Contains(string(c.start.Snapshot), `"stale":true`); c.read() {
						if time.Now().After(end) {
							t.Fatal("the table isn't stale")
						}
					}
					pg.Exec(changed)
				}
				if how == "stopped before it is logged" {
					c.close()
				}
				pg.Exec("alter table a set logged")
				if how == "stopped behind it" {
					c.close()
				}
				if how != "running" {
					c.open()
				}
				c.until("a", after)
				pg.Exec("insert into a values (5, 'e')")
				c.until("a", after+", 5 e")
			})
		}
	})
}

// neverUnlogged begins anew where rows may not be read, and leaves the table unlogged and changed.
func (c *copying) neverUnlogged() {
	c.t.Helper()
	c.close()
	c.pg.Exec("select pg_drop_replication_slot($1)", c.config.Slot.Name)
	c.config.SnapshotMode, c.start.Snapshot, c.start.Resume = SnapshotNever, nil, ""
	c.open()
	c.head()
	c.pg.Exec("alter table a set unlogged")
	c.pg.Exec(changed)
	if err := c.fails(); !errors.Is(err, change.ErrGap) {
		c.t.Fatalf("got %v", err)
	}
	c.close()
	c.config.SnapshotMode = SnapshotInitial
}

// fails reads until there is an error.
func (c *copying) fails() error {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	for {
		b, err := c.opened.Source.Read(ctx, 1<<20)
		if err != nil {
			return err
		}
		for i := range b.Changes {
			c.target.apply(&b.Changes[i])
		}
		c.start.Resume, c.start.Upto = b.Resume, b.Upto
		if b.Snapshot != nil {
			c.start.Snapshot = b.Snapshot
		}
	}
}

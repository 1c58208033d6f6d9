package postgres_test

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestShapeChanges(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, v text not null)")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, 'x')")
		one := r.all()
		pg.Exec("alter table a add column n int default 7; insert into a values (2, 'y')")
		two := r.all()
		want(t, two, `insert a + 2 "y" 7`)
		pg.Exec("alter table a drop column n; insert into a values (3, 'z')")
		three := r.all()
		want(t, three, `insert a + 3 "z"`)
		if one[0].Table == two[0].Table || one[0].Table != three[0].Table {
			t.Error("a version is one pointer, and another version another")
		}
		if len(r.shapes) != 3 {
			t.Errorf("%d shapes were announced, want 3", len(r.shapes))
		}
		if c := one[0].Table.Columns; c[0].Nullable || c[1].Nullable {
			t.Error("NOT NULL columns are nullable")
		}
	})
}

// TestShapeBehind reads rows whose table has been changed since, from their begin.
func TestShapeBehind(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, v text not null, w int); create table gone (id int primary key, v text not null)")
		c := config(t, pg)
		r := read(t, c, fresh)
		r.close()
		pg.Exec("insert into a values (1, 'x', 1); insert into gone values (1, 'x')")
		pg.Exec("alter table a rename column v to v2; insert into a values (2, 'x', 2)")
		pg.Exec("alter table a drop column w; alter table a add column z int; insert into a values (3, 'x', 3)")
		pg.Exec("drop table gone")
		again := read(t, c, r.start())
		got := again.all()
		want(t, got, `insert a + 1 "x" 1`, `insert gone + 1 "x"`, `insert a + 2 "x" 2`, `insert a + 3 "x" 3`)
		if names := fmt.Sprint(got[0].Table.Columns[1].Name, got[2].Table.Columns[1].Name, got[3].Table.Columns[2].Name); names != "vv2z" {
			t.Errorf("columns %s", names)
		}
		for i, key := range []string{"[0]", "[0]", "[0]", "[0]"} {
			if have := fmt.Sprint(got[i].Table.Key); have != key {
				t.Errorf("key of change %d is %s", i, have)
			}
		}
		if !got[1].Table.Columns[1].Nullable {
			t.Error("a dropped table's column is taken for NOT NULL")
		}
	})
}

func TestLabelAdded(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create type mood as enum ('x'); create table a (id int primary key, v mood)")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, 'x')")
		r.all()
		pg.Exec("alter type mood add value 'y'")
		pg.Exec("insert into a values (2, 'y')")
		got := r.all()
		want(t, got, `insert a + 2 "y"`)
		if enum := got[0].Table.Columns[1].Enum; fmt.Sprint(*enum) != "[x y]" {
			t.Errorf("labels %v", *enum)
		}
		if len(r.shapes) != 2 {
			t.Errorf("%d shapes", len(r.shapes))
		}
	})
}

// TestPublishedColumns reads a table of which the publication carries a part.
func TestPublishedColumns(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key, secret text, v text, g int generated always as (id) stored);
			create publication p for table a (id, v) with (publish_via_partition_root = true)`)
		c := config(t, pg)
		c.Publication.Name = "p"
		r := read(t, c, fresh)
		pg.Exec("insert into a (id, secret, v) values (1, 's', 'x')")
		want(t, r.all(), `insert a + 1 "x"`)
	})
}

func TestTableJoins(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create table a (id int primary key)")
	c := config(t, pg)
	r := read(t, c, fresh)
	pg.Exec("create table late (id int primary key)")
	testenv.Wait(t, "the new table in the publication", func() bool {
		return pg.Value("select count(*) from pg_publication_tables where tablename = 'late'") == "1"
	})
	pg.Exec("insert into late values (1)")
	want(t, r.all(), "insert late + 1")
	if key := r.shapes[0].Key; len(key) != 1 || r.shapes[0].Columns[0].Kind != change.KindInt {
		t.Errorf("key %v", key)
	}
}

// TestTableJoinsWithItsRows is a table made while the source runs: its rows so far come by a snapshot.
func TestTableJoinsWithItsRows(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key)")
		c := config(t, pg)
		c.SnapshotMode = postgres.SnapshotInitial
		r := read(t, c, fresh)
		r.all()
		pg.Exec("create table late (id int primary key); insert into late values (1), (2)")
		for len(r.got) < 2 {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
		}
		pg.Exec("insert into late values (3)")
		want(t, r.all(), "snapshot_row late + 1", "snapshot_row late + 2", "insert late + 3")
	})
}

// TestLabelAddedAfterARenamedOne: a row with a label that has been renamed since is no reason not to look for one that comes later.
func TestLabelAddedAfterARenamedOne(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create type mood as enum ('x'); create table a (id int primary key, v mood)")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, 'x')")
		pg.Exec("alter type mood rename value 'x' to 'y'")
		want(t, r.all(), `insert a + 1 "x"`)
		pg.Exec("alter type mood add value 'z'")
		pg.Exec("insert into a values (2, 'z')")
		got := r.all()
		want(t, got, `insert a + 2 "z"`)
		if enum := got[0].Table.Columns[1].Enum; fmt.Sprint(*enum) != "[y z]" {
			t.Errorf("labels %v", *enum)
		}
	})
}

// TestPartitionIdentityBehind: a row whose partition logged no more than its key is known by the row where the catalogue shows another identity since: what a
// statement left alone has a value, so an old row without it isn't whole.
func TestPartitionIdentityBehind(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key, v text, w text) partition by range (id); create table a1 partition of a for values from (0) to (100);
			alter table a replica identity full; alter table a1 alter v set storage external`)
		c := config(t, pg)
		r := read(t, c, fresh)
		pg.Exec("insert into a values (1, repeat('x', 5000), 'y')")
		r.all()
		r.close()
		pg.Exec("update a set id = 2 where id = 1")
		pg.Exec("alter table a1 replica identity full")
		again := read(t, c, r.start())
		var err error
		for err == nil && len(again.got) == 0 {
			err = again.next()
		}
		wantError(t, err, change.ErrHalt, "column v", "REPLICA IDENTITY FULL")
		want(t, again.got)
	})
}

package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRevisions: what each statement leaves of a table's rows, as the catalogue tells.
func TestRevisions(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create type pair as (a int, b int); create domain dpair as pair; create type nest as (p dpair[], z int); create type other as (a int);" +
			"create table t (id int primary key, c int, v varchar(10), n numeric(10,2), j int, p nest); insert into t values (1, 2, 'x', 3, 4)")
		conn, err := pgx.Connect(t.Context(), pg.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		oid, err := strconv.ParseUint(pg.Value("select 't'::regclass::oid"), 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		revision := func() string {
			all, err := readRevisions(t.Context(), conn, []uint32{uint32(oid)})
			if err != nil {
				t.Fatal(err)
			}
			return all[uint32(oid)]
		}
		for _, c := range []struct {
			on   int // first version that has it
			sql  string
			want snapshot.Kept
		}{
			{0, "vacuum full t", snapshot.KeptAll},
			{0, "cluster t using t_pkey", snapshot.KeptAll},
			{0, "analyze t", snapshot.KeptAll},
			{0, "alter table t drop j", snapshot.KeptAll},
			{0, "alter table t alter v type varchar(20)", snapshot.KeptAll},
			{0, "alter table t alter n type numeric(12,2)", snapshot.KeptAll},
			{0, "alter table t alter c set not null", snapshot.KeptAll},
			{0, "alter table t add k int default 5", snapshot.KeptAll},
			{0, "truncate t", snapshot.KeptAll},
			{0, "alter table t alter c type int using c * 2", snapshot.KeptKeys},
			{0, "alter table t alter c type bigint", snapshot.KeptKeys},
			{0, "alter table t alter v type varchar(30) using upper(v)", snapshot.KeptKeys},
			{0, "alter table t alter n type numeric(12,1)", snapshot.KeptKeys},
			{0, "alter table t add r float8 default random()", snapshot.KeptKeys},
			{0, "alter table t add s int generated always as identity", snapshot.KeptKeys},
			{18, "alter table t add g bigint generated always as (c + 1) stored", snapshot.KeptKeys},
			{18, "alter table t alter g set expression as (c + 2)", snapshot.KeptKeys},
			{0, "alter type pair add attribute c int cascade", snapshot.KeptKeys},
			{0, "alter type nest drop attribute z cascade", snapshot.KeptKeys},
			{0, "alter type pair rename attribute b to d cascade", snapshot.KeptAll},
			{0, "alter type other add attribute c int", snapshot.KeptAll},
			{0, "alter table t add o other", snapshot.KeptAll},
			{0, "alter table t drop o, add q pair", snapshot.KeptAll},
			{0, "update t set q = '(1,2,3)'; alter table t drop constraint t_pkey, add primary key (q)", snapshot.KeptAll},
			{0, "alter type pair add attribute e int cascade", snapshot.KeptNone},
			{0, "alter table t drop q, add primary key (id)", snapshot.KeptAll},
			{0, "alter table t alter id type int using id + 1", snapshot.KeptNone},
			{0, "begin; alter table t alter id type bigint; alter table t alter n type int; commit", snapshot.KeptNone},
		} {
			if c.on > pg.Major {
				continue
			}
			was := revision()
			pg.Exec(c.sql)
			if now := revision(); since(was, now) != c.want {
				t.Errorf("%s: kept %d, want %d (%s, then %s)", c.sql, since(was, now), c.want, was, now)
			}
		}
		if since("1", revision()) != snapshot.KeptNone {
			t.Error("what can't be read is taken for the same")
		}
	})
}

// TestColumnsOfRowsThatAreReadAgain: a column that came with a rewriting says so until those rows have been read, over a restart in between. One that
// did not, and one of a pipeline that may not read rows, doesn't.
func TestColumnsOfRowsThatAreReadAgain(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for mode, want := range map[SnapshotMode]string{SnapshotInitial: "a.n p.n ", SnapshotNever: ""} {
			t.Run(string(mode), func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, pg.Major)
				pg.Exec("create table a (id int primary key, v text); insert into a values (1, 'x'); " + parted)
				c := newCopying(t, pg, mode)
				if mode == SnapshotInitial {
					c.until("a", "1 x")
					c.until("p", "1 a, 11 b")
				}
				c.head()
				c.close()
				for _, name := range []string{"a", "p"} {
					pg.Exec("alter table " + name + " add n int not null default random() * 9")
				}
				c.open()
				c.readAgain(want)
				if mode == SnapshotNever {
					return
				}
				for !strings.Contains(string(c.start.Snapshot), `"before"`) {
					c.read()
				}
				c.close()
				c.open()
				c.readAgain(want)
				for !c.done("public.a") || !c.done("public.p") {
					c.read()
				}
				c.head()
				c.close()
				for _, name := range []string{"a", "p"} {
					pg.Exec("alter table " + name + " add e int")
				}
				c.open()
				c.readAgain("")
			})
		}
	})
}

// readAgain sees which columns say that they are of rows that are read again.
func (c *copying) readAgain(want string) {
	c.t.Helper()
	got := ""
	for _, name := range []string{"a", "p"} {
		table, _, err := c.opened.Source.(*Source).shapes.fromCatalog(c.t.Context(), "parts", "public", name)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, column := range table.Columns {
			if column.Reread {
				got += name + "." + column.Name + " "
			}
		}
	}
	if got != want {
		c.t.Errorf("columns %q of rows that are read again, want %q", got, want)
	}
}

// done says that a table's rows have been read.
func (c *copying) done(name string) bool {
	return slices.ContainsFunc(c.opened.Source.(*Source).Progress(), func(p connectors.Progress) bool { return p.Table == name && p.Done })
}

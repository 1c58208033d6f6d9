package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestKeyOfAFullIdentityBehind: under REPLICA IDENTITY FULL the log doesn't name the key, so rows of a table that is gone by now, or has another key, have
// the one that the table had when it was read.
func TestKeyOfAFullIdentityBehind(t *testing.T) {
	t.Parallel()
	behind := map[string][]string{
		"dropped":        {"drop table f"},
		"made again":     {"drop table f", "create table f (u uuid primary key, w int); alter table f replica identity full"},
		"key renamed":    {"alter table f rename id to k", "alter table f add w int"},
		"key of another": {"alter table f drop constraint f_pkey, drop id, add u uuid default gen_random_uuid() primary key"},
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for name, steps := range behind {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, pg.Major)
				pg.Exec("create table f (id int primary key, v text); alter table f replica identity full; insert into f values (1, 'a')")
				c := newCopying(t, pg, SnapshotInitial)
				c.until("f", "1 a")
				c.head()
				c.close()
				for _, sql := range append([]string{"update f set v = 'x'"}, steps...) {
					pg.Exec(sql)
				}
				c.open()
				if table := c.updated(); fmt.Sprint(table.Key) != "[0]" || table.Columns[0].Name != "id" {
					t.Errorf("the key of %s is %v", table, table.Key)
				}
			})
		}
	})
}

// updated reads up to an Update and returns its table.
func (c *copying) updated() *change.Table {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		b, err := c.opened.Source.Read(ctx, 1<<20)
		if err != nil {
			c.t.Fatal(err)
		}
		if i := slices.IndexFunc(b.Changes, func(c change.Change) bool { return c.Op == change.Update }); i >= 0 {
			return b.Changes[i].Table
		}
	}
}

// TestKeyNames: a column's name and its type may both have blanks.
func TestKeyNames(t *testing.T) {
	t.Parallel()
	shape := &pgoutput.Shape{Columns: []pgoutput.Column{{Name: "a"}, {Name: "a b"}, {Name: "c"}}}
	for entries, want := range map[string]string{"a integer": "[a] true", "a b integer": "[a b] true", "a double precision": "[a] true", "ab integer": "[] false"} {
		if names, ok := keyNames(shape, []string{entries}); fmt.Sprint(names, ok) != want {
			t.Errorf("%q names %v, %v", entries, names, ok)
		}
	}
	if names, ok := keyNames(shape, []string{"c text", "d text"}); ok {
		t.Errorf("a key of which a column is missing: %v", names)
	}
	if _, ok := keyNames(shape, nil); ok {
		t.Error("no key is one")
	}
}

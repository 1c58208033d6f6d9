package e2e

import (
	"strings"
	"testing"
)

// twoTables makes two tables with the same rows and copies both.
func (r *rig) twoTables() {
	r.t.Helper()
	for _, table := range []string{"one", "two"} {
		r.source.Exec("create table " + table + " (id bigint primary key, note text)")
	}
	r.config.tables = true
	r.config.include = []string{r.table("one"), r.table("two")}
	r.once()
	r.insert("one", 1, 10, "first")
	r.insert("two", 1, 10, "first")
	r.once()
	r.equal("one", "two")
}

// change does to a table what no later change shows.
func (r *rig) change(table string) {
	r.t.Helper()
	r.source.Exec("delete from " + table + " where id <= 3")
	r.source.Exec("update " + table + " set note = 'changed' where id = 5")
	r.insert(table, 11, 11, "new")
}

// TestTableLeftOutForAWhile: a table is taken out of include, is changed, and comes back.
func TestTableLeftOutForAWhile(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.twoTables()
		both := r.config.include
		r.config.include = both[:1]
		r.once()
		r.change("two")
		r.once()
		r.config.include = both
		r.once()
		r.equal("one", "two")
	})
}

// TestTableLeftOutWithoutSnapshot: where rows may not be read, nothing brings the changes of that time, and it halts until somebody decides.
func TestTableLeftOutWithoutSnapshot(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.config.inSource = "      snapshot: { mode: never }"
		r.twoTables()
		both := r.config.include
		r.config.include = both[:1]
		r.once()
		r.change("two")
		r.change("one")
		r.once()
		r.config.include = both
		for range 2 { // a second start is no way out
			r.unchanged(func() {
				r.start("run", "--once").refuses(5, "table "+r.table("two"), "left out", "snapshot mode is never", "set snapshot mode initial")
			})
		}
		r.config.include = both[:1]
		r.once()
		r.equal("one")
		r.config.include, r.config.inSource = both, ""
		r.once()
		r.equal("one", "two")
		r.config.inSource = "      snapshot: { mode: never }"
		r.insert("two", 20, 30, "never again")
		r.once()
		r.equal("one", "two")
	})
}

// TestPublicationWithoutATable: a table is taken out of the publication, is changed, and joined again, by a start or by hand.
func TestPublicationWithoutATable(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		for _, back := range []string{"", "alter publication %s add table two"} {
			r := newRig(t, stream)
			r.twoTables()
			r.source.Exec("alter publication " + r.name + " drop table two")
			r.change("two")
			if back != "" {
				r.source.Exec(strings.ReplaceAll(back, "%s", r.name))
			}
			r.once()
			r.equal("one", "two")
		}
	})
}

// TestPublicationWithoutATableWhileRunning is that under a running process.
func TestPublicationWithoutATableWhileRunning(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.twoTables()
		p := r.start("run")
		r.insert("two", 20, 20, "before")
		r.arrives(p, "select count(*) from two where id = 20", "1")
		r.source.Exec("alter publication " + r.name + " drop table two")
		r.change("two")
		r.source.Exec("alter publication " + r.name + " add table two")
		r.arrives(p, "select count(*) from two where id = 11", "1") // the catalogue is looked at every 10 s
		r.equal("one", "two")
	})
}

// TestPublicationWithoutATableWithoutSnapshot: where rows may not be read it halts, running or not.
func TestPublicationWithoutATableWithoutSnapshot(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.config.inSource = "      snapshot: { mode: never }"
		r.twoTables()
		p := r.start("run")
		r.insert("two", 20, 20, "before")
		r.arrives(p, "select count(*) from two where id = 20", "1")
		r.source.Exec("alter publication " + r.name + " drop table two")
		r.change("two")
		r.source.Exec("alter publication " + r.name + " add table two")
		p.refuses(5, "table public.two", "left out", "snapshot mode is never")
		r.start("run", "--once").refuses(5, "table public.two", "left out", "snapshot mode is never")
		r.config.inSource = ""
		r.once()
		r.equal("one", "two")
	})
}

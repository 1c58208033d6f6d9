package e2e

import (
	"testing"
)

// dump keeps the target as it is now, tailwater's own tables too; restore puts it back.
func (r *rig) dump() (restore func()) {
	r.t.Helper()
	var back []string
	r.target.Exec("create schema dump")
	for _, row := range r.target.Query("select tablename from pg_tables where schemaname = 'public'") {
		r.target.Exec("create table dump." + row[0] + " as table public." + row[0])
		back = append(back, row[0])
	}
	return func() {
		r.t.Helper()
		for _, name := range back {
			r.target.Exec("truncate public." + name)
			r.target.Exec("insert into public." + name + " overriding system value table dump." + name)
		}
	}
}

// TestTargetRestored: a target that was put back to an earlier dump gets what came since from the topic; where there is none, what the
// source may have forgotten is missing.
func TestTargetRestored(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		r.once()
		restore := r.dump()
		r.goOn()
		r.once()
		restore()
		if stream == "kafka" {
			r.once()
			r.equal("orders")
			return
		}
		r.unchanged(func() {
			r.start("run").refuses(5, "sink copy stands at", "forget everything up to", "was the target restored", "drop the pipeline", "start it anew")
		})
		r.newLife()
	})
}

// TestTargetEmptied: a target that lost everything, its marks too, gets everything again or nothing.
func TestTargetEmptied(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		r.once()
		r.goOn()
		r.once()
		r.target.Exec("drop schema public cascade")
		r.target.Exec("create schema public")
		if stream == "kafka" {
			r.once()
			r.equal("orders")
			return
		}
		r.unchanged(func() { r.start("run").refuses(5, "sink copy has no marks", "new-epoch") })
		r.forget()
		r.once("--new-epoch")
		r.equal("orders")
	})
}

// TestTopicDeleted: a topic that is gone is not taken for an empty one.
func TestTopicDeleted(t *testing.T) {
	t.Parallel()
	for name, doomed := range map[string][]string{"the table's": {".public.orders"}, "all": {".public.orders", ".schemas"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "kafka")
			r.seed(100)
			r.once()
			for i := range doomed {
				doomed[i] = r.name + doomed[i]
			}
			r.deleteTopics(doomed...)
			r.goOn()
			for range 2 {
				r.unchanged(func() { r.start("run").refuses(5, "topic "+r.name+".public.orders") })
			}
			r.newLife()
		})
	}
}

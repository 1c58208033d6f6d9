package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// dump keeps the target as it is now, tailwater's own tables too; restore puts it back.
func (r *rig) dump() (restore func()) {
	r.t.Helper()
	kept := r.target.tables()
	for _, name := range kept {
		r.target.Exec("create table kept" + name + " as select * from " + name)
	}
	return func() {
		r.t.Helper()
		for _, name := range kept {
			r.target.Exec("delete from " + name)
			r.target.Exec(r.target.insertAll(name, "select * from kept"+name))
		}
	}
}

// TestTargetRestored: a target that was put back to an earlier dump gets what came since from the topic; where there is none, what the
// source may have forgotten is missing.
func TestTargetRestored(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(100)
		r.once()
		restore := r.dump()
		r.goOn()
		r.once()
		restore()
		if r.stream == "kafka" {
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
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(100)
		r.once()
		r.goOn()
		r.once()
		r.target.empty()
		if r.stream == "kafka" {
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
	for _, source := range []string{"pg15", "mysql97"} {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/all %t", source, all), func(t *testing.T) {
				t.Parallel()
				r := rigOf(t, "kafka", newEngine(t, source))
				r.seed(100)
				r.once()
				doomed := []string{r.topic("orders")}
				if all {
					doomed = append(doomed, r.name+".schemas")
				}
				r.deleteTopics(doomed...)
				r.goOn()
				for range 2 {
					r.unchanged(func() {
						if said := r.start("run").ends(5); !strings.Contains(said, "topic "+r.topic("orders")) { // the publisher, the subscriber or both
							t.Errorf("nothing is said of the topic:\n%s", said)
						}
					})
				}
				r.newLife()
			})
		}
	}
}

package e2e

import (
	"strings"
	"testing"
)

// TestChain: a target is the source of another pipeline. What the first one keeps there (its marks, shapes and parked rows) goes no further, and naming it
// is refused.
func TestChain(t *testing.T) {
	t.Parallel()
	for _, ends := range [][3]string{{"pg15", "pg18", "pg15"}, {"mysql97", "mariadb118", "pg18"}} {
		t.Run(strings.Join(ends[:], "/"), func(t *testing.T) {
			t.Parallel()
			on := func(name string) engine { e, _ := engineOn(t, name); return e }
			first := rigBetween(t, "direct", on(ends[0]), on(ends[1]))
			second := rigBetween(t, "direct", first.target, on(ends[2]))
			first.seed(3)
			first.once()
			second.once()
			p, q := first.start("run"), second.start("run")
			first.source.Exec("update orders set note = 'changed' where id = 2")
			first.source.Exec("delete from orders where id = 3")
			first.insert("orders", 4, 5, "later")
			first.source.Exec("create table made (id int primary key)")
			first.source.Exec("insert into made values (7)")
			second.arrives(q, "select count(*) from orders where note <> 'first'", "3")
			second.arrives(q, "select count(*) from made where id = 7", "1")
			p.stop()
			q.stop()
			second.equal("orders", "made")
			for _, own := range []string{"_tailwater_marks", "_tailwater_shapes"} {
				if !first.target.has(own) {
					t.Errorf("the first target lacks %s", own)
				}
			}
			second.config.include = append(second.config.include, second.table("_tailwater_marks"))
			second.start("run").refuses(4, second.table("_tailwater_marks"), "tailwater's own")
		})
	}
}

package e2e

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestColumnsByPosition: servers as they come, whose log doesn't name columns, with a table that changes while the pipeline runs and while it doesn't.
func TestColumnsByPosition(t *testing.T) {
	t.Parallel()
	for name, metadata := range map[string]string{"mysql97": "MINIMAL", "mariadb10": "NO_LOG", "mariadb118": "NO_LOG"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"binlog-row-metadata=" + metadata}})
			r := rigOf(t, "direct", &mysql{My: server.My})
			r.seed(5)
			r.once()
			r.insert("orders", 6, 9, "before")
			server.Exec("alter table orders add column n int unsigned; insert into orders values (10, 'ten', 4294967295)")
			server.Exec("alter table orders add column m bigint unsigned; insert into orders values (11, 'eleven', 1, 18446744073709551615)")
			r.once()
			r.equal("orders")
			p := r.start("run")
			for id := 12; id < 20; id++ {
				server.Exec(fmt.Sprintf("alter table orders add column c%d int; insert into orders (id, n, c%d) values (%d, 4294967295, -1)", id, id, id))
			}
			r.arrives(p, "select count(*) from orders", "19")
			p.stop()
			r.equal("orders")
		})
	}
}

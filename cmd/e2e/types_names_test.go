package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// anyNames are tables and, of each, a column, whose names somebody has to quote, to fold or to count.
var anyNames = [][2]string{{"plain", "v"}, {"Plain", "V"}, {"a.b", "c.d"}, {"sel ect", "from"}, {"quo'te", "'"}, {`dou"ble`, `"`}, {"back`tick", "`"}, {`back\slash`, `\`}, {"日本é", "ü"}, {"%s", "%d"},
	{strings.Repeat("n", 60), strings.Repeat("c", 60)}}

// TestNamesArrive carries tables of any names through Kafka into each sink, from a snapshot and from the stream.
func TestNamesArrive(t *testing.T) {
	t.Parallel()
	for server, targets := range map[string][]string{"pg15": {"pg18", "mysql97"}, "mysql97": {"mariadb118", "pg15"}, "mariadb118": {"mysql97", "pg15"}} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			r := &typesRig{server: server}
			var source engine
			source, r.kind = engineOn(t, server)
			for _, name := range targets {
				e := end{name: name}
				e.db, e.engine = engineOn(t, name)
				r.ends = append(r.ends, e)
			}
			r.rig = rigBetween(t, "kafka", source, r.ends[0].db)
			r.config.include = []string{source.schema() + ".*"}
			for i, n := range anyNames {
				source.Exec(fmt.Sprintf("create table %s (%s integer primary key, %s varchar(20))", quoted(r.kind, n[0]), quoted(r.kind, "id "+n[1]), quoted(r.kind, n[1])))
				source.Exec(fmt.Sprintf("insert into %s values (%d, 'snapshot')", quoted(r.kind, n[0]), i))
			}
			r.configure(func(s string) string { return s })
			begin(t, r.dir, "run", "--once").ends(0)
			for i, n := range anyNames {
				table, key, v := quoted(r.kind, n[0]), quoted(r.kind, "id "+n[1]), quoted(r.kind, n[1])
				source.Exec(fmt.Sprintf("insert into %s values (%d, 'stream'), (-1, 'gone')", table, i+100))
				source.Exec(fmt.Sprintf("update %s set %s = 'changed' where %s = %d", table, v, key, i))
				source.Exec(fmt.Sprintf("delete from %s where %s = -1", table, key))
			}
			begin(t, r.dir, "run", "--once").ends(0)
			for _, n := range anyNames {
				for _, e := range r.ends {
					testenv.Compare(t, source.Of("select * from "+quoted(r.kind, n[0])), e.db.Of("select * from "+quoted(e.engine, n[0])))
				}
			}
		})
	}
}

func quoted(engine, name string) string {
	if engine == typetable.Postgres {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

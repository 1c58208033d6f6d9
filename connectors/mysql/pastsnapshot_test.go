package mysql

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSnapshotByPosition: where the log has no names, rows of the snapshot and of the log have one shape, beside statements and kills.
func TestSnapshotByPosition(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value := "MINIMAL"
			if strings.HasPrefix(name, "mariadb") {
				value = "NO_LOG"
			}
			my := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"binlog-row-metadata=" + value}}).My
			my.Exec(`create table a (id int unsigned primary key, e enum('x','y'), g bigint generated always as (n + 1) stored, n int, v varchar(500) character set latin1 default (repeat('v', 400)));
				create table one (i int primary key); insert into one values (1), (2), (3), (4), (5), (6), (7)`)
			my.Exec("insert into a (id, e, n) select 4294967295 - x.i * 100 - y.i * 10 - z.i, 'y', x.i from one x, one y, one z")
			p := newPipe(t, my, "a", "one")
			shapes := 0
			statements := []string{"update a set n = 9 where id % 3 = 0", "alter table a modify e enum('w','x','y')", "insert into a (id, e) values (7, 'w')", "alter table a modify n bigint",
				"update a set n = 4000000001 where id % 5 = 0", "alter table a change e f enum('w','x','y')", "delete from a where id % 7 = 0"}
			for n := 0; !p.done() || n < 4*len(statements); n++ {
				my.Exec("update one set i = -i") // something to read each time
				b := p.read()
				for i := range b.Changes {
					if b.Changes[i].Op == change.NewShape && b.Changes[i].Table.Name == "one" {
						shapes++
					}
				}
				switch {
				case n%4 == 0 && n/4 < len(statements):
					my.Exec(statements[n/4])
				case n%10 == 7 && n < 30:
					p.close()
					p.open()
				}
			}
			p.finish()
			p.compare()
			if shapes == 0 {
				t.Error("no shape of table one")
			}
		})
	}
}

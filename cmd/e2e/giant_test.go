package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// giantRows is how many rows the giant transactions have: TAILWATER_GIANT_ROWS, or fewer, whose group is still spooled.
const giantRows = 150_000

// giantWait is for what takes minutes where there are millions of rows.
const giantWait = 20 * time.Minute

// TestGiantTransaction: a group of the binary log that is larger than memory comes whole though the process is killed while it hands it over,
// and one that is rolled back at its end, after all its rows stand in the log, doesn't come at all.
func TestGiantTransaction(t *testing.T) {
	path := lean(t)
	for _, c := range []struct{ source, stream string }{{"mysql97", "kafka"}, {"mariadb118", "direct"}} {
		t.Run(c.source+"/"+c.stream, func(t *testing.T) { // one after the other: each for itself is what is measured
			server := testenv.StartMySQL(t, c.source, testenv.Options{})
			g := &giant{rig: rigOf(t, c.stream, &mysql{My: server.My}), rows: giantRows, path: path}
			if text := os.Getenv("TAILWATER_GIANT_ROWS"); text != "" {
				rows, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				g.rows = rows
			}
			g.write()
			g.serve("memory_limit: 128MiB")
			g.run(server)
		})
	}
}

// giant is a pipeline that gets giant transactions.
type giant struct {
	*rig
	rows int
	path string // of the program
	most int    // the most memory that a process has had resident
}

func (g *giant) run(server *testenv.MyServer) {
	g.t.Helper()
	g.source.Exec("create table big (id int primary key, note varchar(40))")
	p := beginAs(g.t, g.path, g.dir, "run")
	g.source.Exec("insert into big values (-1, 'first')")
	g.arrives(p, "select count(*) from big", "1") // what comes now comes by the log
	before := g.handed()
	begun := time.Now()
	g.source.Exec(g.insertion(0, "left(sha2(n, 256), 32)"))
	g.t.Logf("%d rows written in %s", g.rows, time.Since(begun).Round(time.Second))
	begun = time.Now()
	testenv.WaitFor(g.t, giantWait, "some of the transaction is handed over", func() bool { p.alive(); return g.handed() > before+g.rows/10 })
	g.measure(p)
	if err := p.cmd.Process.Kill(); err != nil {
		g.t.Fatal(err)
	}
	<-p.done
	if n := g.handed(); n >= g.rows {
		g.t.Fatalf("all %d rows were handed over before the kill", n)
	} else {
		g.t.Logf("killed when %d of %d rows were handed over", n, g.rows)
	}
	g.rollBack(server)
	g.source.Exec("insert into big values (0, 'last')")
	p = beginAs(g.t, g.path, g.dir, "run")
	testenv.WaitFor(g.t, giantWait, "what comes last", func() bool {
		p.alive()
		return g.target.Value("select count(*) from big where id = 0") == "1"
	})
	testenv.WaitFor(g.t, giantWait, "all rows", func() bool {
		p.alive()
		return g.target.Value("select count(*) from big") >= strconv.Itoa(g.rows+2) // both lanes
	})
	g.t.Logf("at the target after %s", time.Since(begun).Round(time.Second))
	g.measure(p)
	p.stop()
	if have, want := g.target.Value(g.target.digest("big")), g.source.Value(g.source.digest("big")); have != want || !strings.HasPrefix(want, fmt.Sprint(g.rows+2, " ")) {
		g.t.Errorf("the target has %s, the source %s", have, want)
	}
	if g.stream == "kafka" {
		g.noPhantom()
	}
	if g.most > mostMemory {
		g.t.Errorf("a process had %d MiB resident, want at most %d", g.most>>20, mostMemory>>20)
	}
	g.t.Logf("%d MiB resident at most", g.most>>20)
}

// insertion is the statement of a giant transaction, of rows above an id.
func (g *giant) insertion(above int, note string) string {
	variable := "cte_max_recursion_depth"
	if g.source.(*mysql).MariaDB {
		variable = "max_recursive_iterations"
	}
	return fmt.Sprintf("set session %s = %d; insert into big with recursive s (n) as (select 1 union all select n + 1 from s where n < %d) select %d + n, %s from s",
		variable, g.rows+1, g.rows, above, note)
}

// rollBack writes a giant transaction and rolls it back. A temporary table that was made in it keeps it in MariaDB's log, as a group that
// ends in ROLLBACK; MySQL's log shows nothing of it, with GTIDs or without.
func (g *giant) rollBack(server *testenv.MyServer) {
	g.t.Helper()
	before := server.Binlog()
	g.source.Exec("begin; " + g.insertion(2*g.rows, "left(concat('phantom ', sha2(n, 256)), 40)") + "; create temporary table made (id int); rollback; drop temporary table made")
	after := server.Binlog()
	size := after.Offset - before.Offset
	if after.File != before.File {
		size = after.Offset
	}
	g.t.Logf("the transaction that was rolled back takes %d bytes of log", size)
	if server.MariaDB && size < int64(g.rows) {
		g.t.Errorf("the rows that were rolled back don't stand in the log")
	}
}

// handed is how many rows are behind the capture loop: in the topic, or in the target.
func (g *giant) handed() int {
	g.t.Helper()
	if g.stream == "kafka" {
		n := int64(0)
		for partition := range twoParts {
			n += g.end("big", partition)
		}
		return int(n)
	}
	n, err := strconv.Atoi(g.target.Value("select count(*) from big"))
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

func (g *giant) measure(p *process) {
	g.t.Helper()
	g.most = max(g.most, peak(g.t, p))
}

// noPhantom looks through the topic for rows that were rolled back.
func (g *giant) noPhantom() {
	g.t.Helper()
	n := 0
	g.eachRecord("big", func(rec record) {
		n++
		if strings.Contains(rec.value, "phantom") {
			g.t.Errorf("%s: %s", rec.position, rec.value)
		}
	})
	if n < g.rows {
		g.t.Errorf("the topic has %d records", n)
	}
	g.t.Logf("%d records in the topic", n)
}

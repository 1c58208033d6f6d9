package e2e

import (
	"strings"
	"syscall"
	"testing"
)

// TestAStopWithinAHugeTransaction: a stop falls between two transactions, so within a huge one it reads on. Where drain_timeout ends that,
// the process says so and ends with 1; the next one goes on, and nothing is lost or there twice.
func TestAStopWithinAHugeTransaction(t *testing.T) {
	t.Parallel()
	path := lean(t)
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.source.Exec("create table big (id bigint primary key, note text)")
		r.source.Exec("create table twins (note text)") // without a key: a row that came twice would stand there twice
		r.source.Exec("alter table twins replica identity full")
		r.write()
		r.serve("memory_limit: 64MiB, drain_timeout: 1s")
		p := beginAs(t, path, r.dir, "run")
		r.source.Exec("insert into big values (-1, 'first')")
		r.arrives(p, "select count(*) from big", "1")
		r.source.Exec("insert into big select g, repeat(md5(g::text), 6) from generate_series(1, 400000) g; insert into twins select 'twin' from generate_series(1, 20000)")
		r.arrives(p, "select count(*) > 1 from big", "t")
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		said := p.ends(1)
		if !strings.Contains(said, "drain_timeout") {
			t.Errorf("the end says nothing of drain_timeout:\n%s", p.tail())
		}
		if r.target.Value("select count(*) from big") == "400001" {
			t.Error("the transaction was over before the process")
		}
		beginAs(t, path, r.dir, "run", "--once").ends(0)
		r.equal("twins")
		query := "select count(*) || ' ' || sum(hashtextextended(t::text, 0)) from big t"
		if got, want := r.target.Value(query), r.source.Value(query); got != want {
			t.Errorf("the target's rows are %s, the source's %s", got, want)
		}
	})
}

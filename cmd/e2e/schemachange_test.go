package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// load writes to orders without a pause until it is stopped: rows that come, change and go.
type load struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
	err  error // once stopped
	n    atomic.Int64
}

func (r *rig) load() *load {
	ctx, cancel := context.WithCancel(r.t.Context())
	l := &load{stop: cancel}
	l.wg.Go(func() {
		for i := 1000; ctx.Err() == nil; i++ {
			for _, sql := range []string{
				fmt.Sprintf("insert into orders (id, n, word) values (%d, %d, 'w%d')", i, i%100, i),
				fmt.Sprintf("update orders set n = n + 1, word = 'changed' where id = %d", i-i%7),
				fmt.Sprintf("delete from orders where id = %d", i-13),
			} {
				if err := r.source.Do(context.WithoutCancel(ctx), sql); err != nil {
					l.err = fmt.Errorf("%s: %w", sql, err)
					return
				}
			}
			l.n.Add(1)
		}
	})
	r.t.Cleanup(func() {
		cancel()
		l.wg.Wait()
	})
	return l
}

// more waits until the load has written so many more rows.
func (l *load) more(t *testing.T, rows int64) {
	t.Helper()
	from := l.n.Load()
	testenv.Wait(t, "the load goes on", func() bool { return l.n.Load() >= from+rows })
}

func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.wg.Wait()
	if l.err != nil {
		t.Fatal(l.err)
	}
}

// alters are one engine's statements for the changes of the test.
type alters struct{ add, widen, relax, rename, drop string }

func altersOf(e engine) alters {
	a := alters{add: "alter table orders add column extra varchar(20)", drop: "alter table orders drop column gone", rename: "alter table orders rename column note to remark"}
	if _, ok := e.(*postgres); ok {
		a.widen, a.relax = "alter table orders alter column n type bigint", "alter table orders alter column word drop not null"
		return a
	}
	a.widen, a.relax = "alter table orders modify n bigint", "alter table orders modify word varchar(20) null"
	return a
}

// reach waits until a row with that id is in the target.
func (r *rig) reach(p *process, id int) {
	r.t.Helper()
	r.arrives(p, fmt.Sprintf("select count(*) from orders where id = %d", id), "1")
}

// has says that the target's table has a column.
func (r *rig) targetHas(column string) bool {
	return slices.Contains(strings.Split(strings.NewReplacer("`", "", `"`, "").Replace(r.target.columns("orders")), ", "), column)
}

// everyPair runs a test for pairs of engines, those of two families too, by way of Kafka and directly.
func everyPair(t *testing.T, f func(t *testing.T, r *rig)) {
	for _, ends := range [][2]string{{"pg15", "pg15"}, {"pg15", "mysql97"}, {"mysql97", "pg15"}, {"mysql97", "mariadb118"}, {"mariadb118", "mysql97"}} {
		t.Run(ends[0]+" to "+ends[1], func(t *testing.T) {
			bothStreams(t, func(t *testing.T, stream string) {
				f(t, rigBetween(t, stream, newEngine(t, ends[0]), newEngine(t, ends[1])))
			})
		})
	}
}

// TestSchemaChangesUnderLoad: tables change while rows are written, while the program runs, stands still or is killed, and both ends are equal after
// it all; where there is a topic, a target that begins anew goes through all shapes again and ends equal too.
func TestSchemaChangesUnderLoad(t *testing.T) {
	t.Parallel()
	everyPair(t, func(t *testing.T, r *rig) {
		r.config.inSink = ", on_schema_change: { drop: apply }"
		a := altersOf(r.source)
		r.source.Exec("create table orders (id bigint primary key, note varchar(20), gone varchar(20), n int, word varchar(20) not null)")
		r.source.Exec("insert into orders values (1, 'one', 'g', 1, 'w'), (2, null, null, null, 'w')")
		p := r.start("run")
		r.reach(p, 2)
		l := r.load()
		l.more(t, 20)

		r.source.Exec(a.add)
		r.source.Exec("insert into orders (id, n, word, extra) values (10, 1, 'w', 'new')")
		r.reach(p, 10)
		l.more(t, 20)
		if _, tells := r.source.(*postgres); tells { // what rows from before have in it
			r.source.Exec("alter table orders add column score int not null default 7")
			r.source.Exec("insert into orders (id, n, word, score) values (15, 1, 'w', 8)")
			r.reach(p, 15)
		}
		p.stop()

		l.more(t, 20)
		r.source.Exec(a.widen) // while nothing runs, with rows of both shapes ahead
		r.source.Exec("insert into orders (id, n, word) values (11, 1099511627776, 'w')")
		l.more(t, 20)
		p = r.start("run")
		r.reach(p, 11)

		r.source.Exec(a.relax)
		r.source.Exec("insert into orders (id, n) values (12, 1)")
		if err := p.cmd.Process.Kill(); err != nil { // with whatever of it is under way
			t.Fatal(err)
		}
		<-p.done
		l.more(t, 20)
		p = r.start("run")
		r.reach(p, 12)

		r.source.Exec(a.rename)
		r.source.Exec("insert into orders (id, n, word, remark) values (13, 1, 'w', 'renamed')")
		r.reach(p, 13)
		l.more(t, 20)

		r.source.Exec(a.drop)
		r.source.Exec("insert into orders (id, n, word, remark) values (14, 1, 'w', 'x')")
		r.reach(p, 14)
		testenv.Wait(t, "the column goes at the target", func() bool { return !r.targetHas("gone") })
		l.more(t, 20)
		l.end(t)
		p.stop()
		r.once()
		r.equal("orders")
		if r.stream == "kafka" {
			r.again()
		}
	})
}

// again empties the target and has it follow the topic from its first record, through every shape.
func (r *rig) again() {
	r.t.Helper()
	r.target.empty()
	p := r.start("run")
	r.reach(p, 14)
	p.stop()
	r.once()
	r.equal("orders")
}

// TestSchemaChangesThatWait: what a setting stops halts with the statement; when that was run, the rows go on and none is missing.
func TestSchemaChangesThatWait(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, setting string
		alter         func(a alters) string
		words         []string
		approve       func(a alters) string
	}{
		{"halt", "halt", func(a alters) string { return a.add }, []string{"on_schema_change.add is halt", "ADD COLUMN"}, func(a alters) string { return a.add }},
		{"narrow", "apply", func(alters) string { return "" }, []string{"on_schema_change.narrow is halt", "smallint"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"pg15", "mysql97"} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					r := rigBetween(t, "direct", newEngine(t, name), newEngine(t, name))
					r.config.inSink = ", on_schema_change: " + c.setting
					a := altersOf(r.source)
					r.source.Exec("create table orders (id bigint primary key, n int, word varchar(20))")
					r.source.Exec("insert into orders values (1, 1, 'w')")
					r.once()
					alter, approve := c.alter(a), ""
					if alter == "" {
						alter = strings.Replace(a.widen, "bigint", "smallint", 1)
						approve = alter
					} else {
						approve = c.approve(a)
					}
					r.source.Exec(alter)
					r.source.Exec("insert into orders (id, n, word) values (2, 2, 'w')")
					rows := r.target.Query(r.target.texts("orders"))
					r.start("run").refuses(1, c.words...) // what stands in front of the halt may be noted as read
					if now := r.target.Query(r.target.texts("orders")); fmt.Sprint(now) != fmt.Sprint(rows) {
						t.Errorf("the target has %v, want %v", now, rows)
					}
					r.unchanged(func() { r.start("run").refuses(1, c.words...) })
					r.target.Exec(approve)
					r.once()
					r.equal("orders")
				})
			}
		})
	}
}

// TestIgnoredSchemaChangesAreSaidOnce: the target stays as it is, the log says so once, and the counter counts it.
func TestIgnoredSchemaChangesAreSaidOnce(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.config.inSink = ", on_schema_change: ignore"
		r.source.Exec("create table orders (id bigint primary key, word varchar(20))")
		r.source.Exec("insert into orders values (1, 'w')")
		r.once()
		p := r.start("run")
		r.source.Exec("alter table orders add column extra text")
		r.source.Exec("insert into orders values (2, 'w', 'lost')")
		r.source.Exec("insert into orders values (3, 'w', 'lost')")
		r.reach(p, 3)
		if r.targetHas("extra") {
			t.Error("the target has the column")
		}
		said := p.out.String() + p.err.String()
		if n := strings.Count(said, "the target stays as it is"); n != 1 {
			t.Errorf("said %d times:\n%s", n, said)
		}
		want := fmt.Sprintf(`tailwater_schema_changes_total{action="ignore",kind="add",pipeline="%s",sink="copy",table="public.orders"} 1`, r.name)
		if metrics, err := r.metrics(); err != nil || !strings.Contains(metrics, want) {
			t.Errorf("%v: no %s in\n%s", err, want, metrics)
		}
		p.stop()
		p = r.start("run")
		r.source.Exec("insert into orders values (4, 'w', 'lost')")
		r.reach(p, 4)
		if said := p.out.String() + p.err.String(); strings.Contains(said, "the target stays as it is") {
			t.Errorf("said again:\n%s", said)
		}
		p.stop()
	})
}

// metrics are what the running program counts.
func (r *rig) metrics() (string, error) {
	token, err := os.ReadFile(filepath.Join(r.dir, "state", "token"))
	if err != nil {
		return "", err
	}
	address, err := os.ReadFile(filepath.Join(r.dir, "state", "address"))
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+strings.TrimSpace(string(address))+"/metrics", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(res.Body)
	return string(b), errors.Join(err, res.Body.Close())
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestAGracefulStopRepeatsNothing stops the program under load three times: no change stands in the topic twice, none is missing.
func TestAGracefulStopRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"pg15", "mysql97", "mariadb118"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			stopThrice(t, rigOf(t, "kafka", newEngine(t, source)))
		})
	}
}

func stopThrice(t *testing.T, r *rig) {
	t.Helper()
	r.seed(50)
	r.once()
	var wg sync.WaitGroup
	written := 0
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := r.source.Do(t.Context(), fmt.Sprintf("update orders set note = 'load %d' where id = %d", written, written%50+1)); err != nil {
				t.Error(err)
				return
			}
			written++
		}
	})
	for range 3 {
		p := r.start("run")
		before := r.target.Value("select max(note) from orders")
		testenv.Wait(t, "it runs under load", func() bool { p.alive(); return r.target.Value("select max(note) from orders") != before })
		p.stop()
	}
	close(stop)
	wg.Wait()
	r.once()
	r.equal("orders")
	at := map[string]bool{}
	changes := 0
	for _, rec := range r.records("orders") {
		if rec.txn == "" || rec.none {
			continue
		}
		changes++
		if at[rec.position] {
			t.Errorf("position %s stands in the topic twice", rec.position)
		}
		at[rec.position] = true
	}
	if changes != written {
		t.Errorf("%d changes in the topic, %d were made", changes, written)
	}
}

// TestOnceWithParkedRows: what the target refuses is parked, keys behind it wait, others flow; the list names exactly those; exit code 1.
func TestOnceWithParkedRows(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(20)
		r.once()
		r.target.Exec("alter table orders add constraint short check (length(note) < 10)")
		r.source.Exec("insert into orders values (31, 'good'), (32, 'much too long'), (33, 'good')")
		r.source.Exec("update orders set note = 'much too long' where id = 7")
		r.start("run", "--once").refuses(1, "2 changes are parked", "parked list")
		r.source.Exec("update orders set note = 'behind it' where id = 7")
		r.source.Exec("update orders set note = 'flows' where id = 8")
		r.start("run", "--once").refuses(1, "3 changes are parked", "parked list")
		if have := fmt.Sprint(r.target.Query("select id, note from orders where id in (7, 8, 31, 32, 33) order by id")); have != "[[7 first] [8 flows] [31 good] [33 good]]" {
			t.Errorf("the target has %s", have)
		}
		p := r.start("parked", "list", "--json")
		p.ends(0)
		var list struct {
			Result []struct{ Table, Op, Code, Cause string }
		}
		if err := json.Unmarshal([]byte(p.out.String()), &list); err != nil {
			t.Fatal(err)
		}
		have := make([]string, 0, len(list.Result))
		for _, row := range list.Result {
			have = append(have, strings.TrimPrefix(row.Table, r.source.schema()+".")+" "+row.Op+" "+row.Code)
		}
		slices.Sort(have)
		code := r.target.refused()
		if want := []string{"orders insert " + code, "orders update ", "orders update " + code}; !slices.Equal(have, want) {
			t.Errorf("parked: %q, want %q", have, want)
		}
		if strings.Contains(p.out.String(), "much too long") {
			t.Error("the list shows values")
		}
	})
}

// TestATableMadeLater arrives with the rows that it had before the program saw it.
func TestATableMadeLater(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(10)
		p := r.start("run")
		r.arrives(p, "select count(*) from orders", "10")
		r.source.Exec("create table later (id int primary key, note text)")
		r.insert("later", 1, 500, "before")
		r.arrives(p, "select count(*) from later", "500")
		r.source.Exec("update later set note = 'after' where id % 2 = 0")
		r.source.Exec("delete from later where id % 5 = 0")
		r.arrives(p, "select count(*) from later where note = 'after'", "200")
		p.stop()
		r.once()
		r.equal("orders", "later")
	})
}

// TestASnapshotHealsATarget: asked for beside the stream, while it goes on.
func TestASnapshotHealsATarget(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(1000)
		p := r.start("run")
		r.arrives(p, "select count(*) from orders", "1000")
		r.target.Exec("delete from orders where id % 3 = 0")
		r.target.Exec("update orders set note = 'wrong' where id % 3 = 1")
		r.start("snapshot", "start", "--table", r.table("orders")).ends(0)
		r.goOn()
		r.source.Exec("insert into orders values (10000, 'the last')")
		r.arrives(p, "select count(*) from orders where id = 10000", "1")
		want := r.source.Value("select count(*) from orders")
		r.arrives(p, "select count(*) from orders", want)
		r.arrives(p, "select count(*) from orders where note = 'wrong'", "0")
		p.stop()
		r.once()
		r.equal("orders")
	})
}

// TestShapesThatChange: a new column that may be NULL arrives; any other change halts with the statement to run, and goes on after it.
func TestShapesThatChange(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(10)
		r.once()
		r.source.Exec("alter table orders add column price numeric(10,2)")
		r.source.Exec("update orders set price = 12.50 where id = 3")
		r.source.Exec("insert into orders values (11, 'priced', 0.10)")
		r.once()
		r.equal("orders")
		r.source.Exec("alter table orders alter column note type varchar(20)")
		r.source.Exec("insert into orders values (12, 'retyped', 1)")
		before := r.target.Value("select count(*) from orders")
		r.start("run").refuses(1, "ALTER TABLE", "orders", `"note" TYPE`)
		if after := r.target.Value("select count(*) from orders"); after != before {
			t.Errorf("%s rows, want %s", after, before)
		}
		r.target.Exec("alter table orders alter column note type varchar(20)")
		r.once()
		r.equal("orders")
	})
}

// TestAHaltedPipelineLeavesTheOther: /readyz names it, the other goes on, and the process ends with the worst code.
func TestAHaltedPipelineLeavesTheOther(t *testing.T) {
	t.Parallel()
	good, bad := newRig(t, "direct"), newRig(t, "kafka")
	good.seed(10)
	bad.seed(10)
	good.write(bad)
	p := begin(t, good.dir, "run")
	good.arrives(p, "select count(*) from orders", "10")
	bad.arrives(p, "select count(*) from orders", "10")
	testenv.Wait(t, "both run", func() bool { status, _ := get(t, good.dir, "/readyz"); return status == http.StatusOK })
	bad.dropSlot()
	testenv.Wait(t, "readyz names the halted one", func() bool {
		p.alive()
		status, body := get(t, good.dir, "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, bad.name) && !strings.Contains(body, good.name) && strings.Contains(body, "halted")
	})
	good.source.Exec("insert into orders values (11, 'goes on')")
	good.arrives(p, "select count(*) from orders", "11")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.refuses(5, bad.name, "is missing")
}

// TestDropLeavesNothing of ours at the source, in Kafka or in the target but what it says that stays.
func TestDropLeavesNothing(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(10)
		r.once()
		p := r.start("drop", r.name, "--yes")
		p.ends(0)
		if _, ok := r.source.(*postgres); ok {
			r.gone()
		}
		for _, table := range []string{"_tailwater_marks", "_tailwater_parked", "_tailwater_shapes"} {
			if r.target.has(table) && r.target.Value("select count(*) from "+table) != "0" {
				t.Errorf("%s holds rows", table)
			}
		}
		if n := r.target.Value("select count(*) from orders"); n != "10" {
			t.Errorf("the target's own table has %s rows", n)
		}
		if r.stream == "kafka" {
			if groups := r.groups(); len(groups) > 0 {
				t.Errorf("groups left: %v", groups)
			}
			for _, topic := range r.topics() {
				if !strings.Contains(p.out.String(), topic) {
					t.Errorf("topic %s stays and drop doesn't say so:\n%s", topic, p.out.String())
				}
			}
		}
		r.start("status").ends(0)
	})
}

// gone looks for what stands at a PostgreSQL source as long as there is a pipeline.
func (r *rig) gone() {
	r.t.Helper()
	for what, query := range map[string]string{
		"slot":        "select count(*) from pg_replication_slots where slot_name = '" + r.name + "'",
		"publication": "select count(*) from pg_publication where pubname = '" + r.name + "'",
	} {
		if n := r.source.Value(query); n != "0" {
			r.t.Errorf("the %s is still there", what)
		}
	}
}

// TestValuesThatAreNot: NULL, the empty text, and a TOAST value that an update did not touch.
func TestValuesThatAreNot(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.source.Exec("create table doc (id int primary key, body text, note text, n int)")
		r.source.Exec("alter table doc alter column body set storage external")
		r.source.Exec("insert into doc select g, repeat('long ', 4000), '', g from generate_series(1, 3) g")
		r.source.Exec("insert into doc values (4, null, null, null), (5, '', '', 0)")
		r.once()
		r.equal("doc")
		r.source.Exec("update doc set n = n + 1 where id <= 2") // body is not in the log
		r.source.Exec("update doc set note = null where id in (2, 5)")
		r.source.Exec("update doc set note = '', body = null where id = 3")
		r.source.Exec("insert into doc values (6, repeat('new ', 4000), null, 1)")
		r.source.Exec("update doc set n = 2 where id = 6")
		r.once()
		r.equal("doc")
		if have := r.target.Value("select string_agg(id || ':' || coalesce(length(body)::text, 'null') || ':' || coalesce('<' || note || '>', 'null'), ' ' order by id) from doc"); have != "1:20000:<> 2:20000:null 3:null:<> 4:null:null 5:0:null 6:16000:null" {
			t.Errorf("the target has %s", have)
		}
	})
}

// TestTwinsOfATableWithoutAKey stay two.
func TestTwinsOfATableWithoutAKey(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.source.Exec("create table hist (what text, n int)")
		r.source.Exec("alter table hist replica identity full")
		r.source.Exec("insert into hist select 'seed', g / 2 from generate_series(1, 20) g")
		r.once()
		r.equal("hist")
		r.source.Exec("insert into hist values ('twin', 1), ('twin', 1), ('twin', 1), (null, null), (null, null)")
		r.source.Exec("delete from hist where ctid = (select min(ctid) from hist where what = 'twin')")
		r.source.Exec("update hist set n = 7 where ctid = (select min(ctid) from hist where what is null)")
		r.source.Exec("delete from hist where what = 'seed' and n = 3")
		r.once()
		r.equal("hist")
		r.once() // and nothing comes twice
		r.equal("hist")
	})
}

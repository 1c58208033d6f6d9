package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestVisibility(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, snapshot, txn string
		sees                bool
	}{
		{"below xmin", "100:110:100,105", "99@0/1", true},
		{"open", "100:110:100,105", "105@0/1", false},
		{"ended between", "100:110:100,105", "104@0/1", true},
		{"at xmax", "100:110:100,105", "110@0/1", false},
		{"none open", "100:100:", "99@0/1", true},
		{"widened", "4294967400:4294967410:4294967405", "108@0/1", true},
		{"widened and open", "4294967400:4294967410:4294967405", "109@0/1", false},
		{"before the wrap", "4294967300:4294967310:4294967305", "4294967290@0/1", true},
		{"open before the wrap", "4294967290:4294967310:4294967290", "4294967290@0/1", false},
		{"not begun, beyond the wrap", "4294967290:4294967295:4294967290", "5@0/1", false},
		{"not a transaction of ours", "100:110:", "x", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := parseVisibility(c.snapshot)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Sees(&change.Txn{ID: c.txn}); got != c.sees {
				t.Errorf("%s sees %s: %v", c.snapshot, c.txn, got)
			}
		})
	}
	v, err := parseVisibility("100:110:100,105")
	if err != nil {
		t.Fatal(err)
	}
	if v.Settled("100") || !v.Settled("99") || v.Settled("") {
		t.Error("a horizon is settled once xmin has passed it")
	}
	for _, bad := range []string{"", "1:2", "a:2:", "1:2:x", "1:2:3:4"} {
		if _, err := parseVisibility(bad); err == nil {
			t.Errorf("%q was taken for a snapshot", bad)
		}
	}
}

// TestSnapshotOfAnotherTable is R-08: a table that was dropped and created again while nobody looked is read from its first row.
func TestSnapshotOfAnotherTable(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create table a (id int primary key, v text); insert into a values (1, 'first')")
	p := newPipe(t, pg, "public.a")
	p.finish()
	p.close()
	pg.Exec("drop table a; create table a (id int primary key, v text); insert into a values (1, 'second'), (2, 'second')")
	p.open()
	p.finish()
	p.compare()
}

// TestSnapshotOfVanishedTable drops a table whose snapshot has not begun.
func TestSnapshotOfVanishedTable(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create table a (id int primary key); create table b (id int primary key); insert into b values (1)")
	p := newPipe(t, pg, "public.a", "public.b")
	pg.Exec("drop table a")
	p.finish()
	p.tables = p.tables[1:]
	p.compare()
}

// TestSnapshotOfAlteredTable changes the shape and the key while chunks are read.
func TestSnapshotOfAlteredTable(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create table a (id int primary key, v int not null, w text); insert into a select i, i, repeat('w', 100) from generate_series(1, 5000) i")
	p := newPipe(t, pg, "public.a")
	statements := []string{"update a set v = -v where id = 5000", "alter table a add column x int default 7", "update a set v = v + 1 where id in (1, 4000)",
		"alter table a drop column w", "delete from a where id = 2", "alter table a alter v type bigint", "truncate a",
		"insert into a select i, i, i from generate_series(1, 3000) i", "alter table a drop constraint a_pkey, add primary key (v, id)", "update a set x = 0 where id < 10"}
	for !p.done() {
		if p.read(); len(statements) > 0 {
			pg.Exec(statements[0])
			statements = statements[1:]
		}
	}
	p.finish()
	if t.Logf("%d statements left", len(statements)); len(statements) > 2 {
		t.Error("the snapshot was over before the table had changed")
	}
	want := pg.Value("select count(*) from a")
	if got := len(p.target.keyed["public.a"]); want != "" && got < 3000 {
		t.Errorf("%d rows at the target, %s at the source", got, want)
	}
}

// TestSnapshotIsRequested asks for a table again beside writers.
func TestSnapshotIsRequested(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	pg.Exec(workloadTables)
	p := newPipe(t, pg, workloadTableNames...)
	p.finish()
	p.target.keyed["public.pair"], p.target.bags["public.hist"] = nil, nil // a target that lost its rows
	w := startWorkload(t, pg, 2)
	for _, name := range []string{"public.pair", "public.hist"} {
		asked := make(chan error, 1)
		go func() { asked <- p.runner.Request(t.Context(), name, "") }()
		for taken := false; !taken; {
			p.read()
			select {
			case err := <-asked:
				if err != nil {
					t.Fatal(err)
				}
				taken = true
			default:
			}
		}
		if p.done() {
			t.Errorf("%s was asked for, and all is done", name)
		}
		if err := p.runner.Request(t.Context(), name, ""); err == nil {
			t.Errorf("a second request of %s was taken", name)
		}
		for !p.done() {
			p.read()
		}
	}
	w.stop()
	p.finish()
	p.compare()
	for _, bad := range [][2]string{{"public.none", ""}, {"public.hist", "what = 'x'"}} {
		if err := p.runner.Request(t.Context(), bad[0], bad[1]); err == nil {
			t.Errorf("a snapshot of %s where %q was begun", bad[0], bad[1])
		}
	}
}

// TestSnapshotUnderHugeTransactions: transactions that leave the large columns of every row alone are taken out of the stream while the table is read, and
// the keys of their rows take no more memory, nor room in the saved progress, than they may (invariants 7 and 9).
func TestSnapshotUnderHugeTransactions(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table doc (id bigint primary key, n int not null, body text); alter table doc alter body set storage external")
		pg.Exec("insert into doc select i, 0, repeat(md5(i::text), 100) from generate_series(1, 6000) i")
		p := newPipe(t, pg, "public.doc")
		p.close()
		p.start, p.target = connectors.Start{Epoch: 1, Resume: p.start.Resume, Upto: p.start.Upto}, newMemory(t)
		p.keys = 128 << 10
		p.open()
		for n := 0; n < 4 && !p.done(); {
			if b := p.read(); len(b.Changes) > 0 {
				n++
			}
		}
		if p.done() {
			t.Fatal("the snapshot was over before the table had changed")
		}
		most := 0
		for range 2 {
			pg.Exec("begin; update doc set n = n + 1; update doc set n = n + 1 where id % 2 = 0; delete from doc where id % 1000 = 7; insert into doc select max(id) + 1, 0, repeat('x', 3000) from doc; update doc set n = 5 where id > 6000; commit")
			for range 5 {
				p.read()
				most = max(most, len(p.start.Snapshot))
			}
		}
		for !p.done() {
			p.read()
			most = max(most, len(p.start.Snapshot))
		}
		p.finish()
		p.compare()
		if t.Logf("%d bytes of progress at most", most); most > p.keys/2 {
			t.Errorf("the progress took %d bytes, of %d for keys", most, p.keys)
		}
	})
}

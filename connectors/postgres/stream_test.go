package postgres_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

const large = "(select string_agg(md5(i::text), '') from generate_series(1, 400) i)"

func TestKeyChangeWithHole(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key, "Big" text)`)
		c := config(t, pg)
		r := read(t, c, fresh)
		pg.Exec("insert into a values (1, " + large + ")")
		pg.Exec("update a set id = 2")
		wantError(t, r.failure(), change.ErrHalt, "public.a", "column Big", `ALTER TABLE "public"."a" REPLICA IDENTITY FULL`)
		r.close()
		if len(r.got) != 1 {
			t.Errorf("%d changes before the halt, want the insert", len(r.got))
		}
	})
}

func TestFullIdentityFillsHoles(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, big text); alter table a replica identity full")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, " + large + ")")
		pg.Exec("update a set id = 2")
		pg.Exec("update a set id = 2 where id = 2")
		got := r.all()
		if len(got) != 4 || got[1].Op != change.Delete || got[2].Op != change.Insert || got[3].Op != change.Update {
			t.Fatalf("%d changes", len(got))
		}
		for i, c := range got[1:] {
			if c.Row()[1] != got[0].After[1] {
				t.Errorf("change %d lacks the large value", i+1)
			}
		}
	})
}

func TestWithoutKey(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int, v text); alter table a replica identity full; create table b (id int primary key); alter table b replica identity nothing")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, 'x'), (1, 'x'); update a set v = 'y' where ctid = '(0,1)'; delete from a where v = 'y'; insert into b values (1)")
		got := r.all()
		want(t, got, `insert a + 1 "x"`, `insert a + 1 "x"`, `delete a - 1 "x"`, `insert a + 1 "y"`, `delete a - 1 "y"`, `insert b + 1`)
		if len(got[0].Table.Key) != 0 || len(got[5].Table.Key) != 0 {
			t.Errorf("keys %v and %v", got[0].Table.Key, got[5].Table.Key)
		}
	})
}

func TestIdentityIndex(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key, c int not null, b int not null, v text); create unique index u on a (b, c);
			alter table a replica identity using index u`)
		pg.Exec("create table k (v text, b int, a int, primary key (a, b))")
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into a values (1, 2, 3, 'x'); update a set id = 5; update a set b = 4; delete from a; insert into k values ('x', 1, 2); delete from k")
		got := r.all()
		want(t, got, `insert a + 1 2 3 "x"`, `update a + 5 2 3 "x"`, `delete a - ? 2 3 ?`, `insert a + 5 2 4 "x"`, `delete a - ? 2 4 ?`,
			`insert k + "x" 1 2`, `delete k - ? 1 2`)
		if key := fmt.Sprint(got[0].Table.Key, got[5].Table.Key); key != "[2 1] [2 1]" {
			t.Errorf("keys %s, want the index's order", key)
		}
	})
}

func TestTruncateOrdinals(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key); create table b (id int primary key); create table hidden (id int primary key)")
		c := config(t, pg)
		c.Publication.Name = "all"
		pg.Exec(`create publication "all" for all tables with (publish_via_partition_root = true)`)
		c.Exclude = []string{"public.hid*"}
		r := read(t, c, fresh)
		pg.Exec("insert into hidden values (1); truncate hidden, a, b; insert into hidden values (2); insert into a values (1)")
		got := r.all()
		want(t, got, "truncate a", "truncate b", "insert a + 1")
		var seqs []uint64
		for _, c := range got {
			seqs = append(seqs, c.Pos.Seq)
		}
		if fmt.Sprint(seqs) != "[9 13 21]" { // ordinals 2, 3 and 5
			t.Errorf("seq %v", seqs)
		}
	})
}

func TestRowTooLarge(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, b bytea)")
		c := config(t, pg)
		c.MaxRowBytes = 100_000
		r := read(t, c, fresh)
		pg.Exec("insert into a values (1, convert_to(repeat('x', 99000), 'utf8'))")
		pg.Exec("insert into a values (7, convert_to(repeat('x', 101000), 'utf8'))")
		wantError(t, r.failure(), change.ErrHalt, "public.a", `id="7"`, "1010", "100000")
		if len(r.got) != 1 {
			t.Errorf("%d rows before it", len(r.got))
		}
	})
}

func TestMessagesOutsideRows(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key)")
		r := read(t, config(t, pg), fresh)
		pg.Exec("begin; select pg_logical_emit_message(true, 'p', 'x'); insert into a values (1); select pg_logical_emit_message(false, 'p', 'x'); insert into a values (2); commit")
		got := r.all()
		want(t, got, "insert a + 1", "insert a + 2")
		if got[1].Pos.Seq != 5 {
			t.Errorf("seq %d: a message took an ordinal", got[1].Pos.Seq)
		}
	})
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table p (id int primary key, v text) partition by range (id);
			create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20)`)
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into p values (1, 'x'); update p set id = 11; delete from p; insert into p2 values (12, 'y'); truncate p")
		want(t, r.all(), `insert p + 1 "x"`, `delete p - 1 ?`, `insert p + 11 "x"`, `delete p - 11 ?`, `insert p + 12 "y"`, `truncate p`)
	})
}

// TestIdleSlot is P-4: a quiet table of a busy server must not make the server keep its log. The servers are its own: every other
// test's slot would have to read what it writes.
func TestIdleSlot(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 18} {
		pg := testenv.StartPostgres(t, major, testenv.Options{}).PG
		pg.Exec("create table a (id int primary key); create table busy (id serial, v text)")
		c := config(t, pg)
		c.Include = []string{"public.a"}
		r := read(t, c, fresh)
		written := func() int64 {
			n, err := strconv.ParseInt(pg.Value("select pg_current_wal_lsn() - '0/0'"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for begun := written(); written()-begun < 220<<20; {
			pg.Exec("insert into busy (v) select repeat('x', 1000) from generate_series(1, 40000)") // an empty batch comes once a second
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
			if err := r.Source.Release(t.Context(), r.Resume); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.all(); len(got) != 0 {
			t.Fatalf("%d changes", len(got))
		}
		if err := r.Source.Release(t.Context(), r.Resume); err != nil {
			t.Fatal(err)
		}
		const query = "select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'"
		testenv.Wait(t, "less than 32 MiB of log kept", func() bool {
			n, err := strconv.ParseInt(pg.Value(fmt.Sprintf(query, c.Slot.Name)), 10, 64)
			return err == nil && n < 32<<20
		})
	}
}

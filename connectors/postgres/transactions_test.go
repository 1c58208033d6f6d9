package postgres_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestPreparedTransactions: a prepared transaction is not there until COMMIT PREPARED, whatever is restarted meanwhile, and then it is there
// once, where it committed; one that is rolled back never is. The servers are its own: a prepared transaction keeps every slot back.
func TestPreparedTransactions(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			server := testenv.StartPostgres(t, major, testenv.Options{Settings: []string{"max_prepared_transactions=5"}})
			pg := server.PG
			pg.Exec("create table a (id int primary key, v text)")
			c := config(t, pg)
			r := read(t, c, fresh)
			begin := r.start()
			pg.Exec("begin; insert into a values (1, 'prepared'); savepoint s; insert into a values (2, 'gone'); rollback to s; insert into a values (3, 'prepared'); prepare transaction 'one'")
			pg.Exec("begin; insert into a values (4, 'never'); prepare transaction 'two'")
			pg.Exec("insert into a values (5, 'between')")
			want(t, r.all(), `insert a + 5 "between"`)
			r.close()
			r = read(t, c, r.start())
			pg.Exec("rollback prepared 'two'")
			pg.Exec("insert into a values (6, 'before')")
			want(t, r.all(), `insert a + 6 "before"`)
			r.close()
			server.Restart()
			r = read(t, c, r.start())
			pg.Exec("commit prepared 'one'")
			pg.Exec("insert into a values (7, 'after')")
			got := r.all()
			want(t, got, `insert a + 1 "prepared"`, `insert a + 3 "prepared"`, `insert a + 7 "after"`)
			if got[0].Txn != got[1].Txn || got[1].Txn == got[2].Txn {
				t.Error("a prepared transaction is one Txn")
			}
			r.close()
			r = read(t, c, begin)
			want(t, r.all(), `insert a + 5 "between"`, `insert a + 6 "before"`, `insert a + 1 "prepared"`, `insert a + 3 "prepared"`, `insert a + 7 "after"`)
		})
	}
}

// TestSlotWaitsForAPreparedTransaction, and names it: nobody's session has it.
func TestSlotWaitsForAPreparedTransaction(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			pg := testenv.StartPostgres(t, major, testenv.Options{Settings: []string{"max_prepared_transactions=5"}}).PG
			pg.Exec("create table a (id int primary key, v text)")
			pg.Exec("begin; insert into a values (1, 'x'); prepare transaction 'forgotten'")
			c := config(t, pg)
			said := make(chan string, 100)
			c.Logger = slog.New(slog.NewTextHandler(lineLog(said), nil))
			failed := make(chan error, 1)
			go func() {
				for line := range said {
					if strings.Contains(line, "holders=") {
						if !strings.Contains(line, "forgotten") {
							t.Errorf("the wait names nobody: %s", line)
						}
						failed <- pg.Do(t.Context(), "rollback prepared 'forgotten'")
						return
					}
				}
			}()
			r := read(t, c, fresh)
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
			pg.Exec("insert into a values (2, 'y')")
			want(t, r.all(), `insert a + 2 "y"`)
		})
	}
}

type lineLog chan string

func (l lineLog) Write(b []byte) (int, error) {
	select {
	case l <- string(b):
	default: // nobody reads any more
	}
	return len(b), nil
}

// TestSubtransactions: what a savepoint or an exception takes back is not there, and the order of the rest is that of the statements.
func TestSubtransactions(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, v text)")
		r := read(t, config(t, pg), fresh)
		pg.Exec(`begin; insert into a values (1, 'x'); savepoint s; insert into a values (2, 'x'); savepoint s; insert into a values (3, 'x'); rollback to s; insert into a values (4, 'x');
			release s; rollback to s; insert into a values (5, 'x'); update a set v = 'y' where id = 1; commit`)
		pg.Exec(`do $$ begin for i in 10..29 loop begin insert into a values (i, 'x'); if i % 2 = 0 then raise exception 'no'; end if; exception when others then null; end; end loop; end $$`)
		lines := []string{`insert a + 1 "x"`, `insert a + 5 "x"`, `update a + 1 "y"`}
		for i := 11; i < 30; i += 2 {
			lines = append(lines, fmt.Sprintf(`insert a + %d "x"`, i))
		}
		want(t, r.all(), lines...)
		pg.Exec("begin; insert into a select i, repeat('x', 1000) from generate_series(100, 3000) i; savepoint s; truncate a; rollback to s; delete from a where id < 100; commit") // larger than the server's memory for one
		got := r.all()
		if n := len(got); n != 2901+12 || got[0].Op != change.Insert || got[n-1].Op != change.Delete {
			t.Errorf("%d changes, want 2901 inserts and 12 deletes", n)
		}
	})
}

// TestReplicationOrigins: what was written under an origin, by a logical subscription or by hand, is read as all else, and moves the place.
func TestReplicationOrigins(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key)")
		name := pg.Database + " origin"
		pg.Exec("select pg_replication_origin_create($1)", name)
		t.Cleanup(func() {
			pg.Exec("select pg_replication_origin_session_reset()")
			pg.Exec("select pg_replication_origin_drop($1)", name)
		})
		c := config(t, pg)
		r := read(t, c, fresh)
		pg.Exec("insert into a values (1)")
		pg.Exec("select pg_replication_origin_session_setup($1)", name)
		pg.Exec("begin; select pg_replication_origin_xact_setup('0/12345', '2001-02-03 04:05:06+00'); insert into a values (2); commit")
		pg.Exec("insert into a values (3)")
		got := r.all()
		want(t, got, "insert a + 1", "insert a + 2", "insert a + 3")
		if !got[0].Pos.Less(got[1].Pos) || !got[1].Pos.Less(got[2].Pos) {
			t.Error("a transaction of an origin stands where it committed here")
		}
		r.close()
		r = read(t, c, r.start())
		pg.Exec("insert into a values (4)")
		want(t, r.all(), "insert a + 4")
	})
}

// TestLogicalMessages: messages of others, in a transaction, beside one and alone, hide no row and move the place.
func TestLogicalMessages(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key)")
		c := config(t, pg)
		r := read(t, c, fresh)
		for i := range 3 {
			pg.Exec("select pg_logical_emit_message(true, 'tailwater', 'alone')")
			pg.Exec("select pg_logical_emit_message(false, '', repeat('x', 100000))")
			pg.Exec(fmt.Sprintf("begin; select pg_logical_emit_message(true, 'p', 'x'); savepoint s; insert into a values (%d); select pg_logical_emit_message(true, 'p', 'y'); rollback to s; insert into a values (%d); commit", 100+i, i))
			want(t, r.all(), fmt.Sprintf("insert a + %d", i))
			r.close()
			r = read(t, c, r.start())
		}
	})
}

// TestUnchangedTOAST: an update that leaves large values alone, of every replica identity: they are in the row, or Unset, never NULL and never the
// text of something else; and what was NULL or empty stays so.
func TestUnchangedTOAST(t *testing.T) {
	t.Parallel()
	identities := map[string]string{
		"default": `update a + 1 2 ? ? null ""`, "full": `update a + 1 2 big big null ""`, "using index u": `update a + 1 2 ? ? null ""`,
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for identity, line := range identities {
			t.Run(strings.Fields(identity)[0], func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, pg.Major)
				pg.Exec(`create table a (id int primary key, n int not null, t text not null, j jsonb, l text, e text); create unique index u on a (id);
					alter table a replica identity ` + identity)
				r := read(t, config(t, pg), fresh)
				pg.Exec("insert into a select 1, 1, " + large + ", to_jsonb(" + large + "), null, ''")
				whole := r.all()[0].After
				pg.Exec("update a set n = 2")
				got := r.all()
				for i := range got {
					got[i].Before = nil // what the log has of it is the identity's affair
				}
				text := lines(got)
				for _, v := range whole[2:4] {
					text = strings.ReplaceAll(text, string(change.AppendJSON(nil, &got[0].Table.Columns[2], v)), "big")
				}
				if text != line+"\n" {
					t.Errorf("%.300s, want %s", text, line)
				}
				pg.Exec("delete from a")
				if last := r.all(); len(last) != 1 || last[0].Op != change.Delete || last[0].Before[0] != change.Int(1) {
					t.Errorf("a delete is %.300s", lines(last))
				}
			})
		}
	})
}

package testenv_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestPostgresLeavesNothing(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, witness *testenv.PG) {
		t.Parallel()
		var name string
		t.Run("a test", func(t *testing.T) {
			pg := testenv.Postgres(t, witness.Major)
			name = pg.Database
			if name == witness.Database {
				t.Fatalf("two tests share database %s", name)
			}
			pg.Exec("create table a (id int primary key)")
			pg.Exec("create publication everything for all tables")
			pg.Exec("select pg_create_logical_replication_slot($1, 'pgoutput')", name+"_idle")
			streamFrom(t, pg, name+"_active")
		})
		left := witness.Query("select datname from pg_database where datname = '" + name + "' union all " +
			"select slot_name from pg_replication_slots where starts_with(slot_name, '" + name + "')")
		if len(left) != 0 {
			t.Errorf("the test left %v", left)
		}
	})
}

// streamFrom opens a replication connection and leaves it streaming, as a connector does that is still up when its test ends.
func streamFrom(t *testing.T, pg *testenv.PG, slot string) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), pg.URL+"&replication=database")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	for _, command := range []string{
		"CREATE_REPLICATION_SLOT " + slot + " LOGICAL pgoutput",
	} {
		if _, err := conn.Exec(t.Context(), command).ReadAll(); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	conn.Frontend().SendQuery(&pgproto3.Query{String: "START_REPLICATION SLOT " + slot +
		" LOGICAL 0/0 (proto_version '1', publication_names 'everything')"})
	if err := conn.Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the slot is active", func() bool {
		return pg.Value("select active from pg_replication_slots where slot_name = '"+slot+"'") == "t"
	})
}

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for setting, want := range map[string]string{
			"wal_level": "logical", "max_wal_senders": "60", "max_replication_slots": "60",
			"synchronous_commit": "on", "wal_sender_timeout": "1min", "timezone": "UTC", "server_encoding": "UTF8",
		} {
			if have := pg.Value("show " + setting); have != want {
				t.Errorf("%s is %s, want %s", setting, have, want)
			}
		}
		if have := pg.Value("select current_setting('server_version_num')::int / 10000"); have != fmt.Sprint(pg.Major) {
			t.Errorf("Major is %d, the server says %s", pg.Major, have)
		}
	})
}

func TestPostgresDropsOrphans(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		// The name a process would have given that is gone by now.
		child := exec.Command("true")
		if err := child.Run(); err != nil {
			t.Fatal(err)
		}
		orphan := strings.Replace(pg.Database, fmt.Sprintf("_%d_", os.Getpid()), fmt.Sprintf("_%d_", child.Process.Pid), 1)
		pg.Exec("create database " + orphan)
		testenv.Wait(t, "a later test drops the database of a test that died", func() bool {
			testenv.Postgres(t, pg.Major)
			return len(pg.Query("select 1 from pg_database where datname = '"+orphan+"'")) == 0
		})
		if pg.Value("select count(*) from pg_database where datname = '"+pg.Database+"'") != "1" {
			t.Error("the database of a living test is gone")
		}
	})
}

func TestQuery(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		const sql = `select null, '', 1.50::numeric, 'ä', true, '2026-01-02 03:04:05+02'::timestamptz, '\x00ff'::bytea`
		want := []string{testenv.Null, "", "1.50", "ä", "t", "2026-01-02 01:04:05+00", `\x00ff`}
		rows := pg.Query(sql)
		if len(rows) != 1 || fmt.Sprintf("%q", rows[0]) != fmt.Sprintf("%q", want) {
			t.Errorf("rows %q, want %q", rows, want)
		}
		if have := pg.Psql("set timezone = 'UTC'; " + sql); have != strings.Join(want, "\t")+"\n" {
			t.Errorf("psql prints %q", have)
		}
	})
}

func TestFailingStatementEndsTheTest(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(pg *testenv.PG){
		"exec":  func(pg *testenv.PG) { pg.Exec("select 1/0") },
		"query": func(pg *testenv.PG) { pg.Query("select 1/0") },
		"psql":  func(pg *testenv.PG) { pg.Psql("select 1/0") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := under(t, func(t testing.TB) { call(testenv.Postgres(t, 15)) })
			if fake.ended == "skip" {
				t.Skip(fake.log.String())
			}
			if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "division by zero") {
				t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
			}
		})
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b, difference string }{
		{"equal in another order", "values (1,'x'), (2,null)", "values (2,null), (1,'x')", ""},
		{"empty", "select 1 where false", "select 2 where false", ""},
		{"null against text", "values (null::text)", `values ('\N')`, `+ "\\N"`},
		{"null against empty", "values (null::text)", "values ('')", `- NULL`},
		{"a row more often", "values (1), (1)", "values (1)", `1 only in the first, 0 only in the second`},
		{"a missing row", "values (1), (2)", "values (1), (2), (3)", `+ "3"`},
		{"one row each that the other lacks", "values (2), (3)", "values (1), (3)", `1 only in the first, 1 only in the second`},
		{"another text of an equal value", "values (1.0)", "values (1.00)", `+ "1.00"`},
		{"another column", "select 1 as a", "select 1 as b", `+ columns ["b"]`},
	}
	pg := testenv.Postgres(t, 15)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var equal bool
			fake := under(t, func(t testing.TB) { equal = testenv.Compare(t, pg.Of(test.a), pg.Of(test.b)) })
			if message := fake.log.String(); equal != (test.difference == "") || !strings.Contains(message, test.difference) {
				t.Errorf("equal %v, message %q, want %q", equal, message, test.difference)
			}
		})
	}
}

func TestCompareShowsTheFirstDifferences(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	fake := under(t, func(t testing.TB) {
		testenv.Compare(t, pg.Of("select generate_series(1, 100) as n"), pg.Of("select 7 as n"))
	})
	if message := fake.log.String(); strings.Count(message, "\n- ") != 12 || !strings.Contains(message, "and 89 more") {
		t.Errorf("message %q", message)
	}
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key, v text); insert into a values (1, 'x'), (2, null);
			create table b (id int primary key, v text); insert into b values (2, null), (1, 'x');
			create table c (id int primary key, v text)`)
		if a, b := pg.Checksum("a", "id"), pg.Checksum("b", "id"); a != b || !strings.HasPrefix(a, "2:") {
			t.Errorf("checksums of equal tables: %s and %s", a, b)
		}
		if empty := pg.Checksum("c", "id"); empty != "0:" {
			t.Errorf("checksum of an empty table: %s", empty)
		}
		before := pg.Checksum("b", "id")
		pg.Exec("update b set v = '' where id = 2")
		if pg.Checksum("b", "id") == before {
			t.Error("NULL became an empty text and the checksum stayed")
		}
	})
}

func TestPGGoesOnAfterALostConnection(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	other := pg.Connect()
	pid := pg.Value("select pg_backend_pid()")
	if _, err := other.Exec(t.Context(), "select pg_terminate_backend("+pid+", 5000)"); err != nil {
		t.Fatal(err)
	}
	if err := pg.Do(t.Context(), "select 1"); err == nil {
		t.Fatal("the ended connection answers")
	}
	if have := pg.Value("select 1"); have != "1" {
		t.Errorf("have %s", have)
	}
	var count int
	err := other.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = $1",
		pgx.QueryExecModeExec, pg.Database).Scan(&count)
	if err != nil || count != 2 {
		t.Errorf("%d sessions, %v", count, err)
	}
}

package testenv_test

import (
	"database/sql"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestMySQLLeavesNothing(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, witness *testenv.My) {
		t.Parallel()
		var name string
		outer := t
		t.Run("a test", func(t *testing.T) {
			my := testenv.MySQL(t, witness.Name)
			name = my.Database
			if name == witness.Database {
				t.Fatalf("two tests share database %s", name)
			}
			my.Exec("create table a (id int primary key); insert into a values (1)")
			user, password := my.User("select", "replication slave on *.*")
			holdLocks(outer, my.As("root", ""))
			holdLocks(outer, my.As(user, password))
		})
		left := witness.Query("select schema_name from information_schema.schemata where schema_name = '" + name + "' union all " +
			"select user from mysql.user where user like '" + name + "%' union all " +
			"select user from information_schema.processlist where db = '" + name + "' or user like '" + name + "%'")
		if len(left) != 0 {
			t.Errorf("the test left %v", left)
		}
	})
}

// holdLocks leaves a transaction open on the table a until t ends, as a connector does that outlives its test.
func holdLocks(t *testing.T, dsn string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{"begin", "select * from a"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestMySQLSettings(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		want := map[string]string{
			"log_bin": "1", "binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL",
			"innodb_flush_log_at_trx_commit": "2", "sync_binlog": "0", "character_set_server": "utf8mb4",
			"global.time_zone": "+00:00", "time_zone": "+00:00", "version": my.Version,
		}
		if !my.MariaDB {
			want["gtid_mode"], want["enforce_gtid_consistency"] = "ON", "ON"
		}
		_, port := my.HostPort()
		want["server_id"] = fmt.Sprint(port)
		for setting, value := range want {
			if have := my.Value("select @@" + setting); have != value {
				t.Errorf("%s is %s, want %s", setting, have, value)
			}
		}
	})
}

func TestMySQLText(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, t text, d decimal(20,4), b varbinary(9), at datetime(6), f double, n bigint unsigned)")
		my.Exec("insert into a values (1, 'it''s \n ä', 12.5, x'00ff', '2026-01-02 03:04:05.6', 0.1, 18446744073709551615), "+
			"(2, ?, null, null, null, null, null)", "NULL")
		want := [][]string{{"1", "it's \n ä", "12.5000", "\x00\xff", "2026-01-02 03:04:05.600000", "0.1", "18446744073709551615"},
			{"2", "NULL", testenv.Null, testenv.Null, testenv.Null, testenv.Null, testenv.Null}}
		if have := my.Query("select * from a order by id"); fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("have %q, want %q", have, want)
		}
		if have, want := my.Dump("(select id, t, d from a) x", "id"), "1\tit's \\n ä\t12.5000\n2\tNULL\tNULL\n"; have != want {
			t.Errorf("the client prints %q, want %q", have, want)
		}
		one := my.Checksum("a", "id")
		my.Exec("update a set t = null where id = 2")
		if two := my.Checksum("a", "id"); two == one || !strings.HasPrefix(two, "2:") {
			t.Errorf("checksums %s and %s", one, two)
		}
	})
}

func TestMySQLSessionHolds(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key)")
		my.Exec("begin; insert into a values (1)")
		my.Exec("insert into a values (2)")
		my.Exec("rollback")
		if have := my.Value("select count(*) from a"); have != "0" {
			t.Errorf("%s rows after the rollback", have)
		}
		if err := my.Do(t.Context(), "insert into a values (3); insert into a values (3)"); err == nil {
			t.Error("the second statement's error is lost")
		}
		other := my.Connect()
		var id, mine string
		if err := other.QueryRowContext(t.Context(), "select connection_id()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		if mine = my.Value("select connection_id()"); mine == id {
			t.Error("Connect gives the test's own session")
		}
		if _, err := other.ExecContext(t.Context(), "kill "+mine); err != nil {
			t.Fatal(err)
		}
		if have := my.Value("select 1"); have != "1" {
			t.Errorf("after its connection's end %s", have)
		}
	})
}

func TestMySQLUser(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key)")
		user, password := my.User("select")
		db, err := sql.Open("mysql", my.As(user, password))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), "select * from a"); err != nil {
			t.Errorf("granted: %v", err)
		}
		if _, err := db.ExecContext(t.Context(), "insert into a values (1)"); err == nil {
			t.Error("the account may insert")
		}
		wrong, err := sql.Open("mysql", my.As(user, "no"))
		if err != nil {
			t.Fatal(err)
		}
		defer wrong.Close()
		if err := wrong.PingContext(t.Context()); err == nil {
			t.Error("any password will do")
		}
	})
}

func TestMySQLBinlogMoves(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		before := my.Binlog()
		my.Exec("create table a (id int primary key)")
		after := my.Binlog()
		if before.File > after.File || before.File == after.File && before.Offset >= after.Offset || before.GTIDs == after.GTIDs {
			t.Errorf("from %v to %v", before, after)
		}
	})
}

func TestMySQLCompare(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		pg := testenv.Postgres(t, 15)
		for _, do := range []func(string, ...any){my.Exec, pg.Exec} {
			do("create table a (id int primary key, t varchar(20))")
			do("insert into a values (1, 'x'), (2, null)")
		}
		const all = "select * from a"
		if !testenv.Compare(t, my.Of(all), pg.Of(all)) {
			t.Error("equal tables differ")
		}
		pg.Exec("update a set t = '' where id = 2")
		fake := under(t, func(t testing.TB) { testenv.Compare(t, my.Of(all), pg.Of(all)) })
		if log := fake.log.String(); !strings.Contains(log, `- "2" | NULL`) || !strings.Contains(log, `+ "2" | ""`) {
			t.Errorf("the difference is told as %q", log)
		}
	})
}

func TestMySQLUnknownName(t *testing.T) {
	t.Parallel()
	fake := under(t, func(t testing.TB) { testenv.MySQL(t, "mysql5") })
	if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "not mysql5") {
		t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
	}
}

// A database whose test binary was killed goes when the next test makes its own.
func TestMySQLOrphan(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		gone := exec.Command("true")
		if err := gone.Run(); err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(my.Database, "_")
		orphan := fmt.Sprintf("tw_%s_%d_%s", parts[1], gone.Process.Pid, parts[3])
		my.Exec("create database " + orphan)
		my.Exec("create user " + orphan + "_1@'%'")
		const left = "select schema_name from information_schema.schemata where schema_name = '%[1]s' union all " +
			"select user from mysql.user where user like '%[1]s%%'"
		testenv.Wait(t, "the orphan is dropped", func() bool { // another test may be sweeping for itself just now
			testenv.MySQL(t, my.Name)
			return len(my.Query(fmt.Sprintf(left, orphan))) == 0
		})
	})
}

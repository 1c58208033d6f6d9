package mysql_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// branches are XA transactions of one test. Their names are made unique, for a server has one list of them.
type branches struct {
	t  *testing.T
	my *testenv.My
}

func (b branches) xid(name string) string { return fmt.Sprintf("'%s','%s'", name, b.my.Database) }

// in runs statements in a session of its own, which ends then: MariaDB lets one that has prepared a transaction do nothing else.
func (b branches) in(statements ...string) {
	b.t.Helper()
	conn := b.my.Connect()
	var id string
	if err := conn.QueryRowContext(b.t.Context(), "select connection_id()").Scan(&id); err != nil {
		b.t.Fatal(err)
	}
	for _, sql := range statements {
		if _, err := conn.ExecContext(b.t.Context(), sql); err != nil {
			b.t.Fatalf("%v\n%s", err, sql)
		}
	}
	conn.Raw(func(any) error { return driver.ErrBadConn }) // it goes, and is gone
	// MariaDB 10.11 may lose a transaction, with its locks, that is decided while the session that has prepared it ends.
	testenv.Wait(b.t, "the session to be gone", func() bool {
		return len(b.my.Query("select 1 from information_schema.processlist where id = "+id)) == 0
	})
}

// prepare runs the first phase.
func (b branches) prepare(name string, statements ...string) {
	b.t.Helper()
	xid := b.xid(name)
	all := append([]string{"xa start " + xid}, statements...)
	b.in(append(all, "xa end "+xid, "xa prepare "+xid)...)
	b.t.Cleanup(func() {
		b.my.Do(context.WithoutCancel(b.t.Context()), "xa rollback "+xid) // an error says that it is decided
	})
}

// decide runs the second phase, once the first's session has let go.
func (b branches) decide(how, name string) {
	b.t.Helper()
	testenv.Wait(b.t, how+" "+name, func() bool { return b.my.Do(b.t.Context(), "xa "+how+" "+b.xid(name)) == nil })
}

// eachPrivate runs f on servers of its own: what stays prepared in one keeps its tables from being dropped.
func eachPrivate(t *testing.T, f func(t *testing.T, my *testenv.My)) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, testenv.StartMySQL(t, name, testenv.Options{}).My)
		})
	}
}

// TestXA: what is prepared comes with XA COMMIT, under its Position, and never with XA ROLLBACK; one phase is a transaction as any other.
func TestXA(t *testing.T) {
	eachPrivate(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v int); create table other (id int primary key); insert into a values (50, 0)")
		c := config(t, my)
		c.Exclude = []string{my.Database + ".other"}
		s := startTail(t, my, c)
		b := branches{t, my}
		b.prepare("o", "insert into other values (1)")
		b.decide("commit", "o")
		my.Exec("xa start 'q'; insert into a values (1, 1); xa end 'q'; xa commit 'q' one phase")
		b.prepare("r", "insert into other values (2)", "insert into a values (2, 2)")
		b.decide("rollback", "r")
		s.want("new_shape a", "insert a + 1 1")
		b.prepare("Läte", "insert into a values (3, 3)", "update a set id = 51 where id = 50", "savepoint s", "insert into a values (99, 99)",
			"rollback to s", "delete from a where id = 1")
		my.Exec("insert into a values (4, 4)")
		b.prepare("second", "insert into a values (5, 5)")
		s.want("insert a + 4 4")
		b.decide("commit", "second")
		my.Exec("insert into a values (6, 6)")
		s.want("insert a + 5 5", "insert a + 6 6")
		b.decide("commit", "Läte")
		s.want("insert a + 3 3", "delete a - 50 0", "insert a + 51 0", "delete a - 1 1")
		for i := 1; i < len(s.all); i++ {
			if !s.all[i-1].Pos.Less(s.all[i].Pos) {
				t.Errorf("%s at %s after %s", line(&s.all[i]), s.all[i].Pos, s.all[i-1].Pos)
			}
		}
		if n := len(s.all); s.all[n-1].Txn != s.all[n-4].Txn || s.all[n-1].Txn.ID == s.all[n-5].Txn.ID {
			t.Errorf("the last four are of %v and %v", s.all[n-1].Txn, s.all[n-4].Txn)
		}
	})
}

// TestXAOverRestarts: a reader that begins between the phases has the rows from the log; one that begins in front of both emits the same again.
func TestXAOverRestarts(t *testing.T) {
	eachPrivate(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(2000))")
		s := startTail(t, my, config(t, my))
		b := branches{t, my}
		first, upto := s.resume, s.upto
		b.prepare("small", "insert into a values (1, 'x')", "insert into a values (2, 'y')")
		rows := make([]string, 0, 300)
		for i := range cap(rows) { // more than is held in memory
			rows = append(rows, fmt.Sprintf("(%d, repeat('x', 2000))", 100+i))
		}
		b.prepare("large", "insert into a values "+strings.Join(rows, ", "))
		b.prepare("never", "insert into a values (3, 'z')")
		my.Exec("insert into a values (10, 'between')")
		s.want("new_shape a", `insert a + 10 "between"`)
		s.stop()
		my.Exec("insert into a values (11, 'down')")
		s.start()
		b.decide("commit", "small")
		my.Exec("insert into a values (12, 'behind')")
		s.want("new_shape a", `insert a + 11 "down"`, `insert a + 1 "x"`, `insert a + 2 "y"`, `insert a + 12 "behind"`)
		s.stop()
		b.decide("rollback", "never")
		b.decide("commit", "large")
		s.start()
		got, err := s.lines()
		if err != nil || len(got) != 301 || got[0] != "new_shape a" || !strings.HasPrefix(got[300], "insert a + 399") {
			t.Fatalf("%d changes, %v", len(got), err)
		}
		once := s.all
		s.stop()
		s.resume, s.upto, s.all = first, upto, nil // as after a kill before anything was saved
		s.start()
		if _, err := s.lines(); err != nil {
			t.Fatal(err)
		}
		places := map[change.Position]string{}
		for i := range once {
			places[once[i].Pos] = line(&once[i])
		}
		for i := range s.all {
			if c := &s.all[i]; c.Op != change.NewShape && places[c.Pos] != line(c) {
				t.Fatalf("at %s stands %.50s, before %.50s", c.Pos, line(c), places[c.Pos])
			}
		}
		if len(s.all) != 1+305 {
			t.Errorf("%d changes", len(s.all))
		}
	})
}

// TestXAFromBefore: the rows of a transaction that was prepared before the log we have are nowhere.
func TestXAFromBefore(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{})
			server.Exec("create table a (id int primary key); create table other (id int primary key)")
			b := branches{t, server.My}
			b.prepare("early", "insert into a values (1)")
			b.prepare("gone", "insert into a values (9)")
			s := startTail(t, server.My, configAs(t, server.My, "root", ""))
			b.decide("rollback", "gone")
			server.Exec("insert into a values (2)")
			s.want("new_shape a", "insert a + 2")
			b.decide("commit", "early")
			s.halts(change.ErrHalt, "x6561726c79", "new snapshot")
			s.stop()

			c := configAs(t, server.My, "root", "")
			c.Exclude = []string{"test.other"}
			s = startTail(t, server.My, c)
			b.prepare("elsewhere", "insert into other values (1)")
			b.prepare("now ours", "insert into other values (2)")
			b.prepare("kept", "insert into a values (3)")
			b.prepare("undone", "insert into a values (4)")
			s.want()
			s.stop()
			server.Exec("flush logs")
			s.start()
			server.Exec("insert into a values (5)")
			s.want("new_shape a", "insert a + 5")
			s.stop()
			purge(t, server.My)
			b.decide("rollback", "undone")
			b.decide("commit", "elsewhere")
			server.Exec("insert into a values (6)")
			s.start()
			s.want("new_shape a", "insert a + 6")
			before := *s
			b.decide("commit", "now ours")
			s.want()
			s.stop()
			after := *s
			s.resume, s.upto, s.config.Exclude = before.resume, before.upto, []string{"test.a"}
			s.start() // what was left out when it was prepared is captured now
			s.halts(change.ErrGap, "x6e6f77206f757273", "bin.000")
			s.stop()
			s.resume, s.upto, s.config.Exclude = after.resume, after.upto, c.Exclude
			s.start()
			b.decide("commit", "kept")
			s.halts(change.ErrGap, "x6b657074", "bin.000")
		})
	}
}

// TestXAOnAnotherServer: the second phase comes on a server whose log is another.
func TestXAOnAnotherServer(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := testenv.StartMySQL(t, name, testenv.Options{}), testenv.StartMySQL(t, name, testenv.Options{})
			reset(first.My)
			reset(second.My)
			one, two := branches{t, first.My}, branches{t, second.My}
			both := func(sql ...string) {
				one.in(sql...)
				two.in(append([]string{underGTID(second, lastID(first))}, sql...)...)
			}
			both("create table a (id int primary key)")
			second.Exec("flush logs")
			x, y := one.xid("x"), one.xid("y")
			both("xa start "+x, "insert into a values (2)", "xa end "+x, "xa prepare "+x)
			s := startTail(t, first.My, configAs(t, first.My, "root", ""))
			both("insert into a values (3)")
			both("xa start "+y, "insert into a values (20)", "insert into a values (21)", "xa end "+y, "xa prepare "+y)
			both("insert into a values (4)")
			s.want("new_shape a", "insert a + 3", "insert a + 4")
			s.stop()
			second.Exec("flush logs; insert into a values (5)")
			two.decide("commit", "y")
			second.Exec("insert into a values (6)")
			s.config.Addr, s.my, s.epoch = second.Addr, second.My, 2
			s.start()
			s.want("new_shape a", "insert a + 5", "insert a + 20", "insert a + 21", "insert a + 6")
			two.decide("commit", "x")
			s.halts(change.ErrHalt, "XA COMMIT x78,")
		})
	}
}

// underGTID has the next transaction of a session be the one of that GTID.
func underGTID(on *testenv.MyServer, id string) string {
	if !on.MariaDB {
		return "set gtid_next = '" + id + "'"
	}
	part := strings.Split(id, "-")
	return fmt.Sprintf("set gtid_domain_id = %s, server_id = %s, gtid_seq_no = %s", part[0], part[1], part[2])
}

package mysql_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/connectors/sourcetest"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// replay runs statements on a server under the GTIDs that they had on another.
func replay(on *testenv.MyServer, ids []string, statements []string) {
	for i, sql := range statements {
		if on.MariaDB {
			part := strings.Split(ids[i], "-")
			on.Exec(fmt.Sprintf("set gtid_domain_id = %s, server_id = %s, gtid_seq_no = %s", part[0], part[1], part[2]))
			on.Exec(sql)
			continue
		}
		on.Exec("set gtid_next = '" + ids[i] + "'")
		on.Exec(sql)
		on.Exec("set gtid_next = 'automatic'")
	}
	if on.MariaDB {
		on.Exec("set gtid_domain_id = default, server_id = default, gtid_seq_no = 0")
	}
}

// lastID is the GTID of a server's last transaction.
func lastID(s *testenv.MyServer) string {
	gtids := s.Binlog().GTIDs
	if s.MariaDB {
		return gtids
	}
	return gtids[:37] + gtids[strings.LastIndexAny(gtids, "-:")+1:]
}

// TestAnotherServer goes on at another server where that has all that was read and still has what wasn't; else it is a gap.
func TestAnotherServer(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := testenv.StartMySQL(t, name, testenv.Options{}), testenv.StartMySQL(t, name, testenv.Options{})
			reset(first.My)
			reset(second.My)
			var ids []string
			statements := []string{"create table a (id int primary key)", "insert into a values (1)", "insert into a values (2)", "insert into a values (3)"}
			first.Exec(statements[0])
			ids = append(ids, lastID(first))
			f := &follower{t: t, my: first.My, c: configAs(t, first.My, "root", "")}
			f.at.Epoch = 1
			f.want()
			for i, sql := range statements[1:3] {
				first.Exec(sql)
				ids = append(ids, lastID(first))
				f.want(int64(i + 1))
			}
			before, at := f.id, f.at
			first.Exec(statements[3])
			ids = append(ids, lastID(first))

			replay(second, ids[:1], statements[:1])
			f.c.Addr = second.Addr
			f.gap() // it lacks what was read
			replay(second, ids[1:], statements[1:])
			second.Exec("insert into a values (4)")
			second.Exec("flush logs")
			f.at.Epoch = 2
			f.want(3, 4)
			if f.id == before {
				t.Errorf("two servers are one: %s", before)
			}
			second.Exec("insert into a values (5)")
			f.want(5)

			f.at = at // as if the pipeline had been down until now
			f.at.Epoch = 3
			purge(t, second.My)
			f.gap()
		})
	}
}

// withoutGTIDs are MySQL's settings for a server that has none.
var withoutGTIDs = testenv.Options{Settings: []string{"gtid-mode=OFF", "enforce-gtid-consistency=OFF", "log-bin=my-log_9"}}

// TestWithoutGTIDs runs the suite and the gaps on a server that knows places by file and offset only, in files of an unusual name.
func TestWithoutGTIDs(t *testing.T) {
	t.Parallel()
	s := testenv.StartMySQL(t, "mysql97", withoutGTIDs)
	t.Run("suite", func(t *testing.T) {
		var n atomic.Int64
		sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return privateHarness(t, s, fmt.Sprintf("h%d", n.Add(1))) })
	})
}

// privateHarness is a database of a private server, with a session and an account of its own.
func privateHarness(t *testing.T, s *testenv.MyServer, name string) sourcetest.Harness {
	conn := s.Connect()
	exec := func(sql ...string) {
		t.Helper()
		for _, one := range sql {
			if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), one); err != nil {
				t.Fatalf("%v\n%s", err, one)
			}
		}
	}
	exec("create database "+name, "use "+name, "create user "+name+" identified by 'x'", "grant replication slave, replication client on *.* to "+name,
		"grant select, lock tables on "+name+".* to "+name)
	c := configAs(t, s.My, name, "x")
	c.SourceID, c.Include = name, []string{name + ".*"}
	return sourcetest.Harness{
		Open:     mysql.Open(c),
		Exec:     exec,
		Txn:      func(sql ...string) { exec(append(append([]string{"begin"}, sql...), "commit")...) },
		Rollback: func(sql ...string) { exec(append(append([]string{"begin"}, sql...), "rollback")...) },
		Identities: map[string]string{
			"full":   "set session binlog_row_image = full -- %s",
			"noblob": "set session binlog_row_image = noblob -- %s",
		},
		Disconnect: func() {
			exec("select group_concat('kill ', id separator ';') into @kill from information_schema.processlist where user = '" + name + "'")
			var kill string
			if err := conn.QueryRowContext(t.Context(), "select @kill").Scan(&kill); err != nil {
				t.Fatal(err)
			}
			exec(kill)
		},
		Patience: patience,
	}
}

func TestGapsWithoutGTIDs(t *testing.T) {
	t.Parallel()
	s, other := testenv.StartMySQL(t, "mysql97", withoutGTIDs), testenv.StartMySQL(t, "mysql97", withoutGTIDs)
	f := follow(t, s)
	f.write(1)
	f.want(1)
	s.Exec("flush logs")
	f.write(2)
	f.want(2)
	at := f.at
	other.Exec("create table a (id int primary key)")
	f.c.Addr = other.Addr
	f.gap("there are no GTIDs")
	f.c.Addr = s.Addr
	s.Exec("flush logs")
	purge(t, s.My)
	f.gap("is not among")
	f.at = at
	reset(s.My)
	f.gap()
}

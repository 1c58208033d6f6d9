package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// follower reads a private server's table a from place to place.
type follower struct {
	t   *testing.T
	my  *testenv.My
	c   mysql.Config
	at  connectors.Start
	id  string // the identity
	txn string // the last transaction's
}

func follow(t *testing.T, s *testenv.MyServer) *follower {
	t.Helper()
	s.Exec("drop table if exists a")
	s.Exec("create table a (id int primary key)")
	f := &follower{t: t, my: s.My, c: configAs(t, s.My, "root", "")}
	f.at.Epoch = 1
	o := opened(t, f.c, f.at)
	f.at.Resume, f.at.Upto, f.id = o.Resume, o.Upto, o.Identity
	if err := o.Source.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// proofTime is more than a server takes to show the log behind a place.
const proofTime = 3 * time.Second

// write commits one row.
func (f *follower) write(id int) { f.my.Exec(fmt.Sprintf("insert into a values (%d)", id)) }

// try opens where the last read ended and reads to the log's end. It returns the ids that came.
func (f *follower) try() ([]int64, error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	var o connectors.Opened
	err := change.ErrBusy
	for errors.Is(err, change.ErrBusy) && ctx.Err() == nil { // the lock of the connection before
		o, err = mysql.Open(f.c)(ctx, f.at)
	}
	if err != nil {
		return nil, err
	}
	defer o.Source.Close()
	head, err := o.Source.Head(ctx)
	if err != nil {
		return nil, err
	}
	f.id, f.at.Resume, f.at.Upto = o.Identity, o.Resume, o.Upto
	var ids []int64
	for upto, batches := o.Upto, 0; upto.Less(head) || batches == 0; batches++ {
		limited, cancel := context.WithTimeout(ctx, proofTime)
		b, err := o.Source.Read(limited, 1<<20)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && !upto.Less(head) {
			break // nothing to read, and nothing wrong
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return ids, err
		}
		if err != nil {
			continue
		}
		for i := range b.Changes {
			if c := &b.Changes[i]; c.Op == change.Insert {
				ids = append(ids, c.After[0].Int())
				f.txn = c.Txn.ID
			}
		}
		upto = b.Upto
		f.at.Resume, f.at.Upto = b.Resume, b.Upto
	}
	return ids, nil
}

// want reads and fails unless exactly these rows come.
func (f *follower) want(ids ...int64) {
	f.t.Helper()
	got, err := f.try()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(ids) {
		f.t.Fatalf("rows %v, %v; want %v", got, err, ids)
	}
}

// gap fails unless the place can't be continued, for a reason that says each of parts.
func (f *follower) gap(parts ...string) {
	f.t.Helper()
	ids, err := f.try()
	if !errors.Is(err, change.ErrGap) {
		f.t.Fatalf("rows %v, %v; want a gap", ids, err)
	}
	f.t.Logf("gap: %v", err)
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			f.t.Errorf("the gap %q doesn't name %q", err, part)
		}
	}
}

// TestTransactionNames holds the stream's names of transactions against the server's.
func TestTransactionNames(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, name, testenv.Options{})
			f := follow(t, s)
			f.write(1)
			f.want(1)
			if s.MariaDB {
				if want := s.Value("select @@global.gtid_binlog_pos"); f.txn != want {
					t.Errorf("transaction %s, want %s", f.txn, want)
				}
				return
			}
			executed := s.Value("select @@global.gtid_executed")
			if want := executed[:37] + executed[strings.LastIndexAny(executed, "-:")+1:]; f.txn != want {
				t.Errorf("transaction %s, want %s", f.txn, want)
			}
			s.Exec("set gtid_next = 'automatic:tag'")
			f.write(2)
			s.Exec("set gtid_next = 'automatic'")
			f.write(3)
			f.want(2, 3)
			if !strings.Contains(string(f.at.Resume), ":tag:1") {
				t.Errorf("resume %s lacks the tagged one", f.at.Resume)
			}
			f.write(4)
			f.want(4)
		})
	}
}

func lastFile(my *testenv.My) string {
	files := my.Query("show binary logs")
	return files[len(files)-1][0]
}

// purge removes all files but the last, once nobody reads them: a connection that was closed is noticed with the next heartbeat.
func purge(t *testing.T, my *testenv.My) {
	t.Helper()
	testenv.Wait(t, "the old files to go", func() bool {
		my.Exec("purge binary logs to '" + lastFile(my) + "'")
		return len(my.Query("show binary logs")) == 1
	})
}

// reset makes the log begin anew, as RESET does.
func reset(my *testenv.My) {
	if my.MariaDB {
		my.Exec("reset master")
		return
	}
	my.Exec("reset binary logs and gtids")
}

var continuityCases = []struct {
	name string
	run  func(t *testing.T, s *testenv.MyServer)
}{
	{"rotation and a restart of the server lose nothing", func(t *testing.T, s *testenv.MyServer) {
		f := follow(t, s)
		f.write(1)
		f.want(1)
		s.Exec("flush logs")
		f.write(2)
		s.Exec("flush logs")
		s.Exec("flush logs")
		f.want(2)
		s.Restart()
		f.write(3)
		f.want(3)
	}},
	{"a file that was read whole may go", func(t *testing.T, s *testenv.MyServer) {
		f := follow(t, s)
		f.write(1)
		f.want(1)
		s.Exec("flush logs")
		purge(t, s.My)
		f.want()
		f.write(2)
		s.Exec("flush logs")
		f.want(2)
		purge(t, s.My)
		f.write(3)
		f.want(3)
	}},
	{"a file that was not read is a gap", func(t *testing.T, s *testenv.MyServer) {
		f := follow(t, s)
		f.write(1)
		f.want(1)
		s.Exec("flush logs")
		f.write(2)
		missing := ""
		if !s.MariaDB {
			executed := s.Value("select @@global.gtid_executed")
			missing = "missing: " + executed[:36] + ":" + executed[strings.LastIndexByte(executed, '-')+1:]
		}
		s.Exec("flush logs")
		purge(t, s.My)
		f.write(3)
		f.gap(missing)
	}},
	{"a log that was reset is a gap", func(t *testing.T, s *testenv.MyServer) {
		f := follow(t, s)
		f.write(1)
		f.want(1)
		reset(s.My)
		f.write(2)
		f.gap()
	}},
	{"GTIDs and places that exist again are a gap", func(t *testing.T, s *testenv.MyServer) {
		reset(s.My)
		f := follow(t, s)
		f.write(1)
		f.want(1)
		reset(s.My)
		s.Exec("drop table a")
		s.Exec("create table a (id int primary key)")
		for i := range 20 {
			f.write(100 + i) // the same statements, and so the same sizes
		}
		f.gap()
	}},
	{"a server restored from a backup is a gap", func(t *testing.T, s *testenv.MyServer) {
		f := follow(t, s)
		f.write(1)
		s.Stop()
		backup := filepath.Join(t.TempDir(), "data")
		copyTree(t, filepath.Join(s.Dir, "data"), backup)
		s.Start()
		f.write(2)
		f.write(3)
		f.want(1, 2, 3)
		s.Stop()
		run(t, "rm", "-rf", filepath.Join(s.Dir, "data"))
		copyTree(t, backup, filepath.Join(s.Dir, "data"))
		s.Start()
		for i := range 20 {
			f.write(1000 + i)
		}
		f.gap()
	}},
}

func TestContinuity(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, name, testenv.Options{})
			for _, c := range continuityCases {
				t.Run(c.name, func(t *testing.T) { c.run(t, s) })
			}
		})
	}
}

func copyTree(t *testing.T, from, to string) { run(t, "cp", "-a", from, to) }

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

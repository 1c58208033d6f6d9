package testenv_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestStartMySQL(t *testing.T) {
	t.Parallel()
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"binlog_row_metadata=MINIMAL", "log_bin=other.name"}})
			if have := s.Value("select @@binlog_row_metadata"); have != "MINIMAL" {
				t.Fatalf("binlog_row_metadata is %s", have)
			}
			if end := s.Binlog(); !strings.HasPrefix(end.File, "other.") {
				t.Errorf("the binlog is %v", end)
			}
			s.Restart("binlog_row_metadata=FULL")
			if have := s.Value("select @@binlog_row_metadata"); have != "FULL" {
				t.Fatalf("binlog_row_metadata after the restart is %s", have)
			}
			s.Exec("create table a (id int primary key); insert into a values (1)")
			crashMySQL(t, s)
			freezeMySQL(t, s)
			restoreMySQL(t, s)
		})
	}
}

// crashMySQL kills the server just after a commit, whose row and binlog events must both be there.
func crashMySQL(t *testing.T, s *testenv.MyServer) {
	t.Helper()
	s.Exec("insert into a values (10)")
	before := s.Binlog()
	s.Kill()
	if s.Running() {
		t.Fatal("a killed server runs")
	}
	if err := s.Do(t.Context(), "select 1"); err == nil {
		t.Fatal("a killed server answers")
	}
	s.Start()
	if have := s.Value("select count(*) from a"); have != "2" {
		t.Errorf("%s rows after the crash, want 2", have)
	}
	if after := s.Binlog(); after.GTIDs != before.GTIDs || after.File <= before.File {
		t.Errorf("the binlog ends at %v, before the crash at %v", after, before)
	}
}

func freezeMySQL(t *testing.T, s *testenv.MyServer) {
	t.Helper()
	session := s.Connect()
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := session.ExecContext(ctx, "select 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen session says %v", err)
	}
	s.Thaw()
	if have := s.Value("select 1"); have != "1" {
		t.Errorf("after the thaw %s", have)
	}
}

func restoreMySQL(t *testing.T, s *testenv.MyServer) {
	t.Helper()
	place := "select @@server_uuid"
	if s.MariaDB {
		place = "select @@server_id"
	}
	backup, identity := s.Backup(), s.Value(place)
	s.Exec("insert into a values (2)")
	before := s.Binlog()
	s.Restore(backup)
	if have := s.Value("select count(*) from a"); have != "2" {
		t.Errorf("%s rows in the restored table, want 2", have)
	}
	if have := s.Value(place); have != identity {
		t.Errorf("identity %s, was %s", have, identity)
	}
	if after := s.Binlog(); after.GTIDs == before.GTIDs {
		t.Errorf("the restored binlog still ends at %v", after)
	}
}

// Two servers of one kind run beside each other, and what holds from birth can be asked for.
func TestStartMySQLBorn(t *testing.T) {
	t.Parallel()
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, name, testenv.Options{Born: []string{"innodb_page_size=8k"}, Settings: []string{"innodb_page_size=8k"}})
			other := testenv.StartMySQL(t, name, testenv.Options{})
			if have, plain := s.Value("select @@innodb_page_size"), other.Value("select @@innodb_page_size"); have != "8192" || plain != "16384" {
				t.Errorf("page sizes %s and %s", have, plain)
			}
			if !s.MariaDB && s.Value("select @@server_uuid") == other.Value("select @@server_uuid") {
				t.Error("two servers of one server_uuid")
			}
		})
	}
}

func TestStartMySQLRefusesABadSetting(t *testing.T) {
	t.Parallel()
	for _, name := range testenv.MySQLServers() {
		fake := under(t, func(t testing.TB) {
			testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"no_such_setting=1"}})
		})
		if fake.ended == "skip" {
			t.Skip(fake.log.String())
		}
		if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "unknown variable") {
			t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
		}
	}
}

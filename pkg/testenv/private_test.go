package testenv_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

var majors = []int{15, 18}

func TestStartPostgres(t *testing.T) {
	t.Parallel()
	for _, major := range majors {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			s := testenv.StartPostgres(t, major, testenv.Options{Settings: []string{"wal_level=replica"}})
			if have := s.Value("show wal_level"); have != "replica" {
				t.Fatalf("wal_level is %s", have)
			}
			if s.Major < major {
				t.Errorf("Major is %d", s.Major)
			}
			s.Restart("wal_level=logical")
			if have := s.Value("show wal_level"); have != "logical" {
				t.Fatalf("wal_level after the restart is %s", have)
			}
			s.Exec("create table a (id int primary key); insert into a values (1)")
			s.Exec("select pg_create_logical_replication_slot('s', 'pgoutput')")
			crash(t, s)
			freeze(t, s)
			restore(t, s)
		})
	}
}

func crash(t *testing.T, s *testenv.PGServer) {
	t.Helper()
	s.Kill()
	if s.Running() {
		t.Fatal("a killed server runs")
	}
	if err := s.Do(t.Context(), "select 1"); err == nil {
		t.Fatal("a killed server answers")
	}
	s.Start()
	if have := s.Value("select count(*) from a"); have != "1" {
		t.Errorf("%s rows after the crash, want 1", have)
	}
}

func freeze(t *testing.T, s *testenv.PGServer) {
	t.Helper()
	session := s.Connect()
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := session.Exec(ctx, "select 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen session says %v", err)
	}
	s.Thaw()
	if have := s.Value("select 1"); have != "1" {
		t.Errorf("after the thaw %s", have)
	}
}

func restore(t *testing.T, s *testenv.PGServer) {
	t.Helper()
	const place = "select system_identifier from pg_control_system()"
	backup, identity := s.Backup(), s.Value(place)
	s.Exec("insert into a values (2)")
	before := s.Value("select pg_current_wal_lsn()")
	s.Restore(backup)
	if have := s.Value("select count(*) from a"); have != "1" {
		t.Errorf("%s rows in the restored table, want 1", have)
	}
	if have := s.Value(place); have != identity {
		t.Errorf("system identifier %s, was %s", have, identity)
	}
	if s.Value("select pg_current_wal_lsn() < '"+before+"'") != "t" {
		t.Errorf("the restored log is not older than %s", before)
	}
	if have := s.Value("select slot_name from pg_replication_slots"); have != "s" {
		t.Errorf("slot %s", have)
	}
}

func TestStartPostgresRefusesABadSetting(t *testing.T) {
	t.Parallel()
	fake := under(t, func(t testing.TB) {
		testenv.StartPostgres(t, 15, testenv.Options{Settings: []string{"wal_level=sometimes"}})
	})
	if fake.ended == "skip" {
		t.Skip(fake.log.String())
	}
	if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "invalid value for parameter") {
		t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
	}
}

// childVariable makes the test below the child that is killed.
const childVariable = "TAILWATER_TESTENV_CHILD"

func TestServerOfAKilledTestIsEnded(t *testing.T) {
	t.Parallel()
	if os.Getenv(childVariable) != "" {
		s := testenv.StartPostgres(t, 15, testenv.Options{})
		s.Freeze() // the hardest state to be ended in
		fmt.Printf("server %d %s\n", s.Pid(), s.Dir)
		select {}
	}
	testenv.Postgres(t, 15) // skips where there is none
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	for lines := bufio.NewScanner(out); pid == 0; {
		if !lines.Scan() {
			t.Fatalf("the child ended: %v", child.Wait())
		}
		fmt.Sscanf(lines.Text(), "server %d %s", &pid, &dir)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	testenv.Wait(t, "the server ends and its folder is gone", func() bool {
		_, err := os.Stat(dir)
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && os.IsNotExist(err)
	})
}

package testenv_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// scripts runs the verbs of testdata/servers with a work folder of the test's own.
type scripts struct {
	t   *testing.T
	dir string
	env []string
}

func newScripts(t *testing.T, env ...string) scripts {
	t.Helper()
	s := scripts{t: t, dir: filepath.Join("..", "..", "testdata", "servers")}
	s.env = append(os.Environ(), "TAILWATER_SERVERS="+filepath.Join(t.TempDir(), "servers"))
	s.env = append(s.env, env...)
	t.Cleanup(func() { s.run("stop") })
	return s
}

// run returns what the verb printed, both streams, and its exit code.
func (s scripts) run(verb string, args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.dir, verb), args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var runsAs = regexp.MustCompile(`pid (\d+), port (\d+)`)

// start starts pg15 and returns its pid and port.
func (s scripts) start() (pid, port int) {
	s.t.Helper()
	out, code := s.run("start", "pg15")
	found := runsAs.FindStringSubmatch(out)
	if code != 0 || found == nil {
		s.t.Fatalf("start ends with %d: %s", code, out)
	}
	pid, _ = strconv.Atoi(found[1])
	port, _ = strconv.Atoi(found[2])
	return pid, port
}

func TestServersStartAndStop(t *testing.T) {
	t.Parallel()
	testenv.Postgres(t, 15) // skips where there is none
	s := newScripts(t)
	pid, port := s.start()
	if again, samePort := s.start(); again != pid || samePort != port {
		t.Errorf("a second start: pid %d, port %d, want %d and %d", again, samePort, pid, port)
	}
	if out, _ := s.run("status"); !strings.Contains(out, "pg15: pid "+strconv.Itoa(pid)) {
		t.Errorf("status says %s", out)
	}
	want := "export TAILWATER_PG15=postgres://postgres@127.0.0.1:" + strconv.Itoa(port) + "/"
	if out, _ := s.run("env"); !strings.Contains(out, want) {
		t.Errorf("env says %s", out)
	}

	// A killed server leaves its pid file.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the killed server is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	if out, code := s.run("status"); code != 1 || !strings.Contains(out, "pg15: stopped") {
		t.Errorf("status of a killed server ends with %d: %s", code, out)
	}
	next, _ := s.start()
	if next == pid {
		t.Fatal("start believes the stale pid file")
	}

	if out, code := s.run("stop"); code != 0 || out != "pg15: stopped\n" {
		t.Errorf("stop ends with %d: %s", code, out)
	}
	testenv.Wait(t, "init reaps the stopped server", func() bool { return errors.Is(syscall.Kill(next, 0), syscall.ESRCH) })
	if out, code := s.run("stop"); code != 0 {
		t.Errorf("a second stop ends with %d: %s", code, out)
	}
	if out, _ := s.run("env"); strings.Contains(out, "TAILWATER_PG15=") {
		t.Errorf("env of a stopped server says %s", out)
	}
}

// A pid file may outlive its process, and the pid be another's by then.
func TestServersStopLeavesStrangersAlone(t *testing.T) {
	t.Parallel()
	s := newScripts(t)
	stranger := exec.Command("cat")
	input, err := stranger.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		input.Close()
		if err := stranger.Wait(); err != nil {
			t.Errorf("the stranger: %v", err)
		}
	}()
	pidFile := filepath.Join(t.TempDir(), "servers", "pg15", "pid")
	s.env = append(s.env, "TAILWATER_SERVERS="+filepath.Dir(filepath.Dir(pidFile)))
	if err := os.MkdirAll(filepath.Dir(pidFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(stranger.Process.Pid)+" 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := s.run("stop"); code != 0 || strings.Contains(out, "stopped") {
		t.Errorf("stop ends with %d: %s", code, out)
	}
}

func TestServersNotToBeHad(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("without java the recipe would ask apt first")
	}
	bin, cache := t.TempDir(), t.TempDir()
	broken := "#!/bin/sh\necho '[ERROR] no such artifact' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte(broken), 0o755); err != nil {
		t.Fatal(err)
	}
	s := newScripts(t, "TAILWATER_CACHE="+cache, "PATH="+bin+":"+os.Getenv("PATH"))
	out, code := s.run("install", "kafka")
	if code != 0 || !strings.HasPrefix(out[strings.Index(out, "NOT RUN"):], "NOT RUN kafka: error: Maven can't serve Kafka") {
		t.Errorf("install ends with %d: %s", code, out)
	}
	list, err := os.ReadFile(filepath.Join(cache, "not-run"))
	if err != nil || strings.Count(string(list), "NOT RUN kafka: ") != 1 {
		t.Errorf("the list is %q, %v", list, err)
	}
	if out, code := s.run("start", "kafka"); code != 0 || !strings.Contains(out, "NOT RUN kafka: ") {
		t.Errorf("start ends with %d: %s", code, out)
	}
	if out, code := s.run("start", "pg99"); code == 0 || !strings.Contains(out, "no server is called pg99") {
		t.Errorf("start pg99 ends with %d: %s", code, out)
	}
}

func TestServersSysbench(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sysbench"); err != nil {
		t.Skip("no sysbench")
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		t.Parallel()
		sysbench := func(args ...string) string {
			args = append([]string{my.Name, my.Database, "oltp_read_write", "--tables=1", "--table-size=100", "--rand-seed=7"}, args...)
			out, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", "testdata", "servers", "sysbench"), args...).CombinedOutput()
			if err != nil {
				t.Fatalf("sysbench: %v\n%s", err, out)
			}
			return string(out)
		}
		sysbench("prepare")
		before := my.Checksum("sbtest1", "id")
		if out := sysbench("--threads=2", "--events=20", "--time=0", "run"); !strings.Contains(out, "total number of events:              20") {
			t.Errorf("sysbench says %s", out)
		}
		if after := my.Checksum("sbtest1", "id"); after == before || !strings.HasPrefix(after, "100:") {
			t.Errorf("the table was %s and is %s", before, after)
		}
	})
}

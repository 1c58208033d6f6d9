package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary the program itself, so that the tests see exit codes, signals and both outputs as a shell does.
const asProgram = "TAILWATER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is one run of the program in a folder of its own.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err bytes.Buffer
	done     chan struct{}
}

// start starts the program in dir; env is added to an environment without variables of ours.
func start(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(self, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is read from ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// wait waits for the end and returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		p.t.Fatalf("%v runs for 60 s\n%s", p.cmd.Args[1:], p.text())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) text() string { return p.out.String() + p.err.String() }

// once runs the program to its end.
func once(t *testing.T, dir string, env []string, args ...string) (*process, int) {
	t.Helper()
	p := start(t, dir, env, args...)
	return p, p.wait()
}

// envelopeOf reads what --json prints.
func (p *process) envelope() envelope {
	p.t.Helper()
	var e envelope
	d := json.NewDecoder(strings.NewReader(p.out.String()))
	if err := errors.Join(d.Decode(&e), atEnd(d)); err != nil {
		p.t.Fatalf("%v: %v\n%s", p.cmd.Args[1:], err, p.out.String())
	}
	return e
}

func atEnd(d *json.Decoder) error {
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

// folder is a new folder with a config in it.
func folder(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tailwater.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

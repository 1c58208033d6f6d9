package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	startTries = 5    // a port can be taken between our look and the server's bind
	logShown   = 4096 // bytes of a server's log in the message when it doesn't come up
)

// Process is a server of one test. Its methods end the test on an error; only the test's own goroutine calls them.
type Process struct {
	Dir  string // its folder on this machine, data and log; removed at cleanup
	Port int    // on 127.0.0.1; the same after Start

	t         testing.TB
	name      string
	recipe    string
	flag      string         // what precedes a setting among the recipe's arguments, if anything
	settings  []string       // "name=value", of every run; a later one wins
	interrupt syscall.Signal // asks for a shutdown in order
	ready     func(ctx context.Context) error

	cmd    *exec.Cmd
	exited chan struct{} // closed once the process is reaped
}

// begin prepares the server's data and runs it, ended by the test's cleanup.
func (p *Process) begin(prepare func(p *Process) error) error {
	p.exited = make(chan struct{})
	close(p.exited) // nothing runs yet
	p.t.Cleanup(p.end)
	var err error
	for range startTries {
		if p.Port, err = freePort(); err != nil {
			return err
		}
		if err = prepare(p); err != nil {
			return err
		}
		if err = p.launch(); err == nil || listen(p.Port) == nil {
			return err // up, or down for another reason than the port
		}
	}
	return err
}

// end is the cleanup: whatever state the test left the server in, nothing of it stays.
func (p *Process) end() {
	if p.t.Failed() {
		p.t.Logf("the log of %s ends:\n%s", p.name, p.logTail())
	}
	if err := p.kill(); err != nil {
		p.t.Errorf("clean up: %v", err)
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		p.t.Errorf("clean up: %v", err)
	}
}

// launch runs the process and waits until it is ready.
func (p *Process) launch() error {
	args := []string{"run", p.Dir, strconv.Itoa(p.Port)}
	for _, setting := range p.settings {
		if p.flag != "" {
			args = append(args, p.flag)
		}
		args = append(args, setting)
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.name, err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(p.recipe, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: an interrupt at the terminal goes to the test, whose end ends the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	guard, err := watch(cmd.Process.Pid, p.Dir)
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() { // ends with the process, which the cleanup kills and waits for
		cmd.Wait() // how it ended is in ProcessState
		guard.dismiss()
		close(exited)
	}()
	if err != nil {
		return errors.Join(err, p.kill())
	}
	return p.await()
}

func (p *Process) await() error {
	ctx, cancel := context.WithTimeout(p.t.Context(), waitLimit)
	defer cancel()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended at its start: %v\n%s", p.name, p.cmd.ProcessState, p.logTail())
		case <-ctx.Done():
			return fmt.Errorf("%s does not come up on port %d: %w\n%s", p.name, p.Port, err, p.logTail())
		case <-time.After(waitLast):
		}
	}
}

func (p *Process) logPath() string { return filepath.Join(p.Dir, "log") }

func (p *Process) logTail() []byte {
	log, err := os.ReadFile(p.logPath())
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-logShown):]
}

// Log returns what the server has written to its log so far.
func (p *Process) Log() string {
	p.t.Helper()
	log, err := os.ReadFile(p.logPath())
	if err != nil {
		p.t.Fatal(err)
	}
	return string(log)
}

// Running reports whether the process is there, frozen or not.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Pid is the server's main process. It is meaningless after Kill or Stop.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Start runs a stopped or killed server again, on the same data and port. Settings ("name=value") hold from now on, for
// later runs too.
func (p *Process) Start(settings ...string) {
	p.t.Helper()
	if p.Running() {
		p.t.Fatalf("%s runs already", p.name)
	}
	p.settings = append(p.settings, settings...)
	if err := p.launch(); err != nil {
		p.t.Fatal(err)
	}
}

// Stop asks the server to shut down in order and waits for its end.
func (p *Process) Stop() {
	p.t.Helper()
	if err := p.signal(p.interrupt); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(waitLimit):
		p.t.Fatalf("%s did not shut down in %s\n%s", p.name, waitLimit, p.logTail())
	}
}

// Restart is Stop, then Start with settings.
func (p *Process) Restart(settings ...string) {
	p.t.Helper()
	p.Stop()
	p.Start(settings...)
}

// Kill ends the server and all its children at once, as kill -9 or a failing machine would, and waits for their end.
func (p *Process) Kill() {
	p.t.Helper()
	if err := p.kill(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Process) kill() error {
	if !p.Running() {
		return nil
	}
	// Stopped first, it starts no further child behind our back.
	children, err := p.freeze()
	if err != nil {
		return err
	}
	for _, pid := range append(children, p.Pid()) {
		if err := signal(pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	<-p.exited
	for _, pid := range children {
		if err := awaitState(pid, gone); err != nil {
			return err
		}
	}
	return nil
}

// Freeze stops the server and all its children where they are (SIGSTOP): connections stay open and nothing answers.
func (p *Process) Freeze() {
	p.t.Helper()
	if _, err := p.freeze(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Process) freeze() (children []int, err error) {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	// Until it is seen to stand it may still finish a fork.
	if err := awaitState(p.Pid(), stopped); err != nil {
		return nil, err
	}
	if children, err = childrenOf(p.Pid()); err != nil {
		return nil, err
	}
	for _, pid := range children {
		if err := signal(pid, syscall.SIGSTOP); err != nil {
			return nil, err
		}
	}
	for _, pid := range children {
		if err := awaitState(pid, stopped); err != nil {
			return nil, err
		}
	}
	return children, nil
}

// Thaw lets a frozen server go on.
func (p *Process) Thaw() {
	p.t.Helper()
	children, err := childrenOf(p.Pid())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, pid := range append(children, p.Pid()) {
		if err := signal(pid, syscall.SIGCONT); err != nil {
			p.t.Fatal(err)
		}
	}
}

// signal sends sig to the main process, which is ours until its Wait has returned.
func (p *Process) signal(sig syscall.Signal) error {
	if !p.Running() {
		return fmt.Errorf("%s doesn't run", p.name)
	}
	return signal(p.Pid(), sig)
}

// run runs one verb of the recipe to its end.
func (p *Process) run(verb string, args ...string) error {
	cmd := exec.CommandContext(p.t.Context(), p.recipe, append([]string{verb}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", p.name, verb, err, bytes.TrimSpace(out))
	}
	return nil
}

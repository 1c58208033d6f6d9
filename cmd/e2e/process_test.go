package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to end, on a machine that does much else.
const patience = 3 * time.Minute

// output collects what a process prints while others look at it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is one life of the program.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err output
	done     chan struct{}
}

// begin starts the program in a folder that holds tailwater.yaml.
func begin(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return beginAs(t, path, dir, args...)
}

// beginAs is begin for another build of the program.
func beginAs(t *testing.T, path, dir string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.out, &p.err
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // a second each, otherwise
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which the cleanup kills
		_ = p.cmd.Wait() // the exit code is read from ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// ends waits for the end and for the exit code, and returns what was said on standard error.
func (p *process) ends(code int) string {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it says what it waits for
		<-p.done
		p.t.Fatalf("%v runs for %s\n%s%s", p.cmd.Args[1:], patience, &p.out, &p.err) // all of it: what it waits for stands in the middle
	}
	if have := p.cmd.ProcessState.ExitCode(); have != code {
		p.t.Fatalf("%v: exit code %d, want %d\n%s", p.cmd.Args[1:], have, code, p.tail())
	}
	return p.err.String()
}

// refuses waits for an end with the code and one sentence that says all of words; or two, where both loops have met the same thing.
func (p *process) refuses(code int, words ...string) {
	p.t.Helper()
	said := p.ends(code)
	var errors []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "error: ") || len(errors) > 0 { // the error, and its fix below it, are the last that is said
			errors = append(errors, line)
		}
	}
	last := len(errors)
	if last > 0 && strings.HasPrefix(errors[last-1], "fix: ") {
		last--
	}
	for last > 1 && (strings.ContainsAny(errors[last-1][:1], " )")) { // a statement to run may take lines
		last--
	}
	both := last == 2 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(errors[0], w) || !strings.Contains(errors[1], w) })
	if last != 1 && !both {
		p.t.Errorf("%v says %d lines, want one sentence:\n%s", p.cmd.Args[1:], len(errors), strings.Join(errors, ""))
	}
	for _, w := range words {
		if !strings.Contains(strings.Join(errors, ""), w) {
			p.t.Errorf("%v lacks %q:\n%s", p.cmd.Args[1:], w, strings.Join(errors, ""))
		}
	}
	p.t.Logf("exit code %d: %s", code, strings.TrimSpace(strings.Join(errors, "")))
}

// stop asks for a graceful end.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("%v\n%s", err, p.tail())
	}
	p.ends(0)
}

// alive fails the test when the process has ended by itself.
func (p *process) alive() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Fatalf("%v ended with %d\n%s", p.cmd.Args[1:], p.cmd.ProcessState.ExitCode(), p.tail())
	default:
	}
}

func (p *process) tail() string {
	lines := strings.Split(p.out.String()+p.err.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// get asks the process that runs in dir, without its token; "" while it doesn't answer.
func get(t *testing.T, dir, path string) (status int, body string) {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(dir, "state", "address"))
	if err != nil {
		return 0, ""
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+strings.TrimSpace(string(address))+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

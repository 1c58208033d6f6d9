package crash

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint/file"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// route is a stream and the servers at its ends.
type route struct{ stream, source, sink string }

func (r route) String() string { return r.source + "-" + r.stream + "-" + r.sink }

// rig is one pipeline between two databases, and the program that runs it.
type rig struct {
	t      *testing.T
	route  route
	source engine
	target engine
	broker *testenv.Broker
	prefix string
	dir    string
	arm    string // the fault fires once this file exists
}

func newRig(t *testing.T, way route) *rig {
	r := &rig{t: t, route: way, source: newEngine(t, way.source), target: newEngine(t, way.sink), dir: t.TempDir()}
	r.prefix, r.arm = r.source.name(), filepath.Join(r.dir, "armed")
	link := "type: direct"
	if way.stream == "kafka" {
		r.broker = testenv.Kafka(t)
		r.prefix = r.broker.Prefix(t)
		link = fmt.Sprintf("type: kafka, brokers: [%q], tls: { mode: disable }, prefix: %q, partitions: 3", r.broker.Addr, r.prefix)
	}
	config := fmt.Sprintf(`version: 1
server: { listen: "127.0.0.1:0", state_dir: %q }
pipelines:
  - name: %s
    source:
      snapshot: { mode: initial }
      %s
    stream: { %s }
    sinks:
      - { name: copy, create_tables: true, %s }
`, filepath.Join(r.dir, "state"), r.prefix, r.source.source(), link, r.target.sink())
	if err := os.WriteFile(filepath.Join(r.dir, "tailwater.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// process is one life of the program.
type process struct {
	rig  *rig
	cmd  *exec.Cmd
	out  output
	done chan struct{}
	err  error
}

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

// start runs the program; fault is a point's name, "" for none.
func (r *rig) start(fault string, args ...string) *process {
	r.t.Helper()
	_ = os.Remove(r.arm)
	p := &process{rig: r, done: make(chan struct{})}
	p.cmd = exec.Command(os.Getenv("TAILWATER_CRASH_BINARY"), append([]string{"run", "-c", "tailwater.yaml"}, args...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = r.dir, &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Env = os.Environ()
	if fault != "" {
		p.cmd.Env = append(p.cmd.Env, "TAILWATER_FAULT="+fault+"@"+r.arm)
	}
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	r.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

func (p *process) fireFault() {
	p.rig.t.Helper()
	if err := os.WriteFile(p.rig.arm, nil, 0o600); err != nil {
		p.rig.t.Fatal(err)
	}
}

// killed waits until the fault has killed the process.
func (p *process) killed(point string) {
	t := p.rig.t
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(90 * time.Second):
		t.Fatalf("%s was not reached in 90 s\n%s", point, p.tail())
	}
	if !strings.Contains(p.out.String(), "fault: killed at "+point) {
		t.Fatalf("the process ended by itself (%v) before %s\n%s", p.err, point, p.tail())
	}
}

// ends waits until the process ends by itself with exit code 0.
func (p *process) ends(what string) {
	t := p.rig.t
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(120 * time.Second):
		t.Fatalf("%s took more than 120 s\n%s", what, p.tail())
	}
	if p.err != nil {
		t.Fatalf("%s: %v\n%s", what, p.err, p.tail())
	}
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) tail() string {
	lines := strings.Split(p.out.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// begun says that the first place has been saved: what is committed from now on, the stream brings.
func (r *rig) begun() bool {
	found, err := filepath.Glob(filepath.Join(r.dir, "state", "*.checkpoint"))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(found) > 0
}

// saved is the checkpoint that the dead process left, and the log address in it; ok is false where it left none yet.
func (r *rig) saved() (address uint64, ok bool) {
	r.t.Helper()
	store, err := file.Open(filepath.Join(r.dir, "state"))
	if err != nil {
		r.t.Fatalf("open the dead process's checkpoint: %v", err)
	}
	defer store.Close()
	rec, err := store.Load(context.Background(), r.prefix)
	if err != nil {
		return 0, false
	}
	address, err = r.source.address(rec)
	if err != nil {
		r.t.Fatalf("the place in %q: %v", rec.Resume, err)
	}
	return address, true
}

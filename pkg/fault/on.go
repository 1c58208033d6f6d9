//go:build fault

package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// plan is the one point of this process at which it dies, read once from TAILWATER_FAULT.
var plan = sync.OnceValue(func() *target {
	t := &target{after: 1}
	spec, file, _ := strings.Cut(os.Getenv("TAILWATER_FAULT"), "@")
	t.file = file
	name, n, counted := strings.Cut(spec, ":")
	t.name = name
	if counted {
		t.after, _ = strconv.Atoi(n) // a bad number is 0: the point is never reached, and the test that set it fails
	}
	return t
})

type target struct {
	mu    sync.Mutex
	name  string
	file  string // armed only once this exists, if not empty
	after int
	seen  int
}

// Point kills this process with SIGKILL if TAILWATER_FAULT names it and its count is reached. It says so on standard error first.
func Point(name string) {
	t := plan()
	if t.name != name {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != "" {
		if _, err := os.Stat(t.file); err != nil {
			return
		}
	}
	t.seen++
	if t.seen != t.after {
		return
	}
	fmt.Fprintf(os.Stderr, "fault: killed at %s, passing %d\n", name, t.seen)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // SIGKILL is on its way
}

package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// TestHeadroomTakesNoMemory: what the collector is told of is not resident, and the limit leaves as much beside it as was asked for.
func TestHeadroomTakesNoMemory(t *testing.T) {
	defer debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	before := resident(t)
	room := tuneCollector(64 << 20)
	if grown := resident(t) - before; grown > headroom/4 {
		t.Errorf("%d MiB more are resident", grown>>20)
	}
	if limit := debug.SetMemoryLimit(-1); limit-int64(len(room)) != 64<<20 {
		t.Errorf("a limit of %d MiB beside %d of headroom", limit>>20, len(room)>>20)
	}
	runtime.KeepAlive(room)
}

// resident is what the kernel has found for this process, in bytes: proc(5), statm.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

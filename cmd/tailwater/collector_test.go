package main

import (
	"encoding/binary"
	"math"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestHeadroomTakesNoMemory: what the collector is told of is not resident, and the limit leaves as much beside it as was asked for.
func TestHeadroomTakesNoMemory(t *testing.T) {
	defer debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	used := make([]byte, 2*headroom) // its addresses are free again: make clears them, as it may in a program that has loaded its config
	clear(used)
	runtime.KeepAlive(used)
	runtime.GC()
	room, err := tuneCollector(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if n := resident(t, room); n > 0 {
		t.Errorf("%d pages of it are resident", n)
	}
	if limit := debug.SetMemoryLimit(-1); limit-int64(len(room)) != 64<<20 {
		t.Errorf("a limit of %d MiB beside %d of headroom", limit>>20, len(room)>>20)
	}
	runtime.KeepAlive(room)
}

// resident is how many pages of b the kernel has found: proc(5), pagemap; a page is 64 bits, the highest says that it is there.
func resident(t *testing.T, b []byte) int {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	const entry = 8
	pages := make([]byte, len(b)/os.Getpagesize()*entry)
	if _, err := f.ReadAt(pages, int64(reflect.ValueOf(b).Pointer())/int64(os.Getpagesize())*entry); err != nil {
		t.Fatal(err)
	}
	var n int
	for at := 0; at < len(pages); at += entry {
		n += int(binary.NativeEndian.Uint64(pages[at:]) >> 63)
	}
	return n
}

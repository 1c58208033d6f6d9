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
	c, err := tuneCollector(256 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if n := resident(t, c.room); n > 0 {
		t.Errorf("%d pages of it are resident", n)
	}
	if limit := debug.SetMemoryLimit(-1); limit-int64(len(c.room)) != aim(256<<20, 0) {
		t.Errorf("a limit of %d MiB beside %d of headroom", limit>>20, len(c.room)>>20)
	}
}

// TestTheCollectorsAimFollowsWhatIsInUse: what is kept makes room for itself, up to the limit and not above it.
func TestTheCollectorsAimFollowsWhatIsInUse(t *testing.T) {
	defer debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	const mib = 1 << 20
	for _, c := range []struct{ limit, live, want int64 }{
		{limit: 250 * mib, want: 100 * mib},
		{limit: 250 * mib, live: 60 * mib, want: 100 * mib},
		{limit: 250 * mib, live: 100 * mib, want: 141 * mib},
		{limit: 250 * mib, live: 200 * mib, want: 250 * mib},
		{limit: 250 * mib, live: 300 * mib, want: 250 * mib},
		{limit: 50 * mib, live: 12 * mib, want: 31 * mib},
	} {
		if got := aim(c.limit, c.live); got != c.want {
			t.Errorf("a limit of %d MiB with %d in use: %d MiB, want %d", c.limit/mib, c.live/mib, got/mib, c.want/mib)
		}
	}

	c, err := tuneCollector(256 * mib)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	kept := make([]byte, 120*mib)
	runtime.GC()
	c.look()
	runtime.KeepAlive(kept)
	if limit := debug.SetMemoryLimit(-1); limit < aim(256*mib, int64(len(kept)))+headroom {
		t.Errorf("a limit of %d MiB with %d in use", limit/mib, len(kept)/mib)
	}
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

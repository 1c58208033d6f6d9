package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

const (
	// gcPercent is Go's GOGC unless the environment sets it. Rows live for milliseconds, so collecting twice as often costs little (measured:
	// 0.2 s of CPU in a million rows) and keeps the process a third smaller.
	gcPercent = 50

	// headroom is what the collector is told to be in use beside what is. It runs when the heap has grown by gcPercent, which with the 14 MiB
	// that capture needs would be after every 7 MiB.
	headroom = 16 << 20

	// aimEvery is how often the collector's aim is looked at.
	aimEvery = time.Second
)

// collector keeps the process small.
type collector struct {
	limit int64  // what the process should stay below
	room  []byte // headroom: reachable for as long as it shall count, and never touched, so it takes addresses and no memory
	stop  chan struct{}
	done  chan struct{}
}

// tuneCollector sets how often garbage is collected, until close.
func tuneCollector(memoryLimit int64) (*collector, error) {
	c := &collector{limit: memoryLimit, room: make([]byte, headroom), stop: make(chan struct{}), done: make(chan struct{})}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	c.take(0)
	// Where some of its addresses had been used before, make has cleared all of it, which made it resident: madvise(2).
	if err := syscall.Madvise(c.room, syscall.MADV_DONTNEED); err != nil {
		return nil, fmt.Errorf("give back the collector's headroom: %w", err)
	}
	go c.run()
	return c, nil
}

// close leaves the collector as it is.
func (c *collector) close() {
	close(c.stop)
	<-c.done
}

func (c *collector) run() {
	defer close(c.done)
	tick := time.NewTicker(aimEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.look()
	}
}

// look takes what the last collection found in use.
func (c *collector) look() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	c.take(int64(live[0].Value.Uint64()) - headroom)
}

// take has the collector aim at what suits so many bytes in use.
func (c *collector) take(live int64) {
	debug.SetMemoryLimit(aim(c.limit, live) + headroom) // the limit counts it too
}

// aim is how large the process may become before it is collected more often than by gcPercent: two fifths of the limit, as long as a quarter of
// what is in use and 16 MiB have room beside it. With less room than that the collector would run all the time.
func aim(limit, live int64) int64 {
	return min(limit, max(limit*2/5, live+live/4+16<<20))
}

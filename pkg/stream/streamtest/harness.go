package streamtest

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// Harness is one stream under test, empty when it is handed over.
type Harness struct {
	Source string   // source id that the tables carry
	Sinks  []string // at least two names for which a Subscriber may be opened
	Lanes  int      // lanes of one table

	// Open opens the stream; after Close it is called again and gives the same stream, as after a restart of the process.
	Open func(t *testing.T) stream.Stream

	Durable       bool // what is acknowledged stays after Close; false: the sinks' marks are the only memory
	AckedByCommit bool // a batch is acknowledged once every sink has committed it; false: once the stream has it
	Dedupes       bool // within one epoch a replayed row change is dropped by the stream; false: it comes again, as a contiguous replay
	Rebalances    bool // a second subscriber of the same sink takes lanes away from the first

	// Stall makes the stream take nothing in until resume. nil: a stream that is AckedByCommit stalls by itself while no sink commits.
	Stall func(t *testing.T) (resume func())
	// MemoryBytes is what a Publisher holds at most before Publish blocks.
	MemoryBytes int
}

// Run runs the suite. newHarness is called once for each case.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	cases := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"order per key, nothing lost, nothing twice", testOrder},
		{"acknowledged is a contiguous prefix, never early", testAcked},
		{"a replay after reopening", testReplay},
		{"publish blocks while full", testBackPressure},
		{"a marker comes in all lanes at once", testMarkers},
		{"two sinks are independent", testTwoSinks},
		{"no delivery of a lane that has one", testLaneRule},
		{"the ends are reached", testEnds},
		{"a newer publisher fences the older", testFenced},
		{"closing ends what is blocked", testClose},
		{"a lost lane can't be committed", testLost},
		{"a sink goes on at its mark", testResume},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, newHarness(t))
		})
	}
}

// open opens the stream and closes it with the test.
func (h *Harness) open(t *testing.T) stream.Stream {
	t.Helper()
	s := h.Open(t)
	t.Cleanup(func() { closed(t, s) })
	return s
}

func (h *Harness) publisher(t *testing.T, s stream.Stream, start stream.Start) stream.Publisher {
	t.Helper()
	p, err := s.Publisher(t.Context(), start)
	if err != nil {
		t.Fatalf("open a publisher: %v", err)
	}
	return p
}

func closed(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

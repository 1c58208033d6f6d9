package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// State is what a pipeline is doing.
type State string

// The states.
const (
	Starting     State = "starting"
	Snapshotting State = "snapshot" // running, and a snapshot is not complete
	Running      State = "running"
	Draining     State = "draining" // asked to stop; what is in flight is finished
	Halted       State = "halted"   // ended for a reason that somebody has to look at
	Stopped      State = "stopped"
)

// Status is a pipeline at one instant. The chain Read >= Published >= Saved >= Released always holds.
type Status struct {
	Pipeline    string                `json:"pipeline"`
	State       State                 `json:"state"`
	Capturing   bool                  `json:"capturing"` // source and publisher are open
	Epoch       uint32                `json:"epoch"`
	Identity    string                `json:"identity"`
	Read        change.Position       `json:"read"`
	Published   change.Position       `json:"published"` // acknowledged by the stream
	Unacked     int                   `json:"unacked"`   // batches that are read and not acknowledged by the stream
	AckedAt     time.Time             `json:"acked_at"`  // when it acknowledged the last one, or the first of these was read
	Saved       change.Position       `json:"saved"`
	SavedAt     time.Time             `json:"saved_at"` // of the last Save in this process
	Released    change.Position       `json:"released"`
	Committed   time.Time             `json:"committed"` // by the source's clock, the last transaction read
	NotReady    string                `json:"not_ready"` // it runs, and this keeps something from moving; empty: nothing does
	Snapshot    []connectors.Progress `json:"snapshot"`
	Sinks       []SinkStatus          `json:"sinks"`
	Restarts    int                   `json:"restarts"`
	LastError   string                `json:"last_error"` // of any loop; stays after it has recovered
	LastErrorAt time.Time             `json:"last_error_at"`
}

// Ready says that the pipeline runs and that nothing keeps it from moving.
func (s *Status) Ready() bool {
	return (s.State == Running || s.State == Snapshotting) && s.NotReady == ""
}

// SinkStatus is one sink's part of a Status.
type SinkStatus struct {
	Sink   string        `json:"sink"`
	Ready  bool          `json:"ready"`
	Marks  []change.Mark `json:"marks"` // of the lanes that are assigned to this process, by stream and lane
	Parked int           `json:"parked"`
	Paused bool          `json:"paused"` // a lane waits because parked_limit is reached
	Retry  string        `json:"retry"`  // what the target said last, while calls are tried again; empty: none is
	Since  time.Time     `json:"since"`  // when the first of those failed first
	Waits  int           `json:"waits"`  // lanes that wait for the order of others
}

// board holds what Status shows. The loops write, anybody reads.
type board struct {
	mu       sync.Mutex
	s        Status
	live     map[string]bool                 // loops that have succeeded once and run: "" is capture
	need     int                             // loops that there are
	progress func() []connectors.Progress    // nil: no source is open
	lanes    map[string]func() []change.Mark // where the lanes of each sink that runs stand
	captures bool
	apart    map[string]apart // what keeps a sink from its lanes
	retrying map[string]int   // how many calls of each sink are tried again
	paused   map[string]int   // how many lanes of each sink wait at parked_limit
}

func newBoard(c *Config) *board {
	b := &board{s: Status{Pipeline: c.Name, State: Starting}, live: map[string]bool{}, lanes: map[string]func() []change.Mark{}, paused: map[string]int{}, retrying: map[string]int{}, apart: map[string]apart{}, captures: c.captures()}
	if c.captures() {
		b.need++
	}
	if c.applies() {
		b.need += len(c.Sinks)
		for _, s := range c.Sinks {
			b.s.Sinks = append(b.s.Sinks, SinkStatus{Sink: s.Name})
		}
	}
	return b
}

func (b *board) update(f func(s *Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.s)
}

func (b *board) sink(name string, f func(s *SinkStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.s.Sinks {
		if b.s.Sinks[i].Sink == name {
			f(&b.s.Sinks[i])
		}
	}
}

// marks says who knows where a sink's lanes stand; nil: it doesn't run.
func (b *board) marks(sink string, look func() []change.Mark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lanes[sink] = look
}

// pausing takes in that so many more lanes of a sink wait at parked_limit.
func (b *board) pausing(sink string, more int) {
	b.sink(sink, func(s *SinkStatus) {
		b.paused[sink] += more
		s.Paused = b.paused[sink] > 0
	})
}

// retry takes in that a call of a sink has failed and is tried again.
func (b *board) retry(sink string, first bool, err error) {
	b.sink(sink, func(s *SinkStatus) {
		if first {
			b.retrying[sink]++
		}
		if s.Retry == "" {
			s.Since = time.Now()
		}
		s.Retry = err.Error()
	})
}

// apart is what keeps a sink from its lanes, and since when.
type apart struct {
	err   error
	since time.Time
}

// trouble takes in what keeps a sink from its lanes; nil: nothing does.
func (b *board) trouble(sink string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.apart[sink]
	switch {
	case err == nil:
		delete(b.apart, sink)
	case was.err == nil:
		b.apart[sink] = apart{err: err, since: time.Now()}
	default:
		b.apart[sink] = apart{err: err, since: was.since}
	}
}

// retried takes in that such a call has come to an end.
func (b *board) retried(sink string) {
	b.sink(sink, func(s *SinkStatus) {
		b.retrying[sink]--
		if b.retrying[sink] == 0 {
			s.Retry, s.Since = "", time.Time{}
		}
	})
}

// stuckAfter is how long nothing may move before a pipeline is not ready: a broker's failover or a target's restart is shorter.
const stuckAfter = 15 * time.Second

// notReady is what keeps a running pipeline from moving. The caller holds mu.
func (b *board) notReady(now time.Time) string {
	var all []string
	if b.captures && !b.live[""] {
		all = append(all, "the source or the stream is not open")
	}
	if d := now.Sub(b.s.AckedAt); b.s.Unacked > 0 && d >= stuckAfter {
		all = append(all, fmt.Sprintf("%d batches are read, and the stream has acknowledged none for %s", b.s.Unacked, d.Round(time.Second)))
	}
	for i := range b.s.Sinks {
		k := &b.s.Sinks[i]
		lanes := b.apart[k.Sink]
		switch d := now.Sub(k.Since); {
		case lanes.err != nil && now.Sub(lanes.since) >= stuckAfter:
			all = append(all, fmt.Sprintf("sink %s: no lanes for %s: %v", k.Sink, now.Sub(lanes.since).Round(time.Second), lanes.err))
		case !k.Ready:
			all = append(all, "sink "+k.Sink+": its target or the stream is not open")
		case k.Retry != "" && d >= stuckAfter:
			all = append(all, fmt.Sprintf("sink %s: the target fails for %s", k.Sink, d.Round(time.Second)))
		}
	}
	return strings.Join(all, "; ")
}

// source says where progress comes from while a source is open; nil: it is closed.
func (b *board) source(progress func() []connectors.Progress) {
	b.mu.Lock()
	b.progress = progress
	b.mu.Unlock()
	if progress != nil {
		now := progress()
		b.update(func(s *Status) { s.Snapshot = now })
	}
}

// snapshot is a copy with the source's present progress.
func (b *board) snapshot() Status {
	b.mu.Lock()
	progress := b.progress
	lanes := maps.Clone(b.lanes)
	b.mu.Unlock()
	var now []connectors.Progress
	if progress != nil {
		now = progress() // the source's own lock: not under ours
	}
	marks := map[string][]change.Mark{}
	for name, look := range lanes {
		if look != nil {
			marks[name] = look()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if progress != nil {
		b.s.Snapshot = now
	}
	s := b.s
	if s.State == Running && !complete(s.Snapshot) {
		s.State = Snapshotting
	}
	if s.State == Running || s.State == Snapshotting {
		s.NotReady = b.notReady(time.Now())
	}
	s.Snapshot = slices.Clone(s.Snapshot)
	s.Sinks = slices.Clone(s.Sinks)
	for i := range s.Sinks {
		s.Sinks[i].Marks = marks[s.Sinks[i].Sink]
	}
	return s
}

// complete says that no table's snapshot is still to be finished.
func complete(p []connectors.Progress) bool {
	return !slices.ContainsFunc(p, func(p connectors.Progress) bool { return !p.Done })
}

// fail keeps what went wrong last.
func (b *board) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.LastError, b.s.LastErrorAt = err.Error(), time.Now()
}

// enter changes the state and says whether it did: a drain is not undone, and an end is one.
func (b *board) enter(s State) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.s.State
	if was == Halted || was == Stopped || was == s || was == Draining && s != Halted && s != Stopped {
		return false
	}
	b.s.State = s
	return true
}

// up takes in that a loop runs or has ended, and says whether all of them run now.
func (b *board) up(loop string, runs bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if runs {
		b.live[loop] = true
	} else {
		delete(b.live, loop)
	}
	for i := range b.s.Sinks {
		b.s.Sinks[i].Ready = b.live[b.s.Sinks[i].Sink]
	}
	b.s.Capturing = b.live[""]
	return runs && len(b.live) == b.need
}

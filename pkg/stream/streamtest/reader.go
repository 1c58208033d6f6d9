package streamtest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// memory is what a sink keeps: marks, and what it has applied, in order.
type memory struct {
	mu      sync.Mutex
	marks   map[change.Lane]change.Mark
	applied []change.Change // without what the marks covered
	covered int             // changes that came again
	grown   chan struct{}   // closed and made anew
}

func newMemory() *memory {
	return &memory{marks: map[change.Lane]change.Mark{}, grown: make(chan struct{})}
}

func (m *memory) begin(_ context.Context, lanes []change.Lane) ([]change.Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []change.Mark
	for _, l := range lanes {
		if mark, ok := m.marks[l]; ok {
			out = append(out, mark)
		}
	}
	return out, nil
}

// apply is what a sink with marks does: From must be where it stands, what the mark covers is dropped.
func (m *memory) apply(t *testing.T, d *stream.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(d.From) == 0 || len(d.From) != len(d.To) {
		t.Errorf("a delivery from %v to %v", d.From, d.To)
		return
	}
	highest := m.marks[d.From[0].Lane].Pos
	top := highest
	for i := range d.Changes {
		if highest.Covers(&d.Changes[i]) {
			m.covered++
			continue
		}
		m.applied = append(m.applied, d.Changes[i])
		if top.Less(d.Changes[i].Pos) {
			top = d.Changes[i].Pos
		}
	}
	for i := range d.From {
		if at, ok := m.marks[d.From[i].Lane]; ok && at != d.From[i] {
			t.Errorf("a delivery from %+v, the sink stands at %+v", d.From[i], at)
		}
		if d.To[i].Lane != d.From[i].Lane || d.To[i].Next < d.From[i].Next || d.To[i].Pos.Less(d.From[i].Pos) || d.To[i].Pos.Less(top) {
			t.Errorf("a delivery up to %s goes from %+v to %+v", top, d.From[i], d.To[i])
		}
		m.marks[d.To[i].Lane] = d.To[i]
	}
	close(m.grown)
	m.grown = make(chan struct{})
}

// wait blocks until cond holds of what has been applied.
func (m *memory) wait(t *testing.T, what string, cond func(m *memory) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		m.mu.Lock()
		ok, grown, n := cond(m), m.grown, len(m.applied)
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-grown:
		case <-timeout:
			t.Fatalf("waited %s for %s; %d changes are applied", patience, what, n)
		}
	}
}

// reader is a running sink.
type reader struct {
	sub    stream.Subscriber
	memory *memory
	stop   func()
}

// read runs a sink until stop or the test's end: fetch, apply, commit.
func (h *Harness) read(t *testing.T, s stream.Stream, sink string, m *memory) *reader {
	t.Helper()
	sub := h.subscriber(t, s, sink, m)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			d, err := sub.Fetch(ctx, 1<<20)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				t.Errorf("fetch for %s: %v", sink, err)
				return
			}
			m.apply(t, &d)
			if err := sub.Commit(ctx, d); err != nil && ctx.Err() == nil {
				t.Errorf("commit for %s: %v", sink, err)
				return
			}
		}
	})
	stop := sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		closed(t, sub)
	})
	t.Cleanup(stop)
	return &reader{sub: sub, memory: m, stop: stop}
}

func (h *Harness) subscriber(t *testing.T, s stream.Stream, sink string, m *memory) stream.Subscriber {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), stream.Subscription{Sink: sink, Begin: m.begin})
	if err != nil {
		t.Fatalf("open a subscriber for %s: %v", sink, err)
	}
	return sub
}

// readAll runs every sink.
func (h *Harness) readAll(t *testing.T, s stream.Stream) []*reader {
	t.Helper()
	readers := make([]*reader, len(h.Sinks))
	for i, sink := range h.Sinks {
		readers[i] = h.read(t, s, sink, newMemory())
	}
	return readers
}

// settle waits until a durable stream has acknowledged what was published; another can't before its sinks have committed.
func (h *Harness) settle(t *testing.T, p stream.Publisher, n int) {
	t.Helper()
	if !h.AckedByCommit {
		acked(t, p, uint64(n))
	}
}

// id names one change.
type id struct {
	op    change.Op
	table string
	key   int64
	pos   change.Position
}

func idOf(c *change.Change) id {
	out := id{op: c.Op, table: c.Table.Name, pos: c.Pos, key: -1}
	if row := c.Row(); row != nil {
		out.key = row[0].Int()
	}
	return out
}

// row is one key of one table: what order is promised for.
type row struct {
	table string
	key   int64
}

// sameChanges holds what was applied against what was published: each once, and each key's in order.
func (m *memory) sameChanges(t *testing.T, published []change.Batch) {
	t.Helper()
	want := map[row][]id{}
	for i := range published {
		for j := range published[i].Changes {
			c := idOf(&published[i].Changes[j])
			want[row{c.table, c.key}] = append(want[row{c.table, c.key}], c)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	got := map[row][]id{}
	for i := range m.applied {
		c := idOf(&m.applied[i])
		got[row{c.table, c.key}] = append(got[row{c.table, c.key}], c)
	}
	for key := range want {
		if !slices.Equal(got[key], want[key]) {
			t.Errorf("key %v: applied %d changes, published %d; first difference at %d", key, len(got[key]), len(want[key]), difference(got[key], want[key]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("applied changes of %d keys, published of %d", len(got), len(want))
	}
}

func difference(a, b []id) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func count(batches []change.Batch) int {
	n := 0
	for i := range batches {
		n += len(batches[i].Changes)
	}
	return n
}

func applied(n int) func(*memory) bool {
	return func(m *memory) bool { return len(m.applied) >= n }
}

package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// row is a target's row and where it came from.
type row struct {
	v   int64
	pos change.Position
}

// table is a target with marks and parked changes. Rows that are gone stay as v < 0, so that a stale one is seen.
type table struct {
	t        *testing.T
	mu       sync.Mutex
	rows     map[int64]row
	marks    map[change.Lane]change.Mark
	parked   []sinks.Parked
	calls    int
	applied  int // changes
	regress  int // an older change came over a newer one
	slow     time.Duration
	refuse   func(c *change.Change, rows map[int64]row) (sinks.Class, string) // Code "": not refused
	fail     func(call int) error
	answer   func(call int) error // what a call says that has been applied
	entered  func(c []change.Change)
	contexts []error // ctx.Err() at each call's end
	history  []string
}

func (b *table) open(l *life) func(context.Context) (sinks.MarkSink, error) {
	return func(context.Context) (sinks.MarkSink, error) {
		if err := l.at("sink.open"); err != nil {
			return nil, err
		}
		return &fakeSink{table: b, life: l}, nil
	}
}

// takes changes how long a call takes from now on.
func (b *table) takes(slow time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = slow
}

func (b *table) state() map[int64]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := map[int64]int64{}
	for id, r := range b.rows {
		if r.v >= 0 {
			s[id] = r.v
		}
	}
	return s
}

func (b *table) mark(n int32) change.Position {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.marks[change.Lane{Stream: source, N: n}].Pos
}

func (b *table) lowest() change.Position {
	b.mu.Lock()
	defer b.mu.Unlock()
	low, first := change.Position{}, true
	for _, m := range b.marks {
		if first || m.Pos.Less(low) {
			low, first = m.Pos, false
		}
	}
	return low
}

type fakeSink struct {
	table *table
	life  *life
}

func (s *fakeSink) Load(_ context.Context, stream string) (sinks.State, error) {
	if err := s.life.at("sink.load"); err != nil {
		return sinks.State{}, err
	}
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	var st sinks.State
	for lane, m := range s.table.marks {
		if lane.Stream == stream {
			st.Marks = append(st.Marks, m)
		}
	}
	st.Parked = append(st.Parked, s.table.parked...)
	return st, nil
}

func (s *fakeSink) Apply(context.Context, []change.Change) error { return errors.New("not used") }
func (s *fakeSink) Close() error                                 { return nil }

func (s *fakeSink) ApplyAt(ctx context.Context, c []change.Change, parked []sinks.Parked, from, to []change.Mark) error {
	b := s.table
	if b.entered != nil {
		b.entered(c)
	}
	if err := s.life.at("apply.before"); err != nil {
		return err
	}
	b.mu.Lock()
	slow := b.slow
	b.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	err := b.apply(c, parked, from, to)
	b.contexts = append(b.contexts, ctx.Err())
	if err == nil && b.answer != nil {
		err = b.answer(b.calls)
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return s.life.at("apply.after")
}

func (b *table) apply(c []change.Change, parked []sinks.Parked, from, to []change.Mark) error {
	b.calls++
	if b.fail != nil {
		if err := b.fail(b.calls); err != nil {
			return err
		}
	}
	for i, m := range from {
		at, ok := b.marks[m.Lane]
		if at.Lane = m.Lane; at != m || !ok && (m.Next != 0 || !m.Pos.IsZero()) {
			return fmt.Errorf("mark is %+v, not %+v: %w", at, m, change.ErrFenced)
		}
		if to[i].Pos.Less(m.Pos) {
			b.t.Errorf("mark goes back from %v to %v", m, to[i])
		}
	}
	for i := range parked {
		if to[0].Pos.Less(parked[i].Change.Pos) {
			b.t.Errorf("%s is parked above the mark %v: a crash would park it twice", describe(&parked[i].Change), to[0].Pos)
		}
	}
	rows := maps.Clone(b.rows)
	var partial sinks.PartialError
	regress := 0
	for i := range c {
		if b.refuse != nil {
			if class, code := b.refuse(&c[i], rows); code != "" {
				partial.Refused = append(partial.Refused, sinks.Refused{Index: i, Class: class, Code: code, Cause: errors.New(code)})
				continue
			}
		}
		regress += write(rows, &c[i])
	}
	if len(partial.Refused) > 0 {
		return &partial
	}
	b.regress += regress
	b.rows = rows
	b.applied += len(c)
	for i := range c {
		b.history = append(b.history, describe(&c[i]))
		if c[i].Op == change.SnapshotRow || c[i].Op == change.Truncate {
			b.supersede(&c[i])
		}
	}
	b.parked = append(b.parked, parked...)
	for _, m := range to {
		b.marks[m.Lane] = m
	}
	return nil
}

func (b *table) supersede(c *change.Change) {
	var kept []sinks.Parked
	for _, p := range b.parked {
		if c.Op == change.SnapshotRow && p.Change.Row()[0] != c.Row()[0] || c.Pos.Less(p.Change.Pos) {
			kept = append(kept, p)
		}
	}
	b.parked = kept
}

// write applies one change and says 1 if an older one came over a newer one.
func write(rows map[int64]row, c *change.Change) int {
	switch c.Op {
	case change.NewShape:
		return 0
	case change.Truncate:
		for id := range rows {
			rows[id] = row{v: -1, pos: c.Pos}
		}
		return 0
	}
	id := c.Row()[0].Int()
	stale := 0
	if c.Pos.Less(rows[id].pos) {
		stale = 1
	}
	if c.Op == change.Delete {
		rows[id] = row{v: -1, pos: c.Pos}
	} else {
		rows[id] = row{v: c.After[1].Int(), pos: c.Pos}
	}
	return stale
}

func describe(c *change.Change) string {
	if c.Op.IsMarker() {
		return c.Op.String()
	}
	if c.Op == change.Delete {
		return fmt.Sprintf("-%d", c.Row()[0].Int())
	}
	return fmt.Sprintf("%d=%d", c.Row()[0].Int(), c.After[1].Int())
}

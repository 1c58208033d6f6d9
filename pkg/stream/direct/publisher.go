package direct

import (
	"context"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// marker is the lane of a change that goes down every lane.
const marker = -1

// entry is one published batch.
type entry struct {
	batch change.Batch
	bytes int
	cut   int     // behind this many of its changes every transaction begun so far has ended; -1: nowhere in this batch
	lanes []int32 // the lane of each change; nil where there is only one lane
}

type publisher struct {
	stream *Stream
	first  uint64          // number of its first entry
	saved  change.Position // where the sinks stand at least
	acked  chan uint64     // holds the latest count only
	count  uint64          // last sent on acked
	ended  bool
	err    error
	key    []byte // scratch of Publish
}

// Publish queues b and blocks while the queue is full. It keeps b until every sink has committed it. A row whose key is not in the log is
// change.ErrHalt; after a newer publisher has been opened it is change.ErrFenced.
func (p *publisher) Publish(ctx context.Context, b change.Batch) error {
	e, err := p.entry(b)
	if err != nil {
		return err
	}
	s := p.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	for !p.ended && s.full(e.bytes) {
		s.blocked = e.bytes
		s.wake() // whoever waits for the end of a transaction that fills the queue now takes a part of it
		err := s.wait(ctx)
		s.blocked = 0
		if err != nil {
			return fmt.Errorf("publish to %s: %w", s.cfg.SourceID, err)
		}
	}
	if p.ended {
		return fmt.Errorf("publish to %s: %w", s.cfg.SourceID, p.failure())
	}
	e.cut = p.cutOf(&b)
	if n := len(b.Changes); n > 0 {
		s.last = b.Changes[n-1].Pos
	}
	s.highest = higher(higher(s.highest, b.Upto), s.last)
	s.queue = append(s.queue, e)
	s.bytes += e.bytes
	switch {
	case s.lanes > 1: // transactions are not kept whole
		s.ended = cursor{n: s.next()}
	case e.cut >= 0:
		s.ended = s.behind(cursor{s.next() - 1, e.cut})
	}
	s.wake()
	return nil
}

// cutOf finds the place in b, if any, behind which no transaction is open. Positions ascend, so what stands above Upto is at the end.
func (p *publisher) cutOf(b *change.Batch) int {
	n := len(b.Changes)
	for n > 0 && b.Upto.Less(b.Changes[n-1].Pos) {
		n--
	}
	if n == 0 && b.Upto.Less(p.stream.last) {
		return -1 // an earlier batch's open transaction has not ended either
	}
	return n
}

func (p *publisher) entry(b change.Batch) (entry, error) {
	e := entry{batch: b, bytes: b.Size()}
	n := int32(p.stream.lanes)
	if n == 1 || len(b.Changes) == 0 {
		return e, nil
	}
	e.lanes = make([]int32, len(b.Changes))
	for i := range b.Changes {
		c := &b.Changes[i]
		if c.Op.IsMarker() {
			e.lanes[i] = marker
			continue
		}
		var err error
		if p.key, err = change.AppendLaneKey(p.key[:0], c.Table, c.Row()); err != nil {
			return e, fmt.Errorf("lane of a row of %s at %s: %w: %w", c.Table, c.Pos, err, change.ErrHalt)
		}
		e.lanes[i] = change.LaneOf(p.key, n)
	}
	return e, nil
}

// Acked carries how many batches every sink has committed whole.
func (p *publisher) Acked() <-chan uint64 { return p.acked }

// Close ends the publisher; what it queued stays to be applied. It returns change.ErrFenced if a newer one has been opened.
func (p *publisher) Close() error {
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	p.end(nil)
	return p.err
}

// end makes p send nothing more. The caller holds mu.
func (p *publisher) end(err error) {
	if p.ended {
		return
	}
	p.ended, p.err = true, err
	close(p.acked)
	if p.stream.pub == p {
		p.stream.pub = nil
	}
	p.stream.wake()
}

func (p *publisher) failure() error {
	if p.err != nil {
		return p.err
	}
	return errClosed
}

// acknowledge tells how many of p's entries stand below done. The caller holds mu.
func (p *publisher) acknowledge(done uint64) {
	if p.ended || done <= p.first+p.count {
		return
	}
	p.count = done - p.first
	select { // only the latest count is kept; nobody else sends
	case <-p.acked:
	default:
	}
	p.acked <- p.count
}

func higher(p, q change.Position) change.Position {
	if p.Less(q) {
		return q
	}
	return p
}

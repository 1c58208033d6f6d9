package direct

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

type subscriber struct {
	stream *Stream
	member *member
	lost   chan struct{} // closed when it is ended
	ended  bool
	err    error
}

// Fetch returns what has come for the first free lane that has something, or blocks until there is one.
func (u *subscriber) Fetch(ctx context.Context, maxBytes int) (stream.Delivery, error) {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if u.ended {
			return stream.Delivery{}, fmt.Errorf("fetch from %s for %s: %w", s.cfg.SourceID, u.member.name, u.failure())
		}
		if err := ctx.Err(); err != nil {
			return stream.Delivery{}, context.Cause(ctx)
		}
		if d, ok := u.take(maxBytes); ok {
			return d, nil
		}
		if err := s.wait(ctx); err != nil {
			return stream.Delivery{}, err
		}
	}
}

// take makes a Delivery if there is one to make. The caller holds mu.
func (u *subscriber) take(maxBytes int) (stream.Delivery, bool) {
	s, m := u.stream, u.member
	if m.unborn {
		if s.pub == nil || s.next() == s.pub.first || !m.idle() { // nothing has been published to it
			return stream.Delivery{}, false
		}
		m.unborn = false
		return u.every(nil, s.pub.saved), true
	}
	if s.lanes > 1 {
		if c := s.markerAt(m); c != nil {
			return u.every(c, c.Pos), true
		}
	}
	for range m.lanes {
		i := m.turn
		m.turn = (m.turn + 1) % len(m.lanes)
		l := &m.lanes[i]
		if l.busy {
			continue
		}
		var (
			r  run
			ok bool
		)
		if s.lanes == 1 {
			r, ok = s.whole(l, maxBytes)
			u.sayPart(r, ok)
		} else {
			r, ok = s.split(i, l, maxBytes)
		}
		if ok {
			return u.one(int32(i), r), true
		}
	}
	return stream.Delivery{}, false
}

func (u *subscriber) sayPart(r run, ok bool) {
	if !ok {
		return
	}
	if r.part && !u.member.parted && len(r.changes) > 0 {
		u.stream.log.Info("a transaction above the memory share is applied in parts",
			slog.String("stream", u.stream.cfg.SourceID), slog.String("sink", u.member.name), slog.String("pos", r.changes[0].Pos.String()))
	}
	u.member.parted = r.part
}

// one hands out a run of one lane.
func (u *subscriber) one(i int32, r run) stream.Delivery {
	l := &u.member.lanes[i]
	at := change.Lane{Stream: u.stream.cfg.SourceID, N: i}
	from := change.Mark{Lane: at, Next: l.seen, Pos: l.pos}
	to := change.Mark{Lane: at, Next: l.seen, Pos: r.pos}
	if len(r.changes) > 0 {
		to.Next++
	}
	l.busy, l.to, l.read, l.next = true, r.to, r.to, to
	return stream.Delivery{Changes: r.changes, Lost: u.lost, From: []change.Mark{from}, To: []change.Mark{to}}
}

// every hands out a marker, or nothing but the first marks, to all lanes.
func (u *subscriber) every(c *change.Change, pos change.Position) stream.Delivery {
	d := stream.Delivery{Lost: u.lost}
	if c != nil {
		d.Changes = []change.Change{*c}
	}
	for i, at := range u.stream.all() {
		l := &u.member.lanes[i]
		to := l.read
		if c != nil {
			to = u.stream.behind(cursor{to.n, to.off + 1})
		}
		next := change.Mark{Lane: at, Next: l.seen + 1, Pos: higher(l.pos, pos)}
		d.From = append(d.From, change.Mark{Lane: at, Next: l.seen, Pos: l.pos})
		d.To = append(d.To, next)
		l.busy, l.to, l.read, l.next = true, to, to, next
	}
	return d
}

// Commit frees d's lanes, and the batches that every sink has now committed. After the subscriber has lost its lanes it is
// change.ErrFenced.
func (u *subscriber) Commit(_ context.Context, d stream.Delivery) error {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ended {
		return fmt.Errorf("commit to %s for %s: %w: %w", s.cfg.SourceID, u.member.name, u.failure(), change.ErrFenced)
	}
	for _, mark := range d.To {
		l := &u.member.lanes[mark.Lane.N]
		if !l.busy || l.next != mark {
			return fmt.Errorf("commit lane %d of %s for %s: %w", mark.Lane.N, s.cfg.SourceID, u.member.name, errNotOurs)
		}
	}
	for _, mark := range d.To {
		l := &u.member.lanes[mark.Lane.N]
		l.busy, l.pos, l.seen = false, mark.Pos, mark.Next
		if l.done.less(l.to) {
			l.done = l.to
		}
	}
	s.forget()
	s.wake()
	return nil
}

// forget drops the entries that every lane of every sink has committed, and acknowledges them (invariant 1). The caller holds mu.
func (s *Stream) forget() {
	done := s.next()
	for _, m := range s.members {
		for i := range m.lanes {
			done = min(done, m.lanes[i].done.n)
		}
	}
	for s.base < done {
		s.bytes -= s.queue[0].bytes
		s.queue[0] = entry{}
		s.queue = s.queue[1:]
		s.base++
	}
	if s.pub != nil {
		s.pub.acknowledge(done)
	}
}

// Ends is the highest Position published, for every lane.
func (u *subscriber) Ends(context.Context) ([]change.Mark, error) {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	ends := make([]change.Mark, s.lanes)
	for i, at := range s.all() {
		ends[i] = change.Mark{Lane: at, Pos: s.highest}
	}
	return ends, nil
}

// Close gives the lanes up. What was handed out and not committed comes again to the next subscriber of the sink.
func (u *subscriber) Close() error {
	u.stream.mu.Lock()
	defer u.stream.mu.Unlock()
	u.end(errClosed)
	u.stream.wake()
	return nil
}

// end makes u hand out and commit nothing more. The caller holds mu.
func (u *subscriber) end(err error) {
	if u.ended {
		return
	}
	u.ended, u.err = true, err
	close(u.lost)
	if u.member.sub == u {
		u.member.sub = nil
	}
}

func (u *subscriber) failure() error { return u.err }

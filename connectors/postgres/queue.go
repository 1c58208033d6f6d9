package postgres

import (
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// segment is a run of decoded changes and the ends of transactions among them.
type segment struct {
	changes []change.Change
	ends    []end
	bytes   int
	urgent  bool        // hand its end over even if it holds no change
	left    []departure // tables that lack some of these changes, for they came under another name
}

// end says that a transaction, or the log without us, ended after the first n changes.
type end struct {
	n  int
	at place
}

// queue holds what has been decoded and not been read. One goroutine puts, one takes.
//
// Invariant 9: the producer stops at limit, so at most one segment, itself bounded, goes above it. A segment without a change has no
// bytes, so it joins the one before it: a busy log of which we want nothing takes no room while nobody reads.
type queue struct {
	limit int
	ready chan struct{} // something was put, or it has ended
	space chan struct{} // something was taken

	mu       sync.Mutex
	segments []segment
	bytes    int
	waiting  bool // the reader has found nothing
	err      error
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (q *queue) put(s segment) {
	q.mu.Lock()
	if n := len(q.segments); n > 0 && len(s.changes) == 0 {
		q.segments[n-1].join(s)
	} else {
		q.segments = append(q.segments, s)
	}
	q.bytes += s.bytes
	q.waiting = false
	q.mu.Unlock()
	signal(q.ready)
}

// join takes over the last end of a segment without a change.
func (s *segment) join(next segment) {
	s.urgent = s.urgent || next.urgent
	s.left = append(s.left, next.left...)
	if len(next.ends) == 0 {
		return
	}
	last := end{n: len(s.changes), at: next.ends[len(next.ends)-1].at}
	if k := len(s.ends); k > 0 && s.ends[k-1].n == last.n {
		s.ends[k-1] = last
	} else {
		s.ends = append(s.ends, last)
	}
}

func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= q.limit
}

// wanted says that the reader waits.
func (q *queue) wanted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// fail ends the queue: take returns err once all that was put has been taken.
func (q *queue) fail(err error) {
	q.mu.Lock()
	q.err = err
	q.mu.Unlock()
	signal(q.ready)
}

// taken is what take found.
type taken struct {
	changes []change.Change
	at      place
	moved   bool // at is set
	urgent  bool
	left    []departure
	err     error // nothing is left, and this is why nothing will come
}

// take returns what has come, up to about maxBytes and at least one change. It returns no changes only if none has come.
func (q *queue) take(maxBytes int) taken {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := taken{changes: q.allocate(maxBytes)}
	room := maxBytes
	for len(q.segments) > 0 {
		s := &q.segments[0]
		if len(t.changes) > 0 && room <= 0 {
			break
		}
		if s.bytes > room && len(s.changes) > 0 {
			if !q.split(&t, room) {
				break
			}
			room = 0
			continue
		}
		room -= s.bytes
		q.bytes -= s.bytes
		t.add(*s)
		q.segments = q.segments[1:]
	}
	if len(q.segments) == 0 {
		q.segments = nil
		if !t.moved && len(t.changes) == 0 {
			t.err = q.err
		}
	}
	q.waiting = len(t.changes) == 0
	signal(q.space)
	return t
}

// allocate returns room for the changes of the segments that take is going to join; nil where it hands the first one over as it is.
func (q *queue) allocate(maxBytes int) []change.Change {
	n, bytes, joined := 0, 0, 0
	for i := range q.segments {
		s := &q.segments[i]
		if bytes >= maxBytes && n > 0 {
			break
		}
		n, bytes = n+len(s.changes), bytes+s.bytes
		if len(s.changes) > 0 {
			joined++
		}
	}
	if joined < 2 {
		return nil
	}
	return make([]change.Change, 0, n)
}

// split moves the changes of the first segment that fit into room to t: none if t has some already and the first doesn't fit.
func (q *queue) split(t *taken, room int) bool {
	s := &q.segments[0]
	n, bytes := 0, 0
	for n < len(s.changes) {
		size := s.changes[n].Size()
		if bytes+size > room && n+len(t.changes) > 0 {
			break
		}
		bytes += size
		n++
	}
	if n == 0 {
		return false
	}
	head := segment{changes: s.changes[:n:n], bytes: bytes, left: s.left} // early rather than late
	s.left = nil
	ends := 0
	for ends < len(s.ends) && s.ends[ends].n <= n {
		ends++
	}
	head.ends = s.ends[:ends]
	s.ends = s.ends[ends:]
	for i := range s.ends {
		s.ends[i].n -= n
	}
	s.changes = s.changes[n:]
	s.bytes -= bytes
	q.bytes -= bytes
	t.add(head)
	if len(s.changes) == 0 && len(s.ends) == 0 {
		q.segments = q.segments[1:]
	}
	return true
}

func (t *taken) add(s segment) {
	if cap(t.changes) == 0 {
		t.changes = s.changes
	} else {
		t.changes = append(t.changes, s.changes...)
	}
	if n := len(s.ends); n > 0 {
		t.at, t.moved = s.ends[n-1].at, true
	}
	t.urgent = t.urgent || s.urgent
	t.left = append(t.left, s.left...)
}

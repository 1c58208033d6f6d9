package mysql

import (
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// segment is a run of decoded changes and the ends of groups among them.
type segment struct {
	changes []change.Change
	ends    []end
	bytes   int
}

// end says that a group, or the log without us, ended after the first n changes.
type end struct {
	n    int
	at   place
	id   gtid     // of the group
	more *gtidSet // of groups without a change whose ends are this one
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
	nudged   bool // an end is wanted though it brings no change
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
	q.mu.Unlock()
	signal(q.ready)
}

// join takes over the ends of a segment without a change.
func (s *segment) join(next segment) {
	for _, e := range next.ends {
		e.n = len(s.changes)
		if k := len(s.ends); k > 0 && s.ends[k-1].n == e.n {
			s.ends[k-1].follow(e)
		} else {
			s.ends = append(s.ends, e)
		}
	}
}

// follow makes e the end of what ended at next too, where no change came.
func (e *end) follow(next end) {
	e.at = next.at
	if e.id.isZero() && e.more == nil {
		e.id, e.more = next.id, next.more
		return
	}
	if e.more == nil {
		e.more = newGTIDSet()
	}
	e.more.add(next.id)
	if next.more != nil {
		e.more.merge(next.more)
	}
}

func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= q.limit
}

// nudge has take say that an end is wanted.
func (q *queue) nudge() {
	q.mu.Lock()
	q.nudged = true
	q.mu.Unlock()
	signal(q.ready)
}

// fail ends the queue: take returns the first err once all that was put has been taken.
func (q *queue) fail(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	signal(q.ready)
}

// taken is what take found.
type taken struct {
	changes []change.Change
	ends    []end // in order; the last says where all of them lead
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
		if len(t.ends) == 0 && len(t.changes) == 0 {
			t.err = q.err
		}
	}
	signal(q.space)
	return t
}

// wanted says that an end is wanted though it brings no change; it says so once.
func (q *queue) wanted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.nudged
	q.nudged = false
	return was
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
	head := segment{changes: s.changes[:n:n], bytes: bytes}
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
	t.ends = append(t.ends, s.ends...)
}

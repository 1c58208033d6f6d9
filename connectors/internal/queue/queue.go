package queue

import (
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Queue holds segments that wait to be read. One goroutine puts, one takes.
//
// Invariant 9: the producer stops while it is Full, so at most one segment, itself bounded, goes above the limit. A segment without a change
// has no bytes, so it joins the one before it: a busy log of which we want nothing takes no room while nobody reads.
type Queue[E End[E]] struct {
	limit int
	ready chan struct{} // something was put, or it has ended
	space chan struct{} // something was taken
	rooms *rooms

	mu       sync.Mutex
	segments []Segment[E]
	bytes    int
	err      error
}

// New makes a queue that is Full at limit bytes.
func New[E End[E]](limit int) *Queue[E] {
	return &Queue[E]{limit: limit, ready: make(chan struct{}, 1), space: make(chan struct{}, 1), rooms: &rooms{}}
}

// Builder returns one whose segments use the room of those that the queue needs no more.
func (q *Queue[E]) Builder() Builder[E] { return Builder[E]{rooms: q.rooms} }

// Signal delivers on a channel with room for one; what is delivered and not taken yet is enough.
func Signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Ready delivers once Take may find something that it did not find before, or after Wake.
func (q *Queue[E]) Ready() <-chan struct{} { return q.ready }

// Space delivers once the queue may no longer be Full.
func (q *Queue[E]) Space() <-chan struct{} { return q.space }

// Wake has Ready deliver. Any goroutine may call it.
func (q *Queue[E]) Wake() { Signal(q.ready) }

// Put adds a segment, which is the queue's from now on, and tells the reader.
func (q *Queue[E]) Put(s Segment[E]) {
	q.Add(s)
	q.Wake()
}

// Add is Put without a word to the reader: one that waits learns of it by Wake, one that is busy finds it with its next Take. Waking it for each
// of many small transactions costs more than the transaction.
func (q *Queue[E]) Add(s Segment[E]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.segments); n > 0 && len(s.Changes) == 0 {
		for _, e := range s.Ends {
			q.segments[n-1].mark(e.At)
		}
	} else {
		q.segments = append(q.segments, s)
	}
	q.bytes += s.Bytes
}

// Full says that the producer is to wait for Space.
func (q *Queue[E]) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= q.limit
}

// Fail ends the queue: Take returns the first err once all that was put has been taken. Any goroutine may call it.
func (q *Queue[E]) Fail(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	Signal(q.ready)
}

// Taken is what Take found.
type Taken[E End[E]] struct {
	Changes []change.Change
	Ends    [][]Mark[E] // all of them in order; their N means nothing any more
	Err     error       // nothing is left, and this is why nothing will come
}

// Take returns what has come, up to about maxBytes and at least one change. It returns no changes only if none has come.
func (q *Queue[E]) Take(maxBytes int) Taken[E] {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := Taken[E]{Changes: q.allocate(maxBytes)}
	room := maxBytes
	for len(q.segments) > 0 {
		s := &q.segments[0]
		if len(t.Changes) > 0 && room <= 0 {
			break
		}
		if s.Bytes > room && len(s.Changes) > 0 {
			if !q.split(&t, room) {
				break
			}
			room = 0
			continue
		}
		room -= s.Bytes
		q.bytes -= s.Bytes
		if t.add(*s) {
			q.rooms.put(s.Changes)
		}
		q.segments = q.segments[1:]
	}
	if len(q.segments) == 0 {
		q.segments = nil
		if len(t.Ends) == 0 && len(t.Changes) == 0 {
			t.Err = q.err
		}
	}
	Signal(q.space)
	return t
}

// allocate returns room for the changes of the segments that Take is going to join; nil where it hands the first one over as it is.
func (q *Queue[E]) allocate(maxBytes int) []change.Change {
	n, bytes, joined := 0, 0, 0
	for i := range q.segments {
		s := &q.segments[i]
		if bytes >= maxBytes && n > 0 {
			break
		}
		n, bytes = n+len(s.Changes), bytes+s.Bytes
		if len(s.Changes) > 0 {
			joined++
		}
	}
	if joined < 2 {
		return nil
	}
	return make([]change.Change, 0, n)
}

// split moves the changes of the first segment that fit into room to t: none if t has some already and the first doesn't fit.
func (q *Queue[E]) split(t *Taken[E], room int) bool {
	s := &q.segments[0]
	n, bytes := 0, 0
	for n < len(s.Changes) {
		size := s.Changes[n].Size()
		if bytes+size > room && n+len(t.Changes) > 0 {
			break
		}
		bytes += size
		n++
	}
	if n == 0 {
		return false
	}
	ends := 0
	for ends < len(s.Ends) && s.Ends[ends].N <= n {
		ends++
	}
	t.add(Segment[E]{Changes: s.Changes[:n:n], Ends: s.Ends[:ends:ends]})
	s.Ends = s.Ends[ends:]
	for i := range s.Ends {
		s.Ends[i].N -= n
	}
	s.Changes = s.Changes[n:]
	s.Bytes -= bytes
	q.bytes -= bytes
	if len(s.Changes) == 0 && len(s.Ends) == 0 {
		q.segments = q.segments[1:]
	}
	return true
}

// add adds a segment and says whether it has copied its changes.
func (t *Taken[E]) add(s Segment[E]) (copied bool) {
	if copied = cap(t.Changes) > 0; copied {
		t.Changes = append(t.Changes, s.Changes...)
	} else {
		t.Changes = s.Changes
	}
	if len(s.Ends) > 0 {
		t.Ends = append(t.Ends, s.Ends)
	}
	return copied
}

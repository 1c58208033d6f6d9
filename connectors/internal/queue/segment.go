package queue

import "github.com/tailwater-cdc/tailwater/pkg/change"

// End is what a connector says of a place between two changes: that a transaction ended there, say. Follow returns the one end that two
// without a change between them are.
type End[E any] interface {
	Follow(next E) E
}

// Mark is an end behind the first N changes of its segment.
type Mark[E End[E]] struct {
	N  int
	At E
}

// Segment is a run of decoded changes and the ends among them, in order.
type Segment[E End[E]] struct {
	Changes []change.Change
	Ends    []Mark[E]
	Bytes   int // memory of the changes
}

// mark adds an end behind the changes that s has.
func (s *Segment[E]) mark(e E) {
	n := len(s.Changes)
	if k := len(s.Ends); k > 0 && s.Ends[k-1].N == n {
		s.Ends[k-1].At = s.Ends[k-1].At.Follow(e)
		return
	}
	s.Ends = append(s.Ends, Mark[E]{n, e})
}

// Builder makes segments, one after the other. The zero value is ready; Queue.Builder's allocates less.
type Builder[E End[E]] struct {
	Segment[E]
	rooms         *rooms
	changes, ends int // that the last segments had: so many the next one may have
}

// Add adds a change.
func (b *Builder[E]) Add(c *change.Change) {
	b.Bytes += c.Size()
	if b.Changes == nil {
		b.Changes = b.room(max(b.changes, 1))
	}
	b.Changes = append(b.Changes, *c)
}

func (b *Builder[E]) room(n int) []change.Change {
	if b.rooms != nil {
		return b.rooms.take(n)
	}
	return make([]change.Change, 0, n)
}

// End adds an end behind the changes that have been added.
func (b *Builder[E]) End(e E) {
	if b.Ends == nil {
		b.Ends = make([]Mark[E], 0, max(b.ends, 1))
	}
	b.mark(e)
}

// Take returns what has been added since the last call.
func (b *Builder[E]) Take() Segment[E] {
	s := b.Segment
	b.Segment = Segment[E]{}
	if n := len(s.Changes); n > 0 {
		b.changes, b.ends = max(n, (b.changes+n)/2), len(s.Ends)
	}
	return s
}

package direct

import "github.com/tailwater-cdc/tailwater/pkg/change"

// cursor is a place between changes: before change off of entry n. A place behind an entry's last change is {n+1, 0}.
type cursor struct {
	n   uint64
	off int
}

func (c cursor) less(d cursor) bool { return c.n < d.n || c.n == d.n && c.off < d.off }

// lane is one sink's place in one lane.
type lane struct {
	read cursor          // where the next Delivery begins
	done cursor          // what is committed
	to   cursor          // where the outstanding Delivery ends
	pos  change.Position // To.Pos of the last Delivery, or the sink's mark
	seen int64           // deliveries with changes so far, as the sink's mark counts them: no two of them lead to one mark
	next change.Mark     // To of the outstanding Delivery
	busy bool            // a Delivery is outstanding
}

// member is one sink. It outlives its subscribers.
type member struct {
	name   string
	lanes  []lane
	sub    *subscriber
	turn   int  // the lane to look at first, so that none starves
	unborn bool // of several lanes none has a mark: the first Delivery makes all of them, in one transaction
	parted bool // a part of a transaction has been handed out and its end has not
}

// begin puts every lane back to what is committed.
func (m *member) begin(marks []change.Mark) {
	for i := range m.lanes {
		l := &m.lanes[i]
		l.read, l.busy, l.pos, l.seen = l.done, false, change.Position{}, 0
	}
	for _, mark := range marks {
		m.lanes[mark.Lane.N].pos, m.lanes[mark.Lane.N].seen = mark.Pos, mark.Next
	}
	m.unborn = len(marks) == 0 && len(m.lanes) > 1
	m.parted = false
}

func (m *member) idle() bool {
	for i := range m.lanes {
		if m.lanes[i].busy {
			return false
		}
	}
	return true
}

// run is what a Fetch found for one lane.
type run struct {
	changes []change.Change
	to      cursor
	pos     change.Position
	part    bool // ends inside a transaction
}

// whole collects what has come for the only lane, up to maxBytes, to the last place where no transaction is open; a single transaction
// may exceed maxBytes. Where there is no such place, it collects a part if the open transaction fills the queue: waiting can't help.
func (s *Stream) whole(l *lane, maxBytes int) (run, bool) {
	var (
		bytes int
		r     = run{to: l.read, pos: l.pos}
		found bool
		end   = l.read
	)
	for n := l.read.n; n < s.next(); n++ {
		e := s.at(n)
		if bytes > 0 && bytes+e.bytes > maxBytes && found {
			break
		}
		bytes += e.bytes
		if at := (cursor{n, e.cut}); e.cut >= 0 && !at.less(l.read) {
			if behind := s.behind(at); l.read.less(behind) {
				r.to, r.pos, found = behind, higher(r.pos, e.batch.Upto), true
			}
		}
		end = cursor{n + 1, 0}
		if bytes >= maxBytes && found {
			break
		}
	}
	if !found {
		fills := s.blocked > 0 && bytes+s.blocked > s.cfg.MemoryBytes // and not what another sink holds
		if !l.read.less(end) || !fills {
			return r, false
		}
		r.to, r.part = end, true
	}
	r.changes = s.between(l.read, r.to)
	if r.part && len(r.changes) > 0 {
		r.pos = higher(r.pos, r.changes[len(r.changes)-1].Pos)
	}
	return r, true
}

// behind is c, or the start of the next entry where c stands behind its entry's last change.
func (s *Stream) behind(c cursor) cursor {
	if c.off >= len(s.at(c.n).batch.Changes) {
		return cursor{c.n + 1, 0}
	}
	return c
}

// between is the changes from one place to another. Of a single entry it is a view of the batch, which nobody may change.
func (s *Stream) between(from, to cursor) []change.Change {
	if to.n == from.n {
		return s.at(from.n).batch.Changes[from.off:to.off:to.off]
	}
	first := s.at(from.n).batch.Changes[from.off:]
	if to.n == from.n+1 && to.off == 0 {
		return first[:len(first):len(first)]
	}
	total := len(first) + to.off
	for n := from.n + 1; n < to.n; n++ {
		total += len(s.at(n).batch.Changes)
	}
	all := append(make([]change.Change, 0, total), first...)
	for n := from.n + 1; n < to.n; n++ {
		all = append(all, s.at(n).batch.Changes...)
	}
	if to.off > 0 {
		all = append(all, s.at(to.n).batch.Changes[:to.off]...)
	}
	return all
}

// split collects one of several lanes' changes, up to maxBytes or the next marker. It may have found none and still move on.
func (s *Stream) split(i int, l *lane, maxBytes int) (run, bool) {
	var (
		bytes int
		r     = run{to: l.read, pos: l.pos}
	)
	for r.to.n < s.next() && bytes < maxBytes {
		e := s.at(r.to.n)
		for r.to.off < len(e.batch.Changes) && bytes < maxBytes {
			of := e.lanes[r.to.off]
			if of == marker {
				return r, l.read.less(r.to)
			}
			c := &e.batch.Changes[r.to.off]
			if of == int32(i) {
				r.changes = append(r.changes, *c)
				bytes += c.Size()
			}
			r.pos = higher(r.pos, c.Pos)
			r.to.off++
		}
		if r.to.off < len(e.batch.Changes) {
			break
		}
		if e.cut >= 0 {
			r.pos = higher(r.pos, e.batch.Upto)
		}
		r.to = cursor{r.to.n + 1, 0}
	}
	return r, l.read.less(r.to)
}

// markerAt is the marker before which all lanes stand, or nil.
func (s *Stream) markerAt(m *member) *change.Change {
	at := m.lanes[0].read
	if at.n >= s.next() {
		return nil
	}
	e := s.at(at.n)
	if at.off >= len(e.lanes) || e.lanes[at.off] != marker {
		return nil
	}
	for i := range m.lanes {
		if m.lanes[i].busy || m.lanes[i].read != at {
			return nil
		}
	}
	return &e.batch.Changes[at.off]
}

package postgres

import "slices"

// end says that a transaction, or the log without us, ended.
type end struct {
	at   place // zero: it is there for the rest alone
	more *more // nil in most
}

// more is what few ends have. It isn't changed once an end has it.
type more struct {
	urgent bool        // hand the end over even if no change comes
	left   []departure // tables that lack changes behind it, for they came under another name
}

// Follow is queue.End's.
func (e end) Follow(next end) end {
	if next.at.lsn != 0 {
		e.at = next.at
	}
	switch {
	case e.more == nil:
		e.more = next.more
	case next.more != nil:
		e.more = &more{urgent: e.more.urgent || next.more.urgent, left: slices.Concat(e.more.left, next.more.left)}
	}
	return e
}

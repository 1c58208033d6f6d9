package mysql

import "github.com/tailwater-cdc/tailwater/connectors/internal/queue"

// end says that a group, or the log without us, ended.
type end struct {
	at   place
	id   gtid     // of the group
	more *gtidSet // of groups without a change whose ends are this one
}

// segment is a run of decoded changes and the ends of groups among them.
type segment = queue.Segment[end]

// Follow is queue.End's: the end of what ended at next too, where no change came.
func (e end) Follow(next end) end {
	e.at = next.at
	if e.id.isZero() && e.more == nil {
		e.id, e.more = next.id, next.more
		return e
	}
	if e.more == nil {
		e.more = newGTIDSet()
	}
	e.more.add(next.id)
	if next.more != nil {
		e.more.merge(next.more)
	}
	return e
}

package mysql

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestQueueJoinsIdleEnds: what we want nothing of takes no room, and none of its GTIDs is forgotten.
func TestQueueJoinsIdleEnds(t *testing.T) {
	t.Parallel()
	q := queue.New[end](1000)
	put := func(changes int, n uint64) {
		e := end{at: place{offset: n}, id: gtid{origin: uuidA, n: n}}
		q.Put(segment{Changes: make([]change.Change, changes), Bytes: 200 * changes, Ends: []queue.Mark[end]{{N: changes, At: e}}})
	}
	put(0, 1)
	put(2, 2)
	for n := uint64(3); n <= 1000; n++ {
		put(0, n)
	}
	read := newGTIDSet()
	l := &log{read: read}
	pass := func(t queue.Taken[end]) (ends int) {
		for _, e := range t.Ends {
			l.pass(e)
			ends += len(e)
		}
		return ends
	}
	first := q.Take(1)
	pass(first)
	if len(first.Changes) != 1 || fmt.Sprint(read) != uuidA+":1" || l.at.offset != 1 {
		t.Errorf("%d changes, read %s at %d", len(first.Changes), read, l.at.offset)
	}
	rest := q.Take(1 << 20)
	if ends := pass(rest); ends != 1 || len(rest.Changes) != 1 || read.String() != uuidA+":1-1000" || l.at.offset != 1000 {
		t.Errorf("%d ends, %d changes, read %s at %d", ends, len(rest.Changes), read, l.at.offset)
	}
}

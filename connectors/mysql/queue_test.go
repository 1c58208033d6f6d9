package mysql

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestQueueJoinsIdleEnds: what we want nothing of takes no room, and none of its GTIDs is forgotten.
func TestQueueJoinsIdleEnds(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	id := func(n uint64) gtid { return gtid{origin: uuidA, n: n} }
	at := func(n uint64) place { return place{offset: n} }
	q.put(segment{ends: []end{{at: at(1), id: id(1)}}})
	q.put(segment{changes: make([]change.Change, 2), bytes: 400, ends: []end{{n: 2, at: at(2), id: id(2)}}})
	for n := uint64(3); n <= 1000; n++ {
		q.put(segment{ends: []end{{at: at(n), id: id(n)}}})
	}
	if len(q.segments) != 2 || q.full() {
		t.Errorf("%d segments, full %v", len(q.segments), q.full())
	}
	read := newGTIDSet()
	l := &log{read: read}
	first := q.take(1)
	l.pass(first.ends)
	if len(first.changes) != 1 || fmt.Sprint(read) != uuidA+":1" || l.at.offset != 1 {
		t.Errorf("%d changes, read %s at %d", len(first.changes), read, l.at.offset)
	}
	rest := q.take(1 << 20)
	l.pass(rest.ends)
	if len(rest.changes) != 1 || read.String() != uuidA+":1-1000" || l.at.offset != 1000 {
		t.Errorf("%d changes, read %s at %d", len(rest.changes), read, l.at.offset)
	}
	q.fail(change.ErrGap)
	q.fail(errClosed)
	if got := q.take(1); !errors.Is(got.err, change.ErrGap) {
		t.Errorf("the end is %v", got.err)
	}
}

package queue

import (
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// roomsKept is for how many changes there is room in what rooms keeps: some hundred kilobytes.
const roomsKept = 4096

// rooms keeps the room of segments whose changes Take has joined elsewhere, for segments to come.
type rooms struct {
	mu   sync.Mutex
	free [][]change.Change // empty
	kept int               // changes that there is room for in them
}

// take returns room for n changes or more.
func (r *rooms) take(n int) []change.Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	for last := len(r.free) - 1; last >= 0; last-- {
		room := r.free[last]
		r.free[last] = nil
		r.free = r.free[:last]
		r.kept -= cap(room)
		if cap(room) >= n {
			return room
		}
	}
	return make([]change.Change, 0, n)
}

// put takes back room that nobody looks at any more.
func (r *rooms) put(room []change.Change) {
	clear(room) // it must not keep the rows
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept+cap(room) <= roomsKept {
		r.kept += cap(room)
		r.free = append(r.free, room[:0])
	}
}

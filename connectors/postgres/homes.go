package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pglogrepl"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// homes knows under which names each table is captured, by its oid, and from which address of the log on: what comes of it there under another name is
// missing under these. A table goes into its publication by oid, so the log goes on to bring one that was renamed or moved.
type homes struct {
	mu sync.Mutex
	of map[uint32]map[string]uint64
}

// add takes over a table that is captured by name from an address on.
func (h *homes) add(oid uint32, name string, from uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := h.of[oid]
	if names == nil {
		names = map[string]uint64{}
		h.of[oid] = names
	}
	if at, known := names[name]; !known || from < at {
		names[name] = from
	}
}

// addAll takes over the tables of a catalogue that was read once the log had come to from.
func (h *homes) addAll(tables []candidate, from uint64) {
	for _, t := range tables {
		h.add(t.oid, t.String(), from)
	}
}

// departure is a table that is captured under a name and has come under another one.
type departure struct {
	oid  uint32
	name string
}

// left returns under which names a table is captured and a row of it, committed at lsn, has not come.
func (h *homes) left(oid uint32, name string, lsn uint64) []departure {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []departure
	for home, from := range h.of[oid] {
		if home != name && lsn >= from {
			out = append(out, departure{oid, home})
		}
	}
	return out
}

// newHomes makes those of a source that begins: what the saved progress names is captured from the saved place on, the others from where the log
// stood before the catalogue was read.
func (o *opening) newHomes() (*homes, error) {
	h := &homes{of: map[uint32]map[string]uint64{}}
	h.addAll(o.tables, o.from)
	captured, err := snapshot.Captured(o.start.Snapshot)
	for name, incarnation := range captured {
		if oid, ok := oidOf(incarnation); ok {
			h.add(oid, name, 0)
		}
	}
	return h, err
}

// readEnd returns where the log stands: what is visible from now on was committed below it, or later.
func readEnd(ctx context.Context, q querier) (uint64, error) {
	var text string
	if err := q.QueryRow(ctx, `select pg_current_wal_insert_lsn()::text`).Scan(&text); err != nil {
		return 0, fmt.Errorf("ask for the log's end: %w", err)
	}
	lsn, err := pglogrepl.ParseLSN(text)
	if err != nil {
		return 0, fmt.Errorf("ask for the log's end: %w", err)
	}
	return uint64(lsn), nil
}

// leftOut takes note of a table of which the log has brought rows under another name. Read's goroutine calls it.
func (s *Source) leftOut(d departure) {
	s.config.Logger.Warn("rows of a table have come under another name: it is or was renamed or moved, and changes of that time are missing under this one", "table", d.name)
	s.runner.Left(d.name)
	s.mu.Lock()
	s.left[d.name] = d.oid
	s.mu.Unlock()
	queue.Signal(s.lookNow)
}

// lookLeft has those of the tables read again that were left out of the log under their name, now that they are there.
//
// Invariant 5: where rows may not be read it halts.
func (s *Source) lookLeft(tables []candidate) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tables {
		name := t.String()
		oid, left := s.left[name]
		switch {
		case !left:
		case oid != t.oid: // another table, which look sees to
			delete(s.left, name)
		case s.unread(name) && s.told(name):
			return snapshot.Missed(name)
		case s.unread(name):
		default:
			delete(s.left, name)
			s.runner.Look(name)
		}
	}
	return nil
}

// noteLeft says in front of a row of r where it is missing.
func (a *assembler) noteLeft(r *streamed) {
	if r.left != nil {
		a.segment.End(end{more: &more{left: r.left}})
	}
	r.left = nil
}

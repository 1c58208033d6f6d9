package upsert

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Bisect applies changes in order and names exactly those that the target refuses. try applies a run of changes whole or not at all,
// inside the caller's transaction; its *sinks.Error of Class Wait or Reject is about some change of the run, every other error
// ends the search and is returned. A run that is refused is tried again in halves, down to one change, which no fold touches: so a
// change is named only after it was refused alone, behind all that came before it. Changes of a key whose earlier change was
// refused are left out, as the caller will leave them out. Markers that are Together are tried, and refused, together.
func Bisect(c []change.Change, try func(c []change.Change) error) ([]sinks.Refused, error) {
	b := bisection{changes: c, try: try}
	if err := b.search(0, len(c)); err != nil {
		return nil, err
	}
	return b.refused, nil
}

type bisection struct {
	changes []change.Change
	try     func(c []change.Change) error
	refused []sinks.Refused
	keys    map[string]bool // of refused changes
	key     []byte
	kept    []change.Change
}

func (b *bisection) search(from, to int) error {
	run := b.without(from, to)
	if len(run) == 0 {
		return nil
	}
	err := b.try(run)
	if err == nil {
		return nil
	}
	cause, ok := errors.AsType[*sinks.Error](err)
	if !ok || cause.Class != sinks.Wait && cause.Class != sinks.Reject {
		return err
	}
	if middle := b.middle(from, to); from < middle && middle < to {
		if err := b.search(from, middle); err != nil {
			return err
		}
		return b.search(middle, to)
	}
	if cause.Code == "" {
		return fmt.Errorf("change %d refused without a code: %w", from, err)
	}
	for i := from; i < to; i++ {
		b.refused = append(b.refused, sinks.Refused{Index: i, Class: cause.Class, Code: cause.Code, Cause: cause.Err})
	}
	if key, ok := b.keyOf(&b.changes[from]); ok {
		if b.keys == nil {
			b.keys = make(map[string]bool)
		}
		b.keys[string(key)] = true
	}
	return nil
}

// middle is where to part a run; to: nowhere.
func (b *bisection) middle(from, to int) int {
	half := from + (to-from)/2
	middle := half
	for middle > from && middle < to && Together(&b.changes[middle-1], &b.changes[middle]) {
		middle--
	}
	if middle > from {
		return middle
	}
	for middle = max(half, from+1); middle < to && Together(&b.changes[middle-1], &b.changes[middle]); {
		middle++
	}
	return middle
}

// without returns the changes from and up to, but not including, to whose keys have not been refused.
func (b *bisection) without(from, to int) []change.Change {
	run := b.changes[from:to]
	if len(b.keys) == 0 {
		return run
	}
	b.kept = b.kept[:0]
	for i := range run {
		if key, ok := b.keyOf(&run[i]); !ok || !b.keys[string(key)] {
			b.kept = append(b.kept, run[i])
		}
	}
	return b.kept
}

// keyOf is the table and the key of c; none for a marker and for a row whose key is not known.
func (b *bisection) keyOf(c *change.Change) ([]byte, bool) {
	if c.Op.IsMarker() {
		return nil, false
	}
	b.key = change.AppendJSONString(b.key[:0], c.Table.Schema)
	b.key = change.AppendJSONString(b.key, c.Table.Name)
	key, err := change.AppendKey(b.key, c.Table, c.Row())
	b.key = key
	return key, err == nil
}

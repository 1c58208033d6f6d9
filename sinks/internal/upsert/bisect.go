package upsert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Bisect applies changes in order and names exactly those that the target refuses. try applies a run of changes whole or not at all,
// inside the caller's transaction; its *sinks.Error of Class Wait or Reject is about some change of the run, every other error
// ends the search and is returned. A run that is refused is tried again in halves, down to one change, which no fold touches: so a
// change is named only after it was refused alone, behind all that came before it. Changes of a key whose earlier change was
// refused are left out, as the caller will leave them out. Markers that are Together are tried, and refused, together.
//
// What holds at a transaction's end need not hold within it, so transactions are parted from each other before one is parted itself, and what Waits in one is
// tried again behind the rest of it.
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
	within  bool // a transaction is being parted
}

// behindLimit is how often what waits in a transaction is tried again: each time takes what depends on what the last one took.
const behindLimit = 8

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
		return b.part(from, middle, to)
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

func (b *bisection) part(from, middle, to int) error {
	first, n := !b.within && OneTransaction(b.changes[from:to]), len(b.refused)
	b.within = b.within || first
	if err := b.search(from, middle); err != nil {
		return err
	}
	if err := b.search(middle, to); err != nil || !first {
		return err
	}
	b.within = false
	for range behindLimit {
		less, err := b.behind(from, to, n)
		if err != nil {
			return err
		}
		if !less {
			break
		}
	}
	return nil
}

// behind tries what Waits among the refused from n on, all of one transaction, behind the rest of it, and says whether less is refused now, but not nothing.
func (b *bisection) behind(from, to, n int) (less bool, err error) {
	waiting := bisection{try: b.try, within: true}
	keys := map[string]bool{}
	var at []int
	kept := b.refused[:n:n]
	for _, r := range b.refused[n:] {
		if key, ok := b.keyOf(&b.changes[r.Index]); ok && r.Class == sinks.Wait {
			keys[string(key)] = true
		} else {
			kept = append(kept, r)
		}
	}
	if len(keys) == 0 {
		return false, nil
	}
	for i := from; i < to; i++ {
		if key, ok := b.keyOf(&b.changes[i]); ok && keys[string(key)] {
			waiting.changes, at = append(waiting.changes, b.changes[i]), append(at, i)
		}
	}
	if err := waiting.search(0, len(at)); err != nil {
		return false, err
	}
	for key := range keys {
		delete(b.keys, key)
	}
	for i := range waiting.refused {
		r := waiting.refused[i]
		r.Index = at[r.Index]
		kept = append(kept, r)
		if key, ok := b.keyOf(&b.changes[r.Index]); ok {
			b.keys[string(key)] = true
		}
	}
	slices.SortFunc(kept, func(x, y sinks.Refused) int { return cmp.Compare(x.Index, y.Index) })
	b.refused = kept
	return len(waiting.refused) > 0 && len(waiting.refused) < len(keys), nil
}

// middle is where to part a run; to: nowhere.
func (b *bisection) middle(from, to int) int {
	half := from + (to-from)/2
	for d := range to - from { // between two transactions, as near to the half as there is
		for _, at := range [2]int{half - d, half + d} {
			if from < at && at < to && !OneTransaction(b.changes[at-1:at+1]) {
				return at
			}
		}
	}
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

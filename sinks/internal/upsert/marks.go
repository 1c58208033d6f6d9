package upsert

import (
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// CheckMarks refuses calls that would move a mark without its lock.
func CheckMarks(from, to []change.Mark) error {
	for _, t := range to {
		locked := false
		for _, f := range from {
			locked = locked || f.Lane == t.Lane
		}
		if !locked {
			return Halt("lane %s/%d is moved and not locked", t.Lane.Stream, t.Lane.N)
		}
	}
	return nil
}

// CompareMarks compares the locked marks with from: one that is not as from says is change.ErrFenced.
func CompareMarks(have, from []change.Mark) error {
	for _, want := range from {
		found := false
		for _, m := range have {
			if m.Lane != want.Lane {
				continue
			}
			found = true
			if m != want {
				return fmt.Errorf("lane %s/%d stands at %d %s, not at %d %s as when it was assigned: %w", m.Lane.Stream, m.Lane.N,
					m.Next, m.Pos, want.Next, want.Pos, change.ErrFenced)
			}
		}
		if !found {
			return fmt.Errorf("lane %s/%d has lost its mark: %w", want.Lane.Stream, want.Lane.N, change.ErrFenced)
		}
	}
	return nil
}

// ParseMark reads a mark's row: stream, lane, next, pos.
func ParseMark(stream, lane, next, pos string) (change.Mark, error) {
	n, err := strconv.ParseInt(lane, 10, 32)
	if err != nil {
		return change.Mark{}, fmt.Errorf("mark of stream %s: %w", stream, err)
	}
	offset, err := strconv.ParseInt(next, 10, 64)
	if err != nil {
		return change.Mark{}, fmt.Errorf("mark of lane %s/%d: %w", stream, n, err)
	}
	at, err := change.ParsePosition(pos)
	if err != nil {
		return change.Mark{}, fmt.Errorf("mark of lane %s/%d: %w: %w", stream, n, err, change.ErrHalt)
	}
	return change.Mark{Lane: change.Lane{Stream: stream, N: int32(n)}, Next: offset, Pos: at}, nil
}

package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestIdleMovesThePlace: a keepalive at the very end of the last transaction ends the wait for the log's end; one that is older, or
// inside a transaction, moves nothing.
func TestIdleMovesThePlace(t *testing.T) {
	t.Parallel()
	const commit, end = 100, 148
	cases := []struct {
		name   string
		inside bool
		lsn    uint64
		moved  bool
	}{
		{"before the commit", false, commit, false},
		{"inside the commit record", false, end - 8, false},
		{"at its end", false, end, true},
		{"behind it", false, end + 8, true},
		{"inside the next transaction", true, end + 8, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := assembler{epoch: 1, inside: c.inside}
			a.at = place{upto: change.Position{Epoch: 1, Commit: commit, Seq: change.MaxSeq}, lsn: end}
			moved, err := a.idle(c.lsn)
			if err != nil || moved != c.moved {
				t.Fatalf("moved %v, %v; want %v", moved, err, c.moved)
			}
			if moved && (a.at.upto != below(1, c.lsn) || a.at.lsn != c.lsn) {
				t.Errorf("stands at %s and %d", a.at.upto, a.at.lsn)
			}
			if again, err := a.idle(c.lsn); again || err != nil {
				t.Errorf("moved again: %v, %v", again, err)
			}
		})
	}
}

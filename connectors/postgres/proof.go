package postgres

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// proof checks that the log of a server goes on where a Resume ended. The stream is begun at the last transaction that the Resume
// knows, or where the slot stands if that is later; what comes of it below the Resume must be that transaction and no other.
//
// Invariant 5: a server that was restored and has written past the Resume since shows other transactions there.
type proof struct {
	from      uint64   // the server sends what was committed at or above it
	until     uint64   // the Resume
	last      evidence // of the Resume
	seen      bool     // last has come again
	replaying bool     // inside of it: its rows have been handed over before
}

var errOther = errors.New("the server's log is not the one that was read: it was restored, or another server took its place")

// begin takes the begin of a transaction.
func (p *proof) begin(t evidence) error {
	if t.Commit >= p.until {
		return p.passed(t.Commit)
	}
	if t != p.last {
		return fmt.Errorf("below the saved place %s came transaction %d at %s, where %d at %s was the last: %w: %w",
			lsnText(p.until), t.XID, lsnText(t.Commit), p.last.XID, lsnText(p.last.Commit), errOther, change.ErrGap)
	}
	p.seen, p.replaying = true, true
	return nil
}

// passed says that all below lsn has come.
func (p *proof) passed(lsn uint64) error {
	if p.seen || p.last.Commit < p.from || p.last.Commit == 0 || lsn <= p.last.Commit {
		return nil
	}
	return fmt.Errorf("transaction %d at %s, the last one read before the saved place %s, is not in the log up to %s: %w: %w",
		p.last.XID, lsnText(p.last.Commit), lsnText(p.until), lsnText(lsn), errOther, change.ErrGap)
}

package mysql

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// proof checks that the log of a server goes on where a Resume ended. The stream is begun at the last group that the Resume knows, where
// that is in the Resume's own file; it must come first, and is not handed over again. In any case the file is the one that was read.
//
// Invariant 5: a server that was reset or restored shows another file or another group there, whatever their names and GTIDs.
type proof struct {
	file      logFile  // created in that second; no name: nothing to prove
	last      evidence // no file: no group was read of the file
	waiting   bool     // last has not come yet
	replaying bool     // inside of it
}

var errOther = errors.New("the server's log is not the one that was read: it was reset or restored, or another server took its place")

// pending says that nothing is proved yet.
func (p *proof) pending() bool { return p.waiting || p.replaying }

// opens takes the description of a file.
func (p *proof) opens(f logFile) error {
	if p.file.name != f.name || p.file.created == 0 || p.file.created == f.created {
		return nil
	}
	return fmt.Errorf("file %s was made at %d, the one that was read at %d (seconds since 1970): %w: %w", f.name, f.created, p.file.created, errOther, change.ErrGap)
}

// begin takes the begin of a group.
func (p *proof) begin(e evidence) error {
	if !p.waiting {
		return nil
	}
	if e.file.name == p.last.file.name && e.offset < p.last.offset {
		p.replaying = true // the stream begins in front of it
		return nil
	}
	e.file.created = p.last.file.created // opens has compared it, or it wasn't known
	if e != p.last {
		return fmt.Errorf("at %s:%d came %s of %d, where %s of %d was read (microseconds since 1970): %w: %w",
			e.file.name, e.offset, e.id, e.when, p.last.id, p.last.when, errOther, change.ErrGap)
	}
	p.waiting, p.replaying = false, true
	return nil
}

// passed takes the server's word that nothing comes in front of a place.
func (p *proof) passed(f logFile, end uint64) error {
	if !p.waiting || f.name == p.last.file.name && end < p.last.offset {
		return nil
	}
	return p.missing()
}

// leaves takes the end of a file.
func (p *proof) leaves(f logFile) error {
	if !p.waiting || f.name != p.last.file.name {
		return nil
	}
	return p.missing()
}

func (p *proof) missing() error {
	return fmt.Errorf("the group at %s:%d (%s), the last one read, is not there: %w: %w", p.last.file.name, p.last.offset, p.last.id, errOther, change.ErrGap)
}

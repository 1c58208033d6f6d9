package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// prepared is an XA transaction that was prepared and isn't decided yet. Its rows stay where they are, in the log.
type prepared struct {
	xid string // as the log's statements write it
	evidence
	server string // whose log evidence is of
	before string // MariaDB: the GTIDs in front of it
	none   string // it has no rows of what this selection captures; empty: it has some
}

// held is the rows of a prepared transaction that are kept until it is decided, so that the log need not be read again.
type held struct {
	frames []frame
	bytes  int
	cuts   []cut
}

// heldShare is how much of a group's memory held transactions may take, all together.
const heldShare = 4

var errXAOld = errors.New("an XA transaction was committed that had been prepared before the pipeline began, so its rows are not known: take a new snapshot")

// prepare takes the end of an XA transaction's first phase, or of its only one.
// Source: MySQL 9.7, libs/mysql/binlog/event/control_events.h, XA_prepare_event.
//
// Invariant 4: nothing of it is emitted before XA COMMIT.
func (a *assembler) prepare(ctx context.Context, body []byte) error {
	xid, ok := preparedXID(body)
	if !ok || !a.inside {
		return fmt.Errorf("XA PREPARE: %w: %w", errEvent, change.ErrHalt)
	}
	if body[0] != 0 || a.proof.replaying || a.scanning != nil { // in one phase, or known
		return a.commit(ctx)
	}
	if a.wanted != nil {
		return errFetched
	}
	p := prepared{xid: xid, evidence: a.evidence(), server: a.id.Server, before: a.front()}
	if a.frames.size() == 0 {
		p.none = a.selection.Print()
	}
	a.at.xa = append(slices.DeleteFunc(slices.Clone(a.at.xa), func(q prepared) bool { return q.xid == p.xid }), p)
	a.hold(p.xid)
	return a.commit(ctx)
}

// front is MariaDB's place in front of the group under way, as a GTID set.
func (a *assembler) front() string {
	s := gtidSet{last: a.highest}
	return s.String()
}

// hold keeps the rows of the group under way, if there is room.
//
// Invariant 9: what doesn't fit is read from the log again when it is decided.
func (a *assembler) hold(xid string) {
	a.forget(xid)
	h := held{frames: slices.Clone(a.frames.kept), bytes: a.frames.bytes, cuts: slices.Clone(a.group.cuts)}
	if len(h.frames) > 0 && a.frames.file == nil && a.heldBytes+h.bytes <= a.frames.limit/heldShare {
		a.held[xid] = h
		a.heldBytes += h.bytes
	}
	a.frames.clear()
}

func (a *assembler) forget(xid string) {
	a.heldBytes -= a.held[xid].bytes
	delete(a.held, xid)
}

// decided takes the second phase of an XA transaction: XA COMMIT is the group that its rows belong to, in the order in which they were prepared.
func (a *assembler) decided(ctx context.Context, s statement) error {
	if a.proof.replaying {
		return a.commit(ctx)
	}
	at := slices.IndexFunc(a.at.xa, func(p prepared) bool { return p.xid == s.name })
	if at < 0 && s.kind == stmtXACommit {
		return fmt.Errorf("XA COMMIT %s: %w: %w", s.name, errXAOld, change.ErrHalt)
	}
	if at >= 0 {
		p := a.at.xa[at]
		a.at.xa = slices.Delete(slices.Clone(a.at.xa), at, at+1)
		if s.kind == stmtXACommit {
			if err := a.restore(ctx, p); err != nil {
				return fmt.Errorf("XA COMMIT %s, which was prepared at %s:%d: %w", p.xid, p.file.name, p.offset, err)
			}
			a.group.prepared = &p
			if a.flavor == MariaDB && a.frames.size() > 0 {
				a.phases.ended(a.txnID(), p.xid)
			}
		}
		a.forget(p.xid)
	}
	return a.commit(ctx)
}

// restore makes the rows of a prepared transaction those of the group under way.
func (a *assembler) restore(ctx context.Context, p prepared) error {
	h, known := a.held[p.xid]
	switch {
	case p.none == a.selection.Print():
		return nil
	case known:
		a.frames.kept, a.frames.bytes, a.group.cuts = append(a.frames.kept, h.frames...), h.bytes, h.cuts
		return nil
	case p.isZero():
		return nil // of a release that halted where it had captured rows
	}
	return a.refetch(ctx, p)
}

// orphans writes the transactions that wait for their second phase.
func (p place) orphans() string {
	var list []string
	for _, x := range p.xa {
		list = append(list, x.xid+" at "+x.file.name)
	}
	return strings.Join(list, ", ")
}

// tokenXA is a prepared transaction as a Resume has it.
type tokenXA struct {
	XID    string `json:"xid"`
	Server string `json:"server"`
	Before string `json:"before,omitempty"`
	None   string `json:"none,omitempty"`
	tokenLast
}

func writePrepared(all []prepared) (list []tokenXA, old []string) {
	for _, p := range all {
		if p.isZero() {
			old = append(old, p.xid)
			continue
		}
		list = append(list, tokenXA{XID: p.xid, Server: p.server, Before: p.before, None: p.none, tokenLast: p.evidence.token()})
	}
	return list, old
}

func readPrepared(list []tokenXA, old []string) ([]prepared, error) {
	var out []prepared
	for _, xid := range old {
		out = append(out, prepared{xid: xid})
	}
	for _, x := range list {
		p := prepared{xid: x.XID, server: x.Server, before: x.Before, none: x.None}
		f, _, err := parseFile(x.File)
		if err != nil || x.Pos>>offsetBits != 0 {
			return nil, fmt.Errorf("XA transaction %s: %w", x.XID, errResume)
		}
		f.created = x.Created
		p.evidence = evidence{file: f, offset: x.Pos, id: x.GTID, when: x.Time}
		out = append(out, p)
	}
	return out, nil
}

// highest is a copy of the last GTID of each domain.
func highest(s *gtidSet) map[string]gtid { return maps.Clone(s.last) }

package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// group is the log's own transaction while its events come.
type group struct {
	began
	offset   uint64      // of its first event
	explicit bool        // something ends it: XID, COMMIT, ROLLBACK, XA PREPARE
	name     string      // its GTID as text; empty: it has none
	txn      *change.Txn // made at the first change
	tables   []tableName
	marks    []savepoint
	cuts     []cut     // what was rolled back to a savepoint
	prepared *prepared // XA COMMIT: what it decides
}

// savepoint is how many frames came in front of it.
type savepoint struct {
	name string
	at   int
}

// cut is frames that were rolled back.
type cut struct{ from, to int }

func (g *group) moment() moment { return moment{micros: g.when, server: g.clock} }

func (g *group) touches(t tableName) {
	if n := len(g.tables); n > 0 && g.tables[n-1] == t || slices.Contains(g.tables, t) {
		return
	}
	g.tables = append(g.tables, t)
}

var (
	errPlace    = errors.New("the log's file is too large for a position: set max_binlog_size below 1 TiB")
	errRows     = errors.New("the log holds a statement where it should hold rows (binlog_format was STATEMENT or MIXED in that session), and it may have changed captured tables")
	errForeign  = errors.New("its names are in a character set that isn't known: use SET NAMES utf8mb4 for DDL")
	errReadable = errors.New("a statement that can't be read and may concern a captured table")
	errDisorder = errors.New("the numbers of a domain's GTIDs went back, so they don't tell what a snapshot has seen: set gtid_strict_mode=ON, then take a new snapshot")
)

// begin takes the first event of a group.
func (a *assembler) begin(h header, body []byte, start uint64) error {
	b, err := parseBegin(h, body)
	if err != nil {
		return err
	}
	if start>>offsetBits != 0 {
		return fmt.Errorf("offset %d: %w: %w", start, errPlace, change.ErrHalt)
	}
	a.inside = true
	a.group = group{began: b, offset: start, explicit: a.flavor == MariaDB && !b.standalone, tables: a.group.tables[:0]}
	if !b.id.isZero() {
		a.group.name = b.id.String()
	}
	if a.wanted != nil {
		return a.wanted.begins(a)
	}
	return a.proof.begin(a.evidence())
}

// ordered refuses a MariaDB GTID that is not above those before it in its domain.
func (a *assembler) ordered(id gtid) error {
	if a.flavor != MariaDB || id.isZero() {
		return nil
	}
	if last := a.highest[id.origin]; id.n <= last.n {
		return fmt.Errorf("GTID %s after %d: %w: %w", id, last.n, errDisorder, change.ErrHalt)
	}
	a.highest[id.origin] = id
	return nil
}

func (a *assembler) evidence() evidence {
	return evidence{file: a.file, offset: a.group.offset, when: a.group.when, id: a.group.name}
}

// drop forgets the group under way.
func (a *assembler) drop() {
	a.inside, a.proof.replaying = false, false
	a.frames.clear()
}

// commit ends a group: its rows are decoded now.
//
// Invariant 4: not earlier, for the group could end in ROLLBACK; and a Resume stands behind it, never inside.
func (a *assembler) commit(ctx context.Context) error {
	if !a.inside {
		return fmt.Errorf("end of a transaction: %w: %w", errGroup, change.ErrHalt)
	}
	if a.proof.replaying || a.scanning != nil {
		a.drop()
		return nil
	}
	if a.wanted != nil {
		return a.wanted.gone()
	}
	if err := a.ordered(a.group.id); err != nil {
		return err
	}
	if err := a.deliver(ctx); err != nil {
		return fmt.Errorf("transaction %s: %w", a.txnID(), err)
	}
	id, last := a.group.id, a.evidence()
	a.drop()
	return a.advance(id, last)
}

// txnID is what the group's changes call it.
func (a *assembler) txnID() string {
	if a.group.name == "" {
		return a.addressOf(a.group.offset)
	}
	return a.group.name
}

// txn is what all changes of the group share.
func (a *assembler) txn() *change.Txn {
	if a.group.txn == nil {
		a.group.txn = &change.Txn{ID: a.txnID(), Committed: time.UnixMicro(a.group.when).UTC()}
	}
	return a.group.txn
}

// query takes a statement.
func (a *assembler) query(ctx context.Context, h header, body []byte, start uint64) error {
	if !a.inside {
		return fmt.Errorf("statement: %w: %w", errGroup, change.ErrHalt)
	}
	q, err := parseQuery(h, body)
	if err != nil {
		return err
	}
	if a.scanning != nil {
		return a.scanQuery(ctx, q, start)
	}
	s, err := parseStatement(q)
	if a.group.undone {
		s, err = statement{}, nil
	}
	if err == nil && q.foreign && a.doubtful(s) {
		err = errForeign
	}
	if err != nil {
		return fmt.Errorf("%w: %w: %s: %w", errReadable, err, shortened(q.sql), change.ErrHalt)
	}
	switch s.kind {
	case stmtBegin, stmtXABegin:
		a.group.explicit = true
		return nil
	case stmtCommit:
		return a.commit(ctx)
	case stmtRollback:
		return a.rollback(ctx)
	case stmtSavepoint:
		a.group.marks = append(a.group.marks, savepoint{strings.ToLower(s.name), a.frames.size()})
		return nil
	case stmtRollbackTo:
		return a.rollbackTo(s.name)
	case stmtXACommit, stmtXARollback:
		return a.decided(ctx, s)
	case stmtRows:
		if err := a.unlogged(q); err != nil {
			return err
		}
	}
	if s.fills && !a.proof.replaying && len(a.captured(s.tables)) > 0 {
		return refuse(q)
	}
	if !a.proof.replaying {
		if err := a.apply(ctx, q, s, start); err != nil {
			return fmt.Errorf("%s: %w", shortened(q.sql), err)
		}
	}
	if a.group.explicit || s.opens {
		a.group.explicit = true
		return nil
	}
	return a.commit(ctx)
}

// load takes a LOAD DATA whose rows are not in the log. Four fields about its file stand behind a QUERY event's own.
func (a *assembler) load(h header, body []byte) error {
	const head = 4 + 4 + 1 + 2 + 2 + 4 + 4 + 4 + 1
	if !a.inside {
		return fmt.Errorf("LOAD DATA: %w: %w", errGroup, change.ErrHalt)
	}
	q, err := parseQueryBehind(h, body, head)
	if err != nil {
		return err
	}
	return a.unlogged(q)
}

// unlogged takes a statement whose rows are not in the log: it may concern no captured table.
func (a *assembler) unlogged(q query) error {
	if a.proof.replaying || a.scanning != nil || !a.concerns(q) {
		return nil
	}
	return refuse(q)
}

func refuse(q query) error {
	return fmt.Errorf("default database %q: %s: %w: SET GLOBAL binlog_format = ROW, end the old sessions, then take a new snapshot: %w",
		q.schema, shortened(q.sql), errRows, change.ErrHalt)
}

// shownBytes is how much of a statement an error quotes.
const shownBytes = 200

func shortened(sql string) string {
	sql = strings.ToValidUTF8(sql, "?")
	if len(sql) > shownBytes {
		return sql[:shownBytes] + "..."
	}
	return sql
}

// rollback ends a group that was rolled back as far as that goes: it is in the log for what can't be.
func (a *assembler) rollback(ctx context.Context) error {
	if len(a.group.tables) > 0 && !a.proof.replaying {
		if err := a.engines(a.group.tables, a.group.moment()); err != nil {
			return fmt.Errorf("ROLLBACK of transaction %s: %w", a.txnID(), err)
		}
	}
	a.frames.clear()
	return a.commit(ctx)
}

// rollbackTo takes back what came behind a savepoint.
func (a *assembler) rollbackTo(name string) error {
	name = strings.ToLower(name)
	for i := len(a.group.marks) - 1; i >= 0; i-- {
		m := a.group.marks[i]
		if m.name != name {
			continue
		}
		a.group.marks = a.group.marks[:i+1]
		if a.frames.size() == m.at {
			return nil
		}
		a.group.cuts = append(a.group.cuts, cut{m.at, a.frames.size()})
		return a.engines(a.group.tables, a.group.moment())
	}
	return fmt.Errorf("ROLLBACK TO %s, a savepoint that was not set: %w: %w", name, errGroup, change.ErrHalt)
}

package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// ahead is what the log holds of captured tables between two places: the statements that change them, and how rows describe them. It is read
// over a connection of its own where something must be known of a table that the stream can't tell yet.
type ahead struct {
	from, upto change.Position // what stands behind from and in front of upto is known
	file       logFile         // of upto
	tables     map[tableName][]sighting
}

// sighting is a statement that names a table, or a run of TABLE_MAPs that are alike.
type sighting struct {
	first, last change.Position
	body        []byte // of the TABLE_MAPs; nil: it is a statement
	sql         string
}

// everyTable stands for all tables, of a database where it has one: DROP DATABASE, and statements that can't be read.
func everyTable(database string) tableName { return tableName{schema: database} }

// statement returns the first statement behind a place that changes a table, if any.
func (h *ahead) statement(t tableName, behind change.Position) (sighting, bool) {
	var found sighting
	some := false
	for _, name := range []tableName{t, everyTable(t.schema), everyTable("")} {
		for _, s := range h.tables[name] {
			if s.body == nil && behind.Less(s.first) && (!some || s.first.Less(found.first)) {
				found, some = s, true
			}
		}
	}
	return found, some
}

// tableMap returns the next TABLE_MAP of a table behind a place, if any.
func (h *ahead) tableMap(t tableName, behind change.Position) (sighting, bool) {
	for _, s := range h.tables[t] {
		if s.body != nil && behind.Less(s.last) {
			return s, true
		}
	}
	return sighting{}, false
}

func (h *ahead) sees(t tableName, s sighting) {
	list := h.tables[t]
	if n := len(list); n > 0 && s.body != nil && list[n-1].body != nil && bytes.Equal(list[n-1].body[mapIDBytes:], s.body[mapIDBytes:]) {
		list[n-1].last = s.last
		return
	}
	h.tables[t] = append(list, s)
}

var errScanned = errors.New("the log has been read as far as was asked for")

// spot is where an event that begins at start stands: its group, and its place in it. Positions of this kind compare with each other only.
func (a *assembler) spot(start uint64) change.Position {
	return change.Position{Epoch: a.epoch, Commit: commitOf(a.file, a.group.offset), Seq: start - a.group.offset}
}

// lookAhead makes all known that stands between the group under way and a place.
//
// Invariant 6: what the catalogue says is of the end of the log, so it says something of a place in front of that only if nothing between the two has
// changed the table.
func (a *assembler) lookAhead(ctx context.Context, end logEnd) (*ahead, error) {
	here := change.Position{Epoch: a.epoch, Commit: commitOf(a.file, a.group.offset)}
	until := change.Position{Epoch: a.epoch, Commit: commitOf(end.file, end.offset)}
	h := a.known
	if h == nil || here.Less(h.from) || h.upto.Less(here) {
		h = &ahead{from: here, upto: here, file: a.file, tables: map[tableName][]sighting{}}
	}
	if h.upto.Less(until) && commitOf(a.file, a.end) < until.Commit {
		if err := a.scan(ctx, h, until); err != nil {
			return nil, fmt.Errorf("look ahead in the log from %s:%d: %w", h.file.name, h.upto.Commit&(1<<offsetBits-1), err)
		}
	}
	a.known = h
	return h, nil
}

// scan reads on from where h ends.
func (w *wire) scan(ctx context.Context, h *ahead, until change.Position) error {
	a := w.assemble
	payload, err := rowimage.NewPayload(maxEventBytes)
	if err != nil {
		return err
	}
	defer payload.Close()
	b := &assembler{epoch: a.epoch, flavor: a.flavor, folds: a.folds, selection: a.selection, logger: a.logger, payload: payload, id: a.id,
		emptyInto: func(segment) error { return nil }, announced: map[tableName]*change.Table{}, scanning: h, until: until.Commit}
	b.restart()
	b.proof.file = h.file
	from := askable(h.upto.Commit & (1<<offsetBits - 1))
	b.end = from
	f := &fetcher{ctx: ctx, assemble: b}
	err = w.dump(fetchIDOf(w.config.SourceID), f, func(s *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
		return s.StartSync(gomysql.Position{Name: h.file.name, Pos: uint32(from)})
	})
	switch {
	case errors.Is(f.failed, errScanned):
		h.upto, h.file = change.Position{Epoch: b.epoch, Commit: commitOf(b.file, b.end)}, b.file
		return nil
	case f.failed != nil:
		return f.failed
	}
	return classifyStream(err)
}

// scanned ends the look ahead where it has come far enough, between two groups.
func (a *assembler) scanned() error {
	if a.scanning == nil || a.inside || commitOf(a.file, a.end) < a.until {
		return nil
	}
	return errScanned
}

// scanQuery notes a statement in the look ahead. One that can't be read may have changed any table.
func (a *assembler) scanQuery(ctx context.Context, q query, start uint64) error {
	s, err := parseStatement(q)
	if a.group.undone {
		s, err = statement{}, nil
	}
	seen := sighting{first: a.spot(start), last: a.spot(start), sql: shortened(q.sql)}
	switch {
	case err != nil || q.foreign && a.doubtful(s):
		a.scanning.sees(everyTable(""), seen)
	case s.kind == stmtBegin || s.kind == stmtXABegin:
		a.group.explicit = true
		return nil
	case s.kind == stmtSavepoint || s.kind == stmtRollbackTo:
		return nil
	case s.kind == stmtCommit || s.kind == stmtRollback:
		return a.commit(ctx)
	case s.kind == stmtDropDatabase:
		a.scanning.sees(everyTable(a.fold(s.name)), seen)
	case s.kind == stmtDDL || s.kind == stmtVanish:
		for _, t := range a.captured(s.tables) {
			a.scanning.sees(t, seen)
		}
	}
	if a.group.explicit || s.opens {
		a.group.explicit = true
		return nil
	}
	return a.commit(ctx)
}

package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var errVanish = errors.New("the statement changes a captured table's rows and the log doesn't say which; take a new snapshot (snapshot mode never can't do it by itself)")

// apply does what a statement asks for, as far as captured tables are concerned.
func (a *assembler) apply(ctx context.Context, q query, s statement, start uint64) error {
	switch s.kind {
	case stmtTruncate:
		return a.truncate(ctx, a.captured(s.tables), start)
	case stmtDropDatabase:
		a.remarks.put(a.remarkOf(q, s, start))
		for i, t := range a.dropped(a.fold(s.name)) {
			a.shapes.touch(t)
			a.remake(t, a.placeOf(start, i))
		}
		return a.forgetDatabase(a.fold(s.name))
	case stmtDDL, stmtVanish:
		tables := a.captured(s.tables)
		if s.kind == stmtVanish && len(tables) > 0 && !a.remakes {
			return fmt.Errorf("table %s: %w: %w", tables[0], errVanish, change.ErrHalt)
		}
		was := a.columnsBefore(tables)
		for i, t := range tables {
			a.shapes.touch(t)
			err := error(nil)
			switch {
			case a.empties(s, t):
				a.at.marks = a.shapes.bear(t, a.groupPosition()) // the rest when it is known what the table is
			case s.remade || s.kind == stmtVanish:
				a.remake(t, a.placeOf(start, i))
			default:
				err = a.rewrite(ctx, q, t, was, start)
			}
			if err != nil {
				return fmt.Errorf("table %s: %w", t, err)
			}
		}
		if len(tables) > 0 {
			a.remarks.put(a.remarkOf(q, s, start))
			a.appeared()
		}
		if err := a.turn(ctx, q, s, start); err != nil {
			return err
		}
		for _, t := range tables {
			if !a.empties(s, t) {
				continue
			}
			if err := a.empty(ctx, s, t, start); err != nil {
				return fmt.Errorf("table %s: %w", t, err)
			}
		}
	}
	return nil
}

// fold writes a name of a statement as the log's row events do.
func (a *assembler) fold(name string) string {
	if a.folds {
		return strings.ToLower(name)
	}
	return name
}

// dropped are the captured tables that go with a database: those that the log has shown since the open, and those that were read before it. The
// log names none of them.
func (a *assembler) dropped(database string) []tableName {
	tables := a.shapes.of(database)
	for _, t := range a.tablesOf(database) {
		if !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
	}
	return tables
}

func (a *assembler) captured(tables []tableName) []tableName {
	var out []tableName
	for _, t := range tables {
		t = tableName{a.fold(t.schema), a.fold(t.name)}
		if a.selection.Has(t.schema, t.name) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// remake notes that another table has that name from here on, or that rows of it came or went without a word in the log: the snapshot takes
// its rows away and reads it again. Where it doesn't know the table the rows that the stream has brought are taken away here.
func (a *assembler) remake(t tableName, place uint64) {
	a.at.marks = a.shapes.bear(t, a.groupPosition())
	if a.looked(t) {
		return
	}
	if table := a.announced[t]; table != nil {
		a.add(change.Change{Op: change.Truncate, Table: table}, place<<2|change.SeqRow)
	}
}

// empties says that a table was dropped, or made in place of one that was, whose rows targets may have from before this process, and that no snapshot reads it.
func (a *assembler) empties(s statement, t tableName) bool {
	return !a.remakes && a.announced[t] == nil && (s.drops || s.makes && (s.remade || a.shapes.owes(t))) && !a.looked(t)
}

// empty has targets empty such a table. It goes with the shape of the one that is made; until then it is owed.
func (a *assembler) empty(ctx context.Context, s statement, t tableName, start uint64) error {
	table, err := (*change.Table)(nil), errNoTable
	if s.makes {
		table, err = a.tableAt(ctx, t, start)
	}
	owed := errors.Is(err, errNoTable)
	if err != nil && !owed {
		return err
	}
	if a.at.marks = a.shapes.owe(t, a.groupPosition(), owed); !owed {
		a.tellEmpty(table, a.placeOf(start, lastPlace)) // where it is known which column is which
	}
	return nil
}

// tableAt returns the Table of a table that a statement names: the last that the log showed, or the history's; else that of the next rows, since
// nothing of the table stands between them and here but statements, and without any the catalogue's.
//
// Invariant 6: the catalogue's only where nothing behind it in the log says otherwise.
func (a *assembler) tableAt(ctx context.Context, t tableName, start uint64) (*change.Table, error) {
	if shown := a.shapes.shown(t); shown != nil {
		return shown, nil
	}
	made, err := (*shape)(nil), error(nil)
	if p := a.past[t]; p != nil && len(p.Open) == 0 {
		made, err = a.shapes.ofDescribed(t, p.described())
	} else {
		made, err = a.nextShape(ctx, t, a.spot(start))
	}
	if err != nil {
		return nil, err
	}
	a.shapes.tell(t, made.table)
	return made.table, nil
}

// nextShape is the shape of the next rows of a table in the log, without any the catalogue's.
func (a *assembler) nextShape(ctx context.Context, t tableName, behind change.Position) (*shape, error) {
	d, end, missing := a.present(ctx, t)
	if missing != nil && !errors.Is(missing, errNoTable) && !errors.Is(missing, change.ErrHalt) {
		return nil, missing
	}
	h, err := a.lookAhead(ctx, end)
	if err != nil {
		return nil, err
	}
	if next, ok := h.tableMap(t, behind); ok {
		s, err := a.shapes.fromLog(ctx, next.body)
		if !errors.Is(err, rowimage.ErrNoNames) {
			return s, err
		}
		if later, changed := h.statement(t, behind); changed && later.first.Less(next.first) {
			return nil, fmt.Errorf("%q at %s changes it before a row comes: %w: %w", later.sql, placeText(a.base, later.first), errPastUnknown, change.ErrHalt)
		}
		return a.shapeOf(ctx, frame{offset: behind.Seq, body: next.body})
	}
	if missing != nil {
		return nil, missing
	}
	return a.shapes.ofDescribed(t, d)
}

// truncate emits the marker of emptied tables.
func (a *assembler) truncate(ctx context.Context, tables []tableName, start uint64) error {
	for i, t := range tables {
		table, err := a.tableAt(ctx, t, start)
		if errors.Is(err, errNoTable) {
			a.logger.Warn("a table was emptied that is gone by now: nothing is told to targets, as for a table that is dropped", "table", t.String())
			continue
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t, err)
		}
		a.tellEmpty(table, a.placeOf(start, i))
	}
	return nil
}

func (a *assembler) tellEmpty(table *change.Table, place uint64) {
	a.announce(table, place<<2)
	a.add(change.Change{Op: change.Truncate, Table: table}, place<<2|change.SeqRow)
}

// placeOf is the place in the group of the i-th table of a statement that begins at start.
func (a *assembler) placeOf(start uint64, i int) uint64 {
	return (start-a.group.offset)<<rowBits | uint64(i)
}

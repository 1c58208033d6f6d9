package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errTable     = errors.New("no such table to capture")
	errVersioned = errors.New("it is WITH SYSTEM VERSIONING, and the log holds such a table's history as rows: leave it out (tables.exclude)")
	errUnited    = errors.New("what is changed through a MERGE table stands in the log under that table's name, so captured rows change without a word: drop it, or leave the table out (tables.exclude)")
)

// unfit returns a change.ErrPreflight for each captured table whose rows the log doesn't have, or has in a way that can't be told from others.
//
// Invariant 1: they would be missing, and nothing in the log says so.
func (s selection) unfit(ctx context.Context, conn *session) ([]error, error) {
	rows, err := conn.all(ctx, "select table_schema, table_name, table_type, coalesce(engine, '') from information_schema.tables where table_type in ('BASE TABLE', 'SYSTEM VERSIONED') "+
		"and table_schema not in ('"+strings.Join(ownDatabases, "', '")+"') order by 1, 2")
	if err != nil {
		return nil, fmt.Errorf("ask for the tables' engines: %w", err)
	}
	var unfit []error
	refuse := func(t tableName, err error) {
		unfit = append(unfit, fmt.Errorf("table %s: %w: %w", t, err, change.ErrPreflight))
	}
	for _, row := range rows {
		t := tableName{row[0], row[1]}
		err := myvalue.Keeps(row[3])
		switch {
		case s.Has(t.schema, t.name) && row[2] != "BASE TABLE":
			refuse(t, errVersioned)
		case s.Has(t.schema, t.name) && err != nil:
			refuse(t, fmt.Errorf("%w: leave it out (tables.exclude)", err))
		case strings.EqualFold(row[3], "MRG_MYISAM"):
			list, err := united(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			for _, member := range list {
				if s.Has(member.schema, member.name) {
					refuse(member, fmt.Errorf("%s: %w", t, errUnited))
				}
			}
		}
	}
	return unfit, nil
}

// united are the tables whose rows are those of a MERGE table.
func united(ctx context.Context, conn *session, t tableName) ([]tableName, error) {
	row, err := conn.one(ctx, "show create table "+quoteTable(t.schema, t.name))
	switch errorCode(err) {
	case codeNoSuchTable, codeTableDenied, codeUnfitUnion:
		return nil, nil // gone; or nothing of it may be read; or nothing goes through it
	}
	if err != nil {
		return nil, fmt.Errorf("ask which tables %s unites: %w", t, err)
	}
	all, err := (&lexer{sql: row[1]}).split()
	if err != nil {
		return nil, fmt.Errorf("read which tables %s unites: %w: %w", t, err, change.ErrHalt)
	}
	ts := all[len(all)-1]
	at := ts.find("UNION")
	if at < 0 || at+3 > len(ts) {
		return nil, nil
	}
	var list []tableName
	for _, name := range ts[at+3:].split() { // behind = and (
		switch {
		case len(name) > 2 && name[1].punct("."):
			list = append(list, tableName{name[0].text, name[2].text})
		case len(name) > 0:
			list = append(list, tableName{t.schema, name[0].text})
		}
	}
	return list, nil
}

// kindOf is what the catalogue has by a name: BASE TABLE, VIEW, SEQUENCE or another TABLE_TYPE; empty: nothing that the user may see.
func kindOf(ctx context.Context, conn *session, t tableName) (string, error) {
	rows, err := conn.all(ctx, "select table_type from information_schema.tables where table_schema = "+quoteText(t.schema)+" and table_name = "+quoteText(t.name))
	if err != nil {
		return "", fmt.Errorf("ask what %s is: %w", t, err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	return rows[0][0], nil
}

// missing returns change.ErrPreflight for a table that is included by name and isn't there, that the user may not see, or that is none.
func (s selection) missing(ctx context.Context, conn *session, list []tableName) error {
	for _, p := range s.Include {
		t := tableName{p.Schema, p.Name}
		if !p.Exact() || slices.Contains(list, t) {
			continue
		}
		kind, err := kindOf(ctx, conn, t)
		if err != nil {
			return err
		}
		why := "it doesn't exist, or the user lacks SELECT on it"
		switch kind {
		case "VIEW":
			why = "it is a view, and the log has rows under the names of the tables that it reads: include those in its place"
		case sequenceKind:
			why = "it is a sequence, whose numbers are no rows: take it out of tables.include, and set the target's own where it is needed"
		}
		return fmt.Errorf("table %s: %w: %s: %w", t, errTable, why, change.ErrPreflight)
	}
	return nil
}

const sequenceKind = "SEQUENCE"

// sequenceColumns are those under which the log of MariaDB has the state of a sequence, each time that it sets numbers aside.
//
// Source: MariaDB 11.8, sql/sql_sequence.cc, sequence_structure.
var sequenceColumns = []string{"next_not_cached_value", "minimum_value", "maximum_value", "start_value", "increment", "cache_size", "cycle_option", "cycle_count"}

// sequences remembers which shapes are those of sequences.
type sequences map[tableName]struct {
	shape *shape
	is    bool
}

// sequence says that rows are the states of a sequence, which are no rows of a table. A table may have these columns too (CREATE TABLE ... SELECT), so the
// catalogue is asked. One that is gone by now is taken for a sequence.
func (a *assembler) sequence(ctx context.Context, s *shape) (bool, error) {
	if a.flavor != MariaDB || !slices.EqualFunc(s.all, sequenceColumns, func(t myvalue.Type, name string) bool { return t.Name == name }) {
		return false, nil
	}
	t := tableName{s.table.Schema, s.table.Name}
	known := a.sequences[t]
	if known.shape != s {
		kind, err := a.kind(ctx, t)
		if err != nil {
			return false, err
		}
		known.shape, known.is = s, kind == sequenceKind || kind == ""
		a.sequences[t] = known
		if known.is {
			a.logger.Info("a sequence is left out", "sequence", t.String())
		}
	}
	return known.is, nil
}

package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/internal/tables"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var errHidden = errors.New("the user lacks SELECT on it, and the server shows no table to those who may not read it")

// visible says why the catalogue doesn't show a table: errNoTable, or errHidden with change.ErrHalt and the statement that shows it. Both look alike
// there, but not to a SELECT: whoever has no right on a name is denied, whether there is such a table or not.
func visible(ctx context.Context, s *session, t tableName) error {
	err := s.exec(ctx, "select 1 from "+quoteTable(t.schema, t.name)+" limit 0")
	switch errorCode(err) {
	case 0:
		if err != nil {
			return err
		}
	case codeTableDenied, codeDBDenied:
		return fmt.Errorf("%w: GRANT SELECT ON %s (tailwater grants source), or exclude the table: %w", errHidden, quoteTable(t.schema, t.name), change.ErrHalt)
	case codeNoSuchTable, codeUnknownTable, codeNoDatabase:
	default:
		return fmt.Errorf("look for %s: %w", t, err)
	}
	return fmt.Errorf("%s: %w", t, errNoTable)
}

var errPartly = errors.New("the user lacks SELECT on it or on some of its columns, and the server shows no column to those who may not read it")

// readable refuses a table of which the user may not read every column: the catalogue shows the others only, and rows of a snapshot would lack them without a word.
func readable(ctx context.Context, s *session, t tableName) error {
	err := s.exec(ctx, "select * from "+quoteTable(t.schema, t.name)+" limit 0")
	switch errorCode(err) {
	case codeTableDenied, codeColumnDenied, codeDBDenied:
		return fmt.Errorf("%w: GRANT SELECT ON %s (tailwater grants source), or exclude the table: %w", errPartly, quoteTable(t.schema, t.name), change.ErrHalt)
	case codeNoSuchTable, codeUnknownTable, codeNoDatabase:
		return fmt.Errorf("%s: %w", t, errNoTable)
	}
	if err != nil {
		return fmt.Errorf("look whether all columns of %s may be read: %w", t, err)
	}
	return nil
}

// probe is a table that nobody has.
const probe = "tailwater_looks_for_rights"

// hidden returns change.ErrDenied if no table matches because the user may read none of any database that is included.
func (s selection) hidden(ctx context.Context, conn *session) error {
	rows, err := conn.all(ctx, "select schema_name from information_schema.schemata order by 1")
	if err != nil {
		return fmt.Errorf("list the databases: %w", err)
	}
	included := make([]string, len(s.Include))
	var databases []string
	for i, p := range s.Include {
		included[i] = p.Schema + "." + p.Name
		if p.OneSchema() {
			databases = append(databases, p.Schema)
			continue
		}
		for _, row := range rows {
			if tables.MatchName(p.Schema, row[0]) && !slices.Contains(ownDatabases, strings.ToLower(row[0])) {
				databases = append(databases, row[0])
			}
		}
	}
	for _, database := range databases {
		if err := visible(ctx, conn, tableName{database, probe}); !errors.Is(err, errHidden) {
			if errors.Is(err, errNoTable) {
				return nil // it would be seen if there were one
			}
			return err
		}
	}
	return fmt.Errorf("no table matches %s, and the user has SELECT on none there: the server shows no table to those who may not read it; "+
		"run what tailwater grants source prints: %w", strings.Join(included, ", "), change.ErrDenied)
}

// ownDatabases are the server's.
var ownDatabases = []string{"mysql", "sys", "information_schema", "performance_schema"}

package postgres

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ddl makes the statements that make a target table. types holds, for each column of the shape, what stands behind its name.
//
// Only the key is NOT NULL: a source may drop a NOT NULL of any other column, and the target must not refuse the rows that follow.
// Keys of text compare bytewise (COLLATE "C"), so that two keys of the source never are one row of the target.
type ddl struct {
	table *change.Table
	name  string // quoted
	mode  Mode
	types []string
	to    *target // to alter
}

const bytewise = ` COLLATE "C"`

func (d *ddl) create() string {
	var lines []string
	for i := range d.table.Columns {
		lines = append(lines, quoteIdent(d.table.Columns[i].Name)+" "+d.types[i])
	}
	for _, own := range upsert.OwnColumns(d.mode.folding(), len(d.table.Key) == 0) {
		lines = append(lines, quoteIdent(own)+" "+ownType(own))
	}
	if len(d.table.Key) > 0 && d.mode != Append {
		var key []string
		for _, k := range d.table.Key {
			key = append(key, quoteIdent(d.table.Columns[k].Name))
		}
		lines = append(lines, "PRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	return "CREATE TABLE " + d.name + " (\n  " + strings.Join(lines, ",\n  ") + "\n)"
}

// alter makes the statements for the steps and for columns of ours that the target lacks; empty if there is nothing to do. The server takes a
// new name in a statement of its own, so those come first.
func (d *ddl) alter(steps []reshape.Step, own []string) string {
	var parts []string
	statements, names := d.renames(steps)
	for _, s := range steps {
		name := s.Name
		if renamed, ok := names[name]; ok {
			name = renamed
		}
		name = quoteIdent(name)
		switch s.Op {
		case reshape.Retype:
			if tc := d.to.column(s.Name); tc.declared == d.types[d.table.ColumnIndex(s.Column.Name)] && len(tc.lacks(s.Column)) > 0 {
				statements = append(statements, labelsSQL(tc, s.Column)...)
				continue
			}
			parts = append(parts, "ALTER COLUMN "+name+" TYPE "+d.retyped(s))
		case reshape.Relax:
			parts = append(parts, "ALTER COLUMN "+name+" DROP NOT NULL")
		case reshape.Add:
			parts = append(parts, "ADD COLUMN "+quoteIdent(s.Column.Name)+" "+d.types[d.table.ColumnIndex(s.Column.Name)]+d.filled(s))
		case reshape.Drop:
			parts = append(parts, "DROP COLUMN "+name)
		}
	}
	for _, name := range own {
		parts = append(parts, "ADD COLUMN "+quoteIdent(name)+" "+ownType(name))
	}
	if len(parts) > 0 {
		statements = append(statements, "ALTER TABLE "+d.name+" "+strings.Join(parts, ", "))
	}
	for _, s := range steps {
		if d.filled(s) != "" { // it was for rows that are there
			statements = append(statements, "ALTER TABLE "+d.name+" ALTER COLUMN "+quoteIdent(s.Column.Name)+" DROP DEFAULT")
		}
		if s.Op == reshape.Clear {
			statements = append(statements, "UPDATE "+d.to.rows(d.name)+" SET "+quoteIdent(s.Name)+" = NULL")
		}
	}
	return strings.Join(statements, "; ")
}

// renames are the statements for the columns that get another name, and those names. A name that another column still has is free only behind that one's
// rename; where they go round in a circle, one of them waits under a third name.
func (d *ddl) renames(steps []reshape.Step) (statements []string, names map[string]string) {
	names = make(map[string]string)
	var from, to []string
	for _, s := range steps {
		if s.Op == reshape.Rename {
			names[s.Name] = s.Column.Name
			from, to = append(from, s.Name), append(to, s.Column.Name)
		}
	}
	rename := func(from, to string) {
		statements = append(statements, "ALTER TABLE "+d.name+" RENAME COLUMN "+quoteIdent(from)+" TO "+quoteIdent(to))
	}
	for len(from) > 0 {
		free := slices.IndexFunc(to, func(name string) bool { return !slices.Contains(from, name) })
		if free < 0 {
			third := upsert.OwnPrefix + "renamed"
			rename(from[0], third)
			from[0] = third
			continue
		}
		rename(from[free], to[free])
		from, to = slices.Delete(from, free, free+1), slices.Delete(to, free, free+1)
	}
	return statements, names
}

// filled is the clause that gives rows which are there the value that the source has in them; in Append mode they are of a time that had no such
// column.
func (d *ddl) filled(s reshape.Step) string {
	if !s.Fill || d.mode == Append {
		return ""
	}
	text := *s.Column.Missing
	if s.Column.Kind == change.KindBytes {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return ""
		}
		text = `\x` + hex.EncodeToString(b)
	}
	return " DEFAULT " + quoteLiteral(text) + "::" + strings.TrimSuffix(d.types[d.table.ColumnIndex(s.Column.Name)], bytewise)
}

// rekey makes the statement that gives the target the shape's key instead of the one that index holds.
func (d *ddl) rekey(index uniqueIndex) string {
	var key []string
	for _, k := range d.table.Key {
		key = append(key, quoteIdent(d.table.Columns[k].Name))
	}
	var parts []string
	sql := ""
	if index.constraint != "" {
		parts = append(parts, "DROP CONSTRAINT "+quoteIdent(index.constraint))
	} else {
		sql = "DROP INDEX " + index.name
	}
	if len(key) > 0 {
		parts = append(parts, "ADD PRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	if len(parts) > 0 {
		if sql != "" {
			sql += "; "
		}
		sql += "ALTER TABLE " + d.name + " " + strings.Join(parts, ", ")
	}
	return sql
}

// newDDL asks the target which of the source's types it knows: on the same engine a column gets the type that it has at the source.
func newDDL(ctx context.Context, pg *pgconn.PgConn, table *change.Table, schema string, mode Mode) (*ddl, error) {
	d := &ddl{table: table, name: quoteIdent(schema) + "." + quoteIdent(table.Name), mode: mode, types: make([]string, len(table.Columns))}
	for i := range table.Columns {
		col := &table.Columns[i]
		name, collates, err := typeFor(ctx, pg, table.Engine, col)
		if err != nil {
			return nil, fmt.Errorf("type of %s.%s: %w", table, col.Name, err)
		}
		for _, k := range table.Key {
			if k == i && collates {
				name += bytewise
			}
		}
		d.types[i] = name
	}
	return d, nil
}

// retyped is the type that a step gives a column, with the collation that it has: a text would lose it.
func (d *ddl) retyped(s reshape.Step) string {
	made := strings.TrimSuffix(d.types[d.table.ColumnIndex(s.Column.Name)], bytewise)
	if made == "text" || strings.HasPrefix(made, "character varying") {
		made += d.to.column(s.Name).collation
	}
	return made
}

func typeFor(ctx context.Context, pg *pgconn.PgConn, engine string, col *change.Column) (name string, collates bool, err error) {
	if engine == "postgres" && plainType(col.Native) {
		rows, err := query(ctx, pg, `SELECT (typcollation <> 0)::text FROM pg_catalog.pg_type WHERE oid = pg_catalog.to_regtype($1)`, col.Native)
		if err != nil {
			return "", false, wrapped("look up "+col.Native, err)
		}
		if len(rows) == 1 {
			return col.Native, *rows[0][0] == "true", nil
		}
	}
	name = nativeType(col)
	return name, name == "text", nil
}

func numericType(precision, scale int) string { return fmt.Sprintf("numeric(%d,%d)", precision, scale) }

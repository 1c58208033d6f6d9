package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// missingOwn returns what the target lacks of our own columns.
func missingOwn(table *change.Table, to *target, mode Mode) (own []string) {
	for _, name := range upsert.OwnColumns(mode.folding(), len(table.Key) == 0) {
		if to.column(name) == nil {
			own = append(own, name)
		}
	}
	return own
}

// fit checks that rows of the shape can be written to the target as they are. Every error says what to run.
func fit(table *change.Table, to *target, at destination) error {
	name := qualified(at.database, table.Name)
	switch {
	case !to.base:
		return preflightError("%s is not a table", name)
	case !strings.EqualFold(to.engine, "InnoDB"):
		return preflightError("%s is a table of %s, which has no transactions: ALTER TABLE %s ENGINE = InnoDB", name, to.engine, name)
	}
	for i := range table.Columns {
		if tc := to.column(table.Columns[i].Name); tc != nil && tc.generated && !table.Columns[i].Generated && !slices.Contains(table.Key, i) {
			return halt("%s.%s is computed by the target, and at the source it is a column whose values would be lost: "+
				"make it one in the target too, ALTER TABLE %s DROP COLUMN %s and ADD COLUMN, and take a snapshot", name, quoteIdent(tc.name), name, quoteIdent(tc.name))
		}
	}
	own := upsert.OwnColumns(at.mode.folding(), len(table.Key) == 0)
	for i := range to.columns {
		c := &to.columns[i]
		known := slices.ContainsFunc(table.Columns, func(s change.Column) bool { return to.column(s.Name) == c }) || slices.Contains(own, c.name)
		if !known && c.notNull && !c.defaults && !c.generated {
			return halt("%s.%s is NOT NULL without a default and the source has no such column: ALTER TABLE %s MODIFY %s %s NULL",
				name, quoteIdent(c.name), name, quoteIdent(c.name), c.declared)
		}
	}
	if at.mode == Append || len(table.Key) == 0 {
		if !to.hasUnique([]string{upsert.ColumnPos}) {
			pos := quoteIdent(upsert.ColumnPos)
			return preflightError("%s has no unique index on %s: CREATE UNIQUE INDEX %s ON %s (%s)", name, pos, pos, name, pos)
		}
		return nil
	}
	return fitKey(table, to, at)
}

func fitKey(table *change.Table, to *target, at destination) error {
	var key, quoted []string
	name := qualified(at.database, table.Name)
	for _, k := range table.Key {
		col := &table.Columns[k]
		tc := to.column(col.Name)
		if tc == nil || tc.generated {
			return halt("%s has no plain column %s, which is part of the source's key", name, quoteIdent(col.Name))
		}
		key, quoted = append(key, tc.name), append(quoted, quoteIdent(tc.name))
		if coarse(table.Engine, col, tc) {
			return halt("%s.%s compares texts as %s does, more coarsely than the source, so two of its keys could be one row: "+
				"ALTER TABLE %s MODIFY %s %s CHARACTER SET utf8mb4 COLLATE %s NOT NULL", name, quoteIdent(col.Name), comparesAs(tc),
				name, quoteIdent(col.Name), exactType(tc), at.dialect.bytewise())
		}
	}
	if !to.hasUnique(key) {
		return preflightError("%s has no unique index on exactly the source's key: CREATE UNIQUE INDEX tailwater_key ON %s (%s)",
			name, name, strings.Join(quoted, ", "))
	}
	return nil
}

// coarse says that two keys of the source could be one in the target. Of a source of the same family that compares by another rule the rule's
// name is not known: there the two are taken to have the same, see vague.
func coarse(engine string, col *change.Column, to *targetColumn) bool {
	switch families[to.typ] {
	case familyText, familyEnum, familySet:
	default:
		return false
	}
	switch col.Kind {
	case change.KindText, change.KindJSON, change.KindNative:
	default: // canonical texts, without capitals and blanks that could differ
		return false
	}
	if families[to.typ] != familyText {
		return false // a label is taken to the letter
	}
	if ourEngine(engine) && col.Equality != change.Bytewise {
		return false
	}
	blanks := to.padded() && !(to.typ == "char" && typeName(col.Native) == "char" && ourEngine(engine))
	return !to.bytewise() || blanks
}

// vague says that nobody can tell whether the target compares a key as the source does.
func vague(engine string, col *change.Column, to *targetColumn) bool {
	return ourEngine(engine) && col.Kind == change.KindText && col.Equality != change.Bytewise && families[to.typ] == familyText && !to.bytewise()
}

func comparesAs(c *targetColumn) string {
	if c.typ == "char" {
		return "a char of " + c.collation
	}
	return c.collation
}

// exactType is the type with which a column of texts keeps all of their blanks.
func exactType(c *targetColumn) string {
	if c.typ == "char" {
		return "var" + c.declared
	}
	return c.declared
}

// checkNames refuses a shape whose names the target can't keep apart from each other or from ours.
func checkNames(table *change.Table) error {
	if err := checkIdent(table.Name); err != nil {
		return halt("table %s: %w", table, err)
	}
	if hasOwnPrefix(table.Name) {
		return halt("table %s: names that begin with %s are ours", table, upsert.OwnPrefix)
	}
	for i := range table.Columns {
		name := table.Columns[i].Name
		if err := checkIdent(name); err != nil {
			return halt("table %s: column: %w", table, err)
		}
		if hasOwnPrefix(name) {
			return halt("table %s: column %s: names that begin with %s are ours", table, name, upsert.OwnPrefix)
		}
		for j := range i {
			if other := table.Columns[j].Name; strings.EqualFold(name, other) {
				return halt("table %s: the target can't tell apart columns %s and %s, whose names differ in case only", table, other, name)
			}
		}
	}
	return nil
}

func hasOwnPrefix(name string) bool {
	return len(name) >= len(upsert.OwnPrefix) && strings.EqualFold(name[:len(upsert.OwnPrefix)], upsert.OwnPrefix)
}

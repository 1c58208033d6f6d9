package mysql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// target is a table of the target as its catalogue describes it.
type target struct {
	base       bool // a table, not a view or a sequence
	engine     string
	columns    []targetColumn
	unique     []index
	references []foreignKey      // those that point at it
	aliases    map[string]string // of a past shape: the names that its columns have now
}

// index is a unique index on whole columns.
type index struct {
	name    string
	columns []string
	partial bool // it holds beginnings of columns or expressions: not what a key needs
}

// foreignKey is one that points at a target.
type foreignKey struct {
	table    string // quoted, with its database
	columns  []string
	nullable bool // all of its columns may be NULL
}

type targetColumn struct {
	name      string
	typ       string // without length and attributes: varchar, bigint, ...
	declared  string // as the catalogue shows it, see plainType
	unsigned  bool
	length    int // characters or bytes of a text or binary type
	precision int // digits of a decimal, bits of a bit
	scale     int // fraction digits of a decimal; of a float or double -1: it doesn't round
	fraction  int // fraction digits of a time
	charset   string
	collation string
	labels    []string // of an enum or set
	notNull   bool
	defaults  bool // has a default or counts by itself
	generated bool // computed by the target
	restamped bool // ON UPDATE CURRENT_TIMESTAMP
	extras    bool // a definition would have to say more than its type, character set and whether it may be NULL: a default, a comment
}

func (t *target) column(name string) *targetColumn {
	for i := range t.columns {
		if strings.EqualFold(t.columns[i].name, name) { // the server compares names of columns without case
			return &t.columns[i]
		}
	}
	if now, ok := t.aliases[name]; ok && now != name {
		return (&target{columns: t.columns}).column(now)
	}
	return nil
}

// hasUnique says that a unique index stands on exactly these columns, whole.
func (t *target) hasUnique(names []string) bool {
	_, ok := t.uniqueOn(names)
	return ok
}

// uniqueOn is the unique index on exactly these columns, whole.
func (t *target) uniqueOn(names []string) (index, bool) {
	for _, on := range t.unique {
		same := func(name string) bool {
			return slices.ContainsFunc(on.columns, func(c string) bool { return strings.EqualFold(c, name) })
		}
		if !on.partial && len(on.columns) == len(names) && !slices.ContainsFunc(names, func(n string) bool { return !same(n) }) {
			return on, true
		}
	}
	return index{}, false
}

// written counts the columns that the target doesn't compute itself.
func (t *target) written() (n int) {
	for i := range t.columns {
		if !t.columns[i].generated {
			n++
		}
	}
	return n
}

const columnsSQL = `SELECT COLUMN_NAME, LOWER(DATA_TYPE), COLUMN_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), COALESCE(NUMERIC_PRECISION, 0),
  COALESCE(NUMERIC_SCALE, -1), COALESCE(DATETIME_PRECISION, 0), COALESCE(CHARACTER_SET_NAME, ''), COALESCE(COLLATION_NAME, ''), IS_NULLABLE,
  COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%', COALESCE(GENERATION_EXPRESSION, '') <> '', EXTRA LIKE '%on update%',
  EXTRA <> '' OR COLUMN_COMMENT <> '' OR COLUMN_DEFAULT IS NOT NULL AND (COLUMN_DEFAULT <> 'NULL' OR VERSION() NOT LIKE '%MariaDB%')
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = `

const uniqueSQL = `SELECT INDEX_NAME, COALESCE(COLUMN_NAME, ''), SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL
FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA = `

const referencesSQL = `SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, c.IS_NULLABLE FROM information_schema.KEY_COLUMN_USAGE k
JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = k.TABLE_SCHEMA AND c.TABLE_NAME = k.TABLE_NAME AND c.COLUMN_NAME = k.COLUMN_NAME
WHERE k.REFERENCED_TABLE_SCHEMA = `

// readTarget reads the table's catalogue; nil: there is no such table.
func readTarget(ctx context.Context, c *conn, at destination, table string) (*target, error) {
	database, name := at.folded(at.database), at.folded(table)
	doing := "read the catalogue of " + database + "." + name
	of := quoteLiteral(database) + " AND TABLE_NAME = " + quoteLiteral(name)
	rows, err := c.query(ctx, "SELECT TABLE_TYPE, COALESCE(ENGINE, '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+of)
	if err != nil || len(rows) == 0 {
		return nil, wrapped(doing, err)
	}
	t := &target{base: *rows[0][0] == "BASE TABLE" || *rows[0][0] == "SYSTEM VERSIONED", engine: *rows[0][1]} // the latter is MariaDB's, with a history
	if rows, err = c.query(ctx, columnsSQL+of+" ORDER BY ORDINAL_POSITION"); err != nil {
		return nil, wrapped(doing, err)
	}
	for _, r := range rows {
		t.columns = append(t.columns, parseColumn(r))
	}
	if rows, err = c.query(ctx, uniqueSQL+of+" ORDER BY INDEX_NAME, SEQ_IN_INDEX"); err != nil {
		return nil, wrapped(doing, err)
	}
	for _, r := range rows {
		if n := len(t.unique); n == 0 || t.unique[n-1].name != *r[0] {
			t.unique = append(t.unique, index{name: *r[0]})
		}
		last := &t.unique[len(t.unique)-1]
		last.columns, last.partial = append(last.columns, *r[1]), last.partial || *r[2] != "0"
	}
	rows, err = c.query(ctx, referencesSQL+hexLiteral(database)+" AND k.REFERENCED_TABLE_NAME = "+hexLiteral(name)+
		" ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION")
	if err != nil {
		return nil, wrapped(doing, err)
	}
	t.addReferences(rows)
	return t, nil
}

const actingSQL = `SELECT 1 FROM information_schema.REFERENTIAL_CONSTRAINTS
WHERE (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
AND (CONSTRAINT_SCHEMA = %[1]s AND TABLE_NAME = %[2]s OR UNIQUE_CONSTRAINT_SCHEMA = %[1]s AND REFERENCED_TABLE_NAME = %[2]s) LIMIT 1`

// acting says that some foreign key of the table, or that points at it, changes rows by itself.
func acting(ctx context.Context, c *conn, at destination, table string) (bool, error) {
	rows, err := c.query(ctx, fmt.Sprintf(actingSQL, hexLiteral(at.folded(at.database)), hexLiteral(at.folded(table))))
	return len(rows) > 0, wrapped("read them", err)
}

func (t *target) addReferences(rows [][]*string) {
	last := ""
	for _, r := range rows {
		table := qualified(*r[0], *r[1])
		if this := table + " " + *r[2]; this != last {
			t.references = append(t.references, foreignKey{table: table, nullable: true})
			last = this
		}
		f := &t.references[len(t.references)-1]
		f.columns, f.nullable = append(f.columns, *r[3]), f.nullable && *r[4] == "YES"
	}
}

func parseColumn(r []*string) targetColumn {
	number := func(i int) int {
		n, err := strconv.ParseInt(*r[i], 10, 64) // longtext: 4294967295
		if err != nil {
			return 0
		}
		return int(n)
	}
	c := targetColumn{name: *r[0], typ: *r[1], declared: *r[2], length: number(3), precision: number(4), scale: number(5), fraction: number(6),
		charset: *r[7], collation: *r[8], notNull: *r[9] == "NO", defaults: *r[10] != "0", generated: *r[11] != "0", restamped: *r[12] != "0", extras: *r[13] != "0"}
	c.unsigned = strings.Contains(c.declared, "unsigned")
	if c.typ == "enum" || c.typ == "set" {
		c.labels = parseLabels(c.declared)
	}
	return c
}

// parseLabels reads the labels of enum('a','it”s'), where a backslash makes n, r and 0 a control character.
func parseLabels(declared string) []string {
	var out []string
	_, rest, _ := strings.Cut(declared, "(")
	for strings.HasPrefix(rest, "'") {
		var label strings.Builder
		i := 1
		for ; i < len(rest); i++ {
			c := rest[i]
			if c == '\'' {
				if !strings.HasPrefix(rest[i:], "''") {
					break
				}
				i++
			}
			if c == '\\' && i+1 < len(rest) {
				i++
				c = rest[i]
				if at := strings.IndexByte("nr0", c); at >= 0 {
					c = "\n\r\x00"[at]
				}
			}
			label.WriteByte(c)
		}
		if i == len(rest) {
			return out
		}
		out = append(out, label.String())
		rest = strings.TrimPrefix(rest[i+1:], ",")
	}
	return out
}

// bytewise says that the column's index tells apart all texts that differ, but perhaps in their last blanks.
func (c *targetColumn) bytewise() bool {
	return c.collation == "" || c.collation == "binary" || strings.HasSuffix(c.collation, "_bin")
}

// padded says that the column doesn't tell a text from the same with blanks behind it.
func (c *targetColumn) padded() bool {
	if c.typ == "char" {
		return true
	}
	return c.collation != "" && c.collation != "binary" && !strings.Contains(c.collation, "_0900_") && !strings.Contains(c.collation, "nopad")
}

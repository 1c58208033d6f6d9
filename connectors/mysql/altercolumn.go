package mysql

import (
	"cmp"
	"slices"
	"strings"
)

// add reads what follows ADD.
func (a *alter) add(ts tokens) error {
	constraint := func(kind string) bool {
		return ts.is(0, kind) || ts.is(0, "CONSTRAINT") && slices.ContainsFunc(ts[1:min(len(ts), 4)], func(t sqlToken) bool { return t.word(kind) })
	}
	switch {
	case ts.is(0, "PARTITION"), constraint("FOREIGN"):
		return nil
	case ts.is(0, "INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE"), ts.is(0, "VECTOR") && ts.is(1, "INDEX", "KEY"):
		a.keys = true
		return nil
	case constraint("PRIMARY"):
		a.primary, a.nulls = true, true
		return nil
	case ts.is(0, "CONSTRAINT", "CHECK"):
		a.opaque = true // MariaDB's JSON is a check
		return nil
	case a.timed(ts):
		return nil
	}
	list := ts
	list.pass("COLUMN")
	list.pass("IF", "NOT", "EXISTS")
	if len(list) == 0 || !list[0].punct("(") {
		return a.column("ADD", ts)
	}
	if !list[len(list)-1].punct(")") {
		return errAlter
	}
	for _, inner := range list[1 : len(list)-1].split() {
		if err := a.add(inner); err != nil {
			return err
		}
	}
	return nil
}

// timed reads a period, or that rows stay when they are changed.
func (a *alter) timed(ts tokens) bool {
	versions := ts.is(0, "SYSTEM") && ts.is(1, "VERSIONING")
	if !versions && !(ts.is(0, "PERIOD") && ts.is(1, "FOR")) {
		return false
	}
	a.hidden = a.hidden || versions
	a.unknown()
	return true
}

// drop reads what follows DROP.
func (a *alter) drop(ts tokens) error {
	switch {
	case ts.is(0, "PARTITION", "FOREIGN"):
		return nil
	case ts.is(0, "PRIMARY"):
		a.primary = true
		return nil
	case ts.is(0, "CHECK"):
		a.opaque = true
		return nil
	case a.timed(ts):
		return nil
	case !ts.is(0, "INDEX", "KEY", "CONSTRAINT"):
		return a.column("DROP", ts)
	}
	a.keys = true
	a.opaque = a.opaque || ts.is(0, "CONSTRAINT")
	ts = ts[1:]
	ts.pass("IF", "EXISTS")
	name, err := ts.column()
	a.primary = a.primary || strings.EqualFold(name, primaryKey)
	return err
}

// column reads what is done to one column, behind the verb.
func (a *alter) column(verb string, ts tokens) (err error) {
	ts.pass("COLUMN")
	e := columnEdit{verb: verb, ifExists: ts.pass("IF", "EXISTS") || ts.pass("IF", "NOT", "EXISTS")}
	if e.name, err = ts.column(); err != nil {
		return err
	}
	defined := false
	switch verb {
	case "ADD", "MODIFY":
		e.to, defined = e.name, true
	case "CHANGE":
		e.verb, defined = "MODIFY", true
		e.to, err = ts.column()
	case "RENAME":
		if !ts.pass("TO") {
			return errAlter
		}
		e.to, err = ts.column()
	case "DROP":
		_ = ts.pass("RESTRICT") || ts.pass("CASCADE")
	}
	if err != nil || defined == (len(ts) == 0) {
		return errAlter
	}
	e.definition, e.generated = ts, ts.has("AS") // GENERATED ALWAYS may be left out in front of it
	a.columns = append(a.columns, e)
	return nil
}

// readRenames reads what becomes of the columns of a CREATE, ALTER or DROP by name: whatever their types are.
func readRenames(q query) (verb string, edits []columnEdit, err error) {
	a, err := readAlter(q)
	switch {
	case a.verb != "ALTER" && a.verb != "":
		return a.verb, nil, nil
	case err != nil || a.hidden:
		return a.verb, nil, cmp.Or(err, errAlter)
	}
	for _, e := range a.columns {
		if e.verb == "MODIFY" {
			e.verb = "RENAME"
		}
		if e.verb != "RENAME" || foldName(e.name) != foldName(e.to) {
			e.definition = nil // may be long, and nobody asks for it
			edits = append(edits, e)
		}
	}
	return a.verb, edits, nil
}

// readEdits reads what becomes of the columns' types and of the keys. Nothing of it is guessed: a word that isn't known makes it errAlter.
func readEdits(q query) (alter, error) {
	a, err := readAlter(q)
	if err != nil || a.opaque || a.primary {
		return a, cmp.Or(err, errAlter)
	}
	for i := range a.columns {
		if e := &a.columns[i]; len(e.definition) > 0 {
			if err := e.define(); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// plainTypes are those of which a TABLE_MAP without names says all but the sign and the character set. Not among them are ENUM and SET, whose labels it lacks, and
// MariaDB's own.
var plainTypes = []string{"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC", "DEC", "BIT", "BOOL", "BOOLEAN",
	"DATE", "TIME", "DATETIME", "TIMESTAMP", "YEAR", "CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "JSON"}

// plainWords may stand in a column's definition and say nothing more; those of valueWords have a value behind them.
var (
	plainWords = []string{"UNSIGNED", "SIGNED", "ZEROFILL", "NOT", "NULL", "AUTO_INCREMENT", "VISIBLE", "INVISIBLE"}
	valueWords = []string{"DEFAULT", "COMMENT", "COLLATE", "CHARSET"}
)

// define reads a column's definition, and where it stands.
func (e *columnEdit) define() error {
	ts := e.definition
	if !ts.is(0, plainTypes...) {
		return errAlter
	}
	e.json = ts.is(0, "JSON")
	ts = ts[1:]
	for len(ts) > 0 {
		e.unsigned = e.unsigned || ts.is(0, "UNSIGNED", "ZEROFILL")
		switch {
		case ts[0].punct("("):
			ts = ts.behindParenthesis()
		case ts.is(0, plainWords...):
			ts = ts[1:]
		case ts.pass("FIRST") && len(ts) == 0:
			e.place = "FIRST"
		case ts.is(0, "AFTER") && len(ts) == 2:
			ts = ts[1:]
			e.place = "AFTER"
			e.after, _ = ts.column() // an empty name is none of the table's
		case ts.pass("CHARACTER", "SET"), ts.pass("ON", "UPDATE"):
			ts = ts.behindValue()
		case ts.is(0, valueWords...):
			ts = ts[1:].behindValue()
		default:
			return errAlter
		}
	}
	return nil
}

package mysql

import (
	"slices"
	"strings"
)

// add reads what follows ADD.
func (e *edits) add(ts tokens) error {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE"):
			e.keys = true
			return nil
		case ts.is(0, "FOREIGN", "PARTITION"), ts.is(0, "CONSTRAINT") && slices.ContainsFunc(ts[1:min(len(ts), 4)], func(t sqlToken) bool { return t.word("FOREIGN") }):
			return nil
		case ts.is(0, "CONSTRAINT", "CHECK", "PRIMARY", "PERIOD", "SYSTEM", "VECTOR"):
			return errAlter
		}
	}
	edit := columnEdit{verb: "ADD", ifExists: ts.pass("IF", "NOT", "EXISTS")}
	if len(ts) > 0 && ts[0].punct("(") {
		if !ts[len(ts)-1].punct(")") {
			return errAlter
		}
		for _, inner := range ts[1 : len(ts)-1].split() {
			if err := e.add(inner); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if edit.name, err = ts.column(); err != nil {
		return err
	}
	edit.to = edit.name
	return e.defined(edit, ts)
}

func (e *edits) drop(ts tokens) error {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "FOREIGN", "PARTITION"):
			return nil
		case ts.pass("INDEX"), ts.pass("KEY"):
			ts.pass("IF", "EXISTS")
			name, err := ts.column()
			if err != nil || strings.EqualFold(name, primaryKey) {
				return errAlter
			}
			e.keys = true
			return nil
		case ts.is(0, "CONSTRAINT", "CHECK", "PRIMARY", "PERIOD", "SYSTEM"):
			return errAlter
		}
	}
	edit := columnEdit{verb: "DROP", ifExists: ts.pass("IF", "EXISTS")}
	var err error
	if edit.name, err = ts.column(); err != nil {
		return err
	}
	if ts.pass("RESTRICT"); len(ts) > 0 && !ts.pass("CASCADE") {
		return errAlter
	}
	e.columns = append(e.columns, edit)
	return nil
}

// redefine reads what follows MODIFY, or CHANGE itself.
func (e *edits) redefine(ts tokens) error {
	change := ts.pass("CHANGE")
	ts.pass("COLUMN")
	edit := columnEdit{verb: "MODIFY", ifExists: ts.pass("IF", "EXISTS")}
	var err error
	if edit.name, err = ts.column(); err != nil {
		return err
	}
	if edit.to = edit.name; change {
		if edit.to, err = ts.column(); err != nil {
			return err
		}
	}
	return e.defined(edit, ts)
}

func (e *edits) rename(ts tokens) error {
	if ts.is(0, "INDEX", "KEY") {
		return nil
	}
	if !ts.pass("COLUMN") {
		return errAlter // the table itself
	}
	edit := columnEdit{verb: "RENAME", ifExists: ts.pass("IF", "EXISTS")}
	var err error
	if edit.name, err = ts.column(); err != nil {
		return err
	}
	if !ts.pass("TO") {
		return errAlter
	}
	if edit.to, err = ts.column(); err != nil || len(ts) > 0 {
		return errAlter
	}
	e.columns = append(e.columns, edit)
	return nil
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

// defined reads a column's definition, and where it stands.
func (e *edits) defined(edit columnEdit, ts tokens) error {
	if !ts.is(0, plainTypes...) {
		return errAlter
	}
	edit.json = ts.is(0, "JSON")
	ts = ts[1:]
	for len(ts) > 0 {
		edit.unsigned = edit.unsigned || ts.is(0, "UNSIGNED", "ZEROFILL")
		switch {
		case ts[0].punct("("):
			ts = ts.behindParenthesis()
		case ts.is(0, plainWords...):
			ts = ts[1:]
		case ts.pass("FIRST") && len(ts) == 0:
			edit.place = "FIRST"
		case ts.is(0, "AFTER") && len(ts) == 2:
			ts = ts[1:]
			edit.place = "AFTER"
			edit.after, _ = ts.column() // an empty name is none of the table's
		case ts.pass("CHARACTER", "SET"), ts.pass("ON", "UPDATE"):
			ts = ts.behindValue()
		case ts.is(0, valueWords...):
			ts = ts[1:].behindValue()
		default:
			return errAlter
		}
	}
	e.columns = append(e.columns, edit)
	return nil
}

// behindParenthesis passes what stands in parentheses.
func (ts tokens) behindParenthesis() tokens {
	depth := 0
	for i, t := range ts {
		switch {
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		}
		if depth == 0 {
			return ts[i+1:]
		}
	}
	return nil
}

// behindValue passes one value: a word, name or text, with a sign in front, with an introducer or parentheses behind. What remains of another is a word
// that isn't known.
func (ts tokens) behindValue() tokens {
	if len(ts) > 0 && ts[0].kind == tokenPunct && (ts[0].text == "-" || ts[0].text == "+") {
		ts = ts[1:]
	}
	if len(ts) > 0 && ts[0].punct("(") {
		return ts.behindParenthesis()
	}
	if len(ts) == 0 {
		return ts
	}
	number := ts[0].kind == tokenWord && strings.Trim(ts[0].text, "0123456789") == ""
	introduces := ts[0].kind == tokenWord
	ts = ts[1:]
	switch {
	case len(ts) > 1 && number && ts[0].punct("."):
		return ts[2:]
	case len(ts) > 0 && introduces && ts[0].kind == tokenText:
		return ts[1:]
	case len(ts) > 0 && ts[0].punct("("):
		return ts.behindParenthesis()
	}
	return ts
}

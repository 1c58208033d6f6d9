package mysql

import (
	"strings"
)

// readRenames reads what becomes of the columns of a CREATE, ALTER or DROP by name.
func readRenames(q query) (verb string, edits []columnEdit, err error) {
	l := &lexer{sql: q.sql, status: q.status}
	if err := l.prefix(); err != nil {
		return "", nil, err
	}
	first, err := l.next()
	if err != nil {
		return "", nil, err
	}
	verb = strings.ToUpper(first.text)
	for verb == "ALTER" {
		t, err := l.next()
		switch {
		case err != nil:
			return verb, nil, err
		case t.kind == tokenEnd || q.foreign: // its names can't be read
			return verb, nil, errAlter
		case t.word("TABLE"):
			edits, err = l.columnNames()
			return verb, edits, err
		}
	}
	return verb, nil, nil
}

// columnNames reads what follows ALTER TABLE. Columns come, go and get other names by ADD, DROP, CHANGE and RENAME only, all of them reserved words: a partition
// or a column in a list of such is never taken for one.
//
// Source: MySQL 9.7 and MariaDB 11.8, sql/sql_yacc.yy, alter_list_item.
func (l *lexer) columnNames() ([]columnEdit, error) {
	if err := l.ifExists(); err != nil {
		return nil, err
	}
	if _, err := l.name(""); err != nil {
		return nil, err
	}
	specs, err := l.split()
	if err != nil {
		return nil, err
	}
	var n nameEdits
	for _, ts := range specs {
		for ts.pass("WAIT") || ts.pass("NOWAIT") { // MariaDB; before the first
			if len(ts) > 0 && strings.Trim(ts[0].text, "0123456789") == "" {
				ts = ts[1:]
			}
		}
		switch {
		case ts.pass("ADD"):
			err = n.add(ts)
		case ts.pass("DROP"):
			err = n.drop(ts)
		case ts.pass("CHANGE"), ts.is(0, "RENAME"):
			err = n.rename(ts)
		}
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

// nameEdits are the edits of a statement that change which names there are.
type nameEdits []columnEdit

func (n *nameEdits) add(ts tokens) error {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE", "FOREIGN", "PARTITION", "CONSTRAINT", "CHECK", "PRIMARY"),
			ts.is(0, "PERIOD") && ts.is(1, "FOR"), ts.is(0, "VECTOR") && ts.is(1, "INDEX", "KEY"):
			return nil
		case ts.is(0, "PERIOD", "SYSTEM", "VECTOR"):
			return errAlter
		}
	}
	edit := columnEdit{verb: "ADD", ifExists: ts.pass("IF", "NOT", "EXISTS")}
	if len(ts) > 0 && ts[0].punct("(") {
		if !ts[len(ts)-1].punct(")") {
			return errAlter
		}
		for _, inner := range ts[1 : len(ts)-1].split() {
			if err := n.add(inner); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if edit.name, err = ts.column(); err != nil || len(ts) == 0 {
		return errAlter
	}
	edit.to = edit.name
	edit.generated = ts.computed()
	*n = append(*n, edit)
	return nil
}

// computed says that a column's definition is GENERATED ALWAYS AS (...), of which the first two words may be left out.
func (ts tokens) computed() bool {
	depth := 0
	for i := range ts {
		switch {
		case ts[i].punct("("):
			depth++
		case ts[i].punct(")"):
			depth--
		case depth == 0 && ts.is(i, "AS"):
			return true
		}
	}
	return false
}

func (n *nameEdits) drop(ts tokens) error {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "INDEX", "KEY", "FOREIGN", "PARTITION", "CONSTRAINT", "CHECK", "PRIMARY"), ts.is(0, "PERIOD") && ts.is(1, "FOR"):
			return nil
		case ts.is(0, "SYSTEM") && ts.is(1, "VERSIONING"):
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
	*n = append(*n, edit)
	return nil
}

// rename reads what follows CHANGE, or RENAME itself.
func (n *nameEdits) rename(ts tokens) error {
	to := ts.pass("RENAME")
	if to && !ts.pass("COLUMN") {
		return nil // an index, or the table itself
	}
	ts.pass("COLUMN")
	edit := columnEdit{verb: "RENAME", ifExists: ts.pass("IF", "EXISTS")}
	var err error
	if edit.name, err = ts.column(); err != nil {
		return err
	}
	if to && !ts.pass("TO") {
		return errAlter
	}
	if edit.to, err = ts.column(); err != nil || to != (len(ts) == 0) {
		return errAlter
	}
	*n = append(*n, edit)
	return nil
}

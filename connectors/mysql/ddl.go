package mysql

import "strings"

// ddl reads what follows CREATE, ALTER, DROP or RENAME, as far as tables are concerned.
func (l *lexer) ddl(verb, database string) (statement, error) {
	replaces, ignores := false, false
	for { // OR REPLACE, TEMPORARY, ONLINE, IGNORE, UNIQUE, FULLTEXT, SPATIAL, VECTOR and such
		t, err := l.next()
		if err != nil {
			return statement{}, err
		}
		switch strings.ToUpper(t.text) {
		case "TABLE", "TABLES":
			s, err := l.tables(verb, database)
			if ignores && verb == "ALTER" && s.kind == stmtDDL {
				s.kind = stmtVanish // MariaDB: rows that don't fit a new unique key go without a word in the log
			}
			s.renames = verb == "RENAME"
			s.drops, s.makes = verb == "DROP", verb == "CREATE"
			s.remade = s.remade || replaces || s.drops || s.renames
			return s, err
		case "INDEX":
			return l.index(database)
		case "DATABASE", "SCHEMA":
			if verb != "DROP" {
				return statement{kind: stmtOther}, nil
			}
			if err := l.ifExists(); err != nil {
				return statement{}, err
			}
			name, err := l.part()
			return statement{kind: stmtDropDatabase, name: name}, err
		case "TEMPORARY":
			return statement{kind: stmtOther}, nil // the rows of such tables are not in the log, and nobody else sees them
		case "REPLACE":
			replaces = true
		case "IGNORE":
			ignores = true
		case "OR", "ONLINE", "OFFLINE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR":
		default:
			return statement{kind: stmtOther}, nil // VIEW, TRIGGER, USER, SERVER, ...
		}
	}
}

// tables reads what follows CREATE, ALTER, DROP or RENAME TABLE.
func (l *lexer) tables(verb, database string) (statement, error) {
	s := statement{kind: stmtDDL}
	if err := l.ifExists(); err != nil {
		return s, err
	}
	for {
		t, err := l.name(database)
		if err != nil {
			return s, err
		}
		s.tables = append(s.tables, t)
		switch verb {
		case "CREATE":
			return l.created(s)
		case "ALTER":
			return l.altered(s, database)
		case "RENAME":
			if err := l.passTo(); err != nil {
				return s, err
			}
			to, err := l.name(database)
			if err != nil {
				return s, err
			}
			s.tables = append(s.tables, to)
		}
		comma, err := l.next()
		if err != nil || !comma.punct(",") {
			return s, err
		}
	}
}

// passTo passes up to and with the TO of a RENAME; MariaDB takes WAIT n and NOWAIT in front of it.
func (l *lexer) passTo() error {
	for range 3 {
		t, err := l.next()
		if err != nil || t.word("TO") {
			return err
		}
	}
	return errName
}

// ifExists passes IF EXISTS and IF NOT EXISTS.
func (l *lexer) ifExists() error {
	yes, err := l.take("IF")
	if err != nil || !yes {
		return err
	}
	if _, err := l.take("NOT"); err != nil {
		return err
	}
	_, err = l.take("EXISTS")
	return err
}

// created looks whether rows follow, for then the statement ends in START TRANSACTION, or came without a word: the statement has a SELECT,
// TABLE or VALUES ROW of its own.
func (l *lexer) created(s statement) (statement, error) {
	var before, last sqlToken
	for {
		t, err := l.next()
		if err != nil {
			return s, err
		}
		if t.kind == tokenEnd {
			s.opens = before.word("START") && last.word("TRANSACTION")
			return s, nil
		}
		s.fills = s.fills || t.word("SELECT") || t.word("TABLE") || last.word("VALUES") && t.word("ROW")
		before, last = last, t
	}
}

// altered reads an ALTER TABLE's list for what takes rows away without a word in the log, for a new name, and for tables exchanged with it.
func (l *lexer) altered(s statement, database string) (statement, error) {
	depth := 0
	for {
		t, err := l.next()
		if err != nil {
			return s, err
		}
		next, err := l.peek(0)
		if err != nil {
			return s, err
		}
		switch {
		case t.kind == tokenEnd:
			return s, nil
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		case depth > 0:
		case (t.word("TRUNCATE") || t.word("DROP") || t.word("EXCHANGE") || t.word("CONVERT")) && next.word("PARTITION"),
			(t.word("DISCARD") || t.word("IMPORT")) && (next.word("TABLESPACE") || next.word("PARTITION")):
			s.kind = stmtVanish
		case t.word("WITH") && next.word("TABLE"), t.word("CONVERT") && next.word("TABLE"), t.word("TO") && next.word("TABLE"):
			l.next()
			other, err := l.name(database)
			if err != nil {
				return s, err
			}
			s.kind, s.tables = stmtVanish, append(s.tables, other)
		case t.word("RENAME") && !next.word("COLUMN") && !next.word("INDEX") && !next.word("KEY"):
			if next.word("TO") || next.word("AS") || next.punct("=") {
				l.next()
			}
			to, err := l.name(database)
			if err != nil {
				return s, err
			}
			s.remade, s.tables = true, append(s.tables, to)
		}
	}
}

// index reads what follows CREATE or DROP INDEX: the table stands behind ON.
func (l *lexer) index(database string) (statement, error) {
	for {
		t, err := l.next()
		if err != nil {
			return statement{}, err
		}
		if t.kind == tokenEnd {
			return statement{}, errName
		}
		if t.word("ON") {
			table, err := l.name(database)
			return statement{kind: stmtDDL, tables: []tableName{table}}, err
		}
	}
}

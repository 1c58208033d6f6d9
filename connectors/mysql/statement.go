package mysql

import "strings"

// statementKind is what a QUERY event of the log asks for, as far as captured tables are concerned.
type statementKind uint8

const (
	stmtOther        statementKind = iota // concerns no row of any table
	stmtBegin                             // begins a transaction
	stmtCommit                            // ends a group
	stmtRollback                          // ends a group of which nothing is left but what can't be rolled back
	stmtSavepoint                         // of that name
	stmtRollbackTo                        // the savepoint of that name
	stmtXABegin                           // XA START, and XA END
	stmtXACommit                          // of a prepared transaction
	stmtXARollback                        // of a prepared transaction
	stmtTruncate                          // empties a table
	stmtDDL                               // changes what tables there are, or their shapes
	stmtVanish                            // DDL that adds rows to or takes rows from a table without a row event
	stmtDropDatabase                      // of that name
	stmtRows                              // changes rows, and the log has no row event of it
)

// statement is what is known of a QUERY event.
type statement struct {
	kind    statementKind
	tables  []tableName // of stmtTruncate, stmtDDL, stmtVanish
	name    string      // of a savepoint, an XA transaction or a database
	opens   bool        // a DDL that rows follow: CREATE TABLE ... START TRANSACTION
	renames bool        // RENAME TABLE: tables are pairs
	remade  bool        // stmtDDL: none of the tables is the one that had its name
	drops   bool        // DROP TABLE
	makes   bool        // CREATE TABLE
	fills   bool        // CREATE TABLE ... SELECT: the new table has rows without a row event
}

// parseStatement reads a statement. An error says that it can't be read, so what it does is not known.
func parseStatement(q query) (statement, error) {
	if q.sql == "BEGIN" { // what nearly all of a log's statements are
		return statement{kind: stmtBegin}, nil
	}
	l, database := &lexer{sql: q.sql, status: q.status}, q.schema
	if err := l.prefix(); err != nil {
		return statement{}, err
	}
	first, err := l.next()
	if err != nil || l.undone {
		return statement{}, err
	}
	switch word := strings.ToUpper(first.text); word {
	case "BEGIN":
		return statement{kind: stmtBegin}, nil
	case "START": // SLAVE, REPLICA, GROUP_REPLICATION never come
		return statement{kind: stmtBegin}, nil
	case "COMMIT":
		return statement{kind: stmtCommit}, nil
	case "ROLLBACK":
		return l.rollback()
	case "SAVEPOINT":
		name, err := l.part()
		return statement{kind: stmtSavepoint, name: name}, err
	case "XA":
		return l.xa()
	case "TRUNCATE":
		return l.truncate(database)
	case "CREATE", "ALTER", "DROP", "RENAME":
		return l.ddl(word, database)
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "CALL", "DO", "SELECT", "WITH", "IMPORT", "EXECUTE", "VALUES", "TABLE", "(", "HANDLER":
		return statement{kind: stmtRows}, nil
	}
	return statement{kind: stmtOther}, nil
}

// prefix passes what may stand in front of a statement: SET STATEMENT name = value, ... FOR, and START, COMMIT or ROLLBACK ALTER with its
// number (MariaDB).
func (l *lexer) prefix() error {
	for {
		first, err := l.peek(0)
		if err != nil {
			return err
		}
		second, err := l.peek(1)
		if err != nil {
			return err
		}
		switch {
		case first.word("SET") && second.word("STATEMENT"):
			if err := l.passFor(); err != nil {
				return err
			}
		case (first.word("START") || first.word("COMMIT") || first.word("ROLLBACK")) && second.word("ALTER"):
			l.ahead, l.undone = l.ahead[2:], !first.word("COMMIT")
			if number, err := l.peek(0); err != nil {
				return err
			} else if isDigits(number) {
				l.ahead = l.ahead[1:]
			}
		default:
			return nil
		}
	}
}

// passFor passes up to and with the FOR of SET STATEMENT.
func (l *lexer) passFor() error {
	depth := 0
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return err
		case t.kind == tokenEnd:
			return errName
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		case t.word("FOR") && depth == 0:
			return nil
		}
	}
}

// rollback reads what follows ROLLBACK: [WORK] [TO [SAVEPOINT] name].
func (l *lexer) rollback() (statement, error) {
	if _, err := l.take("WORK"); err != nil {
		return statement{}, err
	}
	to, err := l.take("TO")
	if err != nil || !to {
		return statement{kind: stmtRollback}, err
	}
	if next, err := l.peek(1); err != nil {
		return statement{}, err
	} else if next.kind != tokenEnd && !next.punct(";") {
		l.next() // SAVEPOINT
	}
	name, err := l.part()
	return statement{kind: stmtRollbackTo, name: name}, err
}

// xa reads what follows XA. The xid's own text is its name: the server always writes it the same way.
func (l *lexer) xa() (statement, error) {
	verb, err := l.next()
	if err != nil {
		return statement{}, err
	}
	s := statement{kind: stmtXABegin}
	switch strings.ToUpper(verb.text) {
	case "COMMIT":
		s.kind = stmtXACommit
	case "ROLLBACK":
		s.kind = stmtXARollback
	}
	for {
		t, err := l.next()
		if err != nil {
			return s, err
		}
		if t.kind == tokenEnd || t.word("ONE") {
			return s, nil
		}
		s.name += strings.ToLower(t.text)
	}
}

func (l *lexer) truncate(database string) (statement, error) {
	next, err := l.peek(0)
	if err != nil {
		return statement{}, err
	}
	after, err := l.peek(1)
	if err != nil {
		return statement{}, err
	}
	// TABLE may be left out, so "truncate table" alone would be of a table named table.
	if next.word("TABLE") && after.kind != tokenEnd && !after.punct(";") {
		l.next()
	}
	t, err := l.name(database)
	return statement{kind: stmtTruncate, tables: []tableName{t}}, err
}

package mysql

import (
	"errors"
	"slices"
	"strings"
)

// columnEdit is one of the changes that an ALTER TABLE makes to the columns.
type columnEdit struct {
	verb     string // ADD, DROP, MODIFY (CHANGE is one) or RENAME
	name     string // of ADD the new column's
	to       string // the name from here on
	place    string // FIRST, AFTER, or empty: at the end, or where it was
	after    string
	ifExists bool // what isn't there, or of ADD is there, is passed by
	unsigned bool // of ADD and MODIFY, and
	json     bool // the type is that

	generated bool // of ADD, as readRenames has it
}

// edits are what a statement makes of a table's columns and keys.
type edits struct {
	columns []columnEdit
	keys    bool // keys come or go; not the primary key
}

// errAlter says that a statement is not one whose effect on the columns is wholly understood.
var errAlter = errors.New("what the statement makes of the columns isn't wholly understood")

// readEdits reads an ALTER TABLE, CREATE INDEX or DROP INDEX. Nothing of it is guessed: a word that isn't known makes it errAlter.
func readEdits(q query) (edits, error) {
	var e edits
	l := &lexer{sql: q.sql, status: q.status}
	if q.foreign {
		return e, errAlter
	}
	if err := l.prefix(); err != nil {
		return e, err
	}
	verb, err := l.next()
	if err != nil {
		return e, err
	}
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return e, err
		case t.word("INDEX") && verb.word("CREATE"):
			e.keys = true
			return e, nil
		case t.word("INDEX") && verb.word("DROP"):
			e.keys = true
			return e, l.notPrimary()
		case t.word("TABLE") && verb.word("ALTER"):
			return e, l.alterTable(&e)
		case !t.word("ONLINE") && !t.word("UNIQUE") && !t.word("FULLTEXT") && !t.word("SPATIAL"):
			return e, errAlter
		}
	}
}

// notPrimary reads the name of an index that goes.
func (l *lexer) notPrimary() error {
	if err := l.ifExists(); err != nil {
		return err
	}
	name, err := l.part()
	if err == nil && strings.EqualFold(name, primaryKey) {
		err = errAlter
	}
	return err
}

func (l *lexer) alterTable(e *edits) error {
	if err := l.ifExists(); err != nil {
		return err
	}
	if _, err := l.name(""); err != nil {
		return err
	}
	specs, err := l.split()
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if err := e.spec(spec); err != nil {
			return err
		}
	}
	return nil
}

// split reads to the end and cuts at the commas outside of parentheses.
func (l *lexer) split() ([]tokens, error) {
	var all tokens
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.kind == tokenEnd || t.punct(";") {
			return all.split(), nil
		}
		all = append(all, t)
	}
}

// tokens are a part of a statement.
type tokens []sqlToken

func (ts tokens) split() []tokens {
	var out []tokens
	depth, start := 0, 0
	for i, t := range ts {
		switch {
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		case t.punct(",") && depth == 0:
			out, start = append(out, ts[start:i]), i+1
		}
	}
	return append(out, ts[start:])
}

// is says that the n-th token is one of these words.
func (ts tokens) is(n int, words ...string) bool {
	return n < len(ts) && slices.ContainsFunc(words, ts[n].word)
}

// pass leaves out a word in front, if it is there.
func (ts *tokens) pass(words ...string) bool {
	if len(*ts) < len(words) {
		return false
	}
	for i, w := range words {
		if !(*ts)[i].word(w) {
			return false
		}
	}
	*ts = (*ts)[len(words):]
	return true
}

// column takes a column's name from the front.
func (ts *tokens) column() (string, error) {
	if len(*ts) == 0 || (*ts)[0].kind != tokenWord && (*ts)[0].kind != tokenQuoted || (*ts)[0].text == "" {
		return "", errAlter
	}
	name := (*ts)[0].text
	*ts = (*ts)[1:]
	return name, nil
}

// spec reads one of the changes.
func (e *edits) spec(ts tokens) error {
	for ts.pass("WAIT") || ts.pass("NOWAIT") { // MariaDB; before the first
		if len(ts) > 0 && strings.Trim(ts[0].text, "0123456789") == "" {
			ts = ts[1:]
		}
	}
	switch {
	case len(ts) == 0:
		return nil
	case ts.pass("ADD"):
		return e.add(ts)
	case ts.pass("DROP"):
		return e.drop(ts)
	case ts.pass("MODIFY"), ts.is(0, "CHANGE"):
		return e.redefine(ts)
	case ts.pass("RENAME"):
		return e.rename(ts)
	case ts.pass("ALTER"):
		return nil // defaults and visibility
	case ts.is(0, "ANALYZE", "CHECK", "OPTIMIZE", "REBUILD", "REPAIR", "COALESCE", "REORGANIZE", "TRUNCATE", "EXCHANGE") && ts.is(1, "PARTITION"),
		ts.is(0, "DISABLE", "ENABLE") && ts.is(1, "KEYS"), ts.is(0, "REMOVE") && ts.is(1, "PARTITIONING"), ts.is(0, "PARTITION") && ts.is(1, "BY"):
		return nil
	}
	return ts.options()
}

// tableOptions are those that leave columns alone. A character set is what columns made later have.
var tableOptions = []string{"ENGINE", "AUTO_INCREMENT", "COMMENT", "ALGORITHM", "LOCK", "ROW_FORMAT", "KEY_BLOCK_SIZE", "STATS_PERSISTENT", "STATS_AUTO_RECALC",
	"STATS_SAMPLE_PAGES", "AVG_ROW_LENGTH", "CHECKSUM", "TABLE_CHECKSUM", "MAX_ROWS", "MIN_ROWS", "PACK_KEYS", "DELAY_KEY_WRITE", "COMPRESSION", "ENCRYPTION", "CHARSET", "COLLATE",
	"PAGE_CHECKSUM", "TRANSACTIONAL", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "INSERT_METHOD"}

func (ts tokens) options() error {
	for len(ts) > 0 {
		if ts.pass("FORCE") {
			continue
		}
		ts.pass("DEFAULT")
		if !ts.pass("CHARACTER", "SET") && !ts.is(0, tableOptions...) {
			return errAlter
		} else if ts.is(0, tableOptions...) {
			ts = ts[1:]
		}
		if len(ts) > 0 && ts[0].punct("=") {
			ts = ts[1:]
		}
		if len(ts) == 0 || ts[0].kind == tokenPunct {
			return errAlter
		}
		ts = ts[1:]
	}
	return nil
}

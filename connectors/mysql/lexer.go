package mysql

import (
	"errors"
	"fmt"
	"strings"
)

// tokenKind is what a token is.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an unquoted name, keyword or number
	tokenQuoted           // `name`, or "name" where sql_mode has ANSI_QUOTES or isn't known
	tokenText             // 'text'
	tokenPunct            // one character
)

type sqlToken struct {
	kind tokenKind
	text string // of a quoted name or text: what it says
}

// word says that the token is that keyword.
func (t sqlToken) word(keyword string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

func (t sqlToken) punct(c string) bool { return t.kind == tokenPunct && t.text == c }

// lexer cuts a statement of the log into tokens. What stands in comments that the server runs (/*! */, MariaDB's /*M! */) is part of the
// statement; which server version they ask for is not looked at: the statement is in the log because it was run.
type lexer struct {
	sql    string
	status status // sql_mode says where text ends
	at     int
	inside int // open comments of that kind
	ahead  []sqlToken
	undone bool // START or ROLLBACK ALTER of MariaDB: the statement has no effect, or none yet
}

var errUnclosed = errors.New("a quote or comment is not closed")

// peek returns the n-th token from here, 0 the next.
func (l *lexer) peek(n int) (sqlToken, error) {
	for len(l.ahead) <= n {
		t, err := l.scan()
		if err != nil {
			return t, err
		}
		l.ahead = append(l.ahead, t)
	}
	return l.ahead[n], nil
}

func (l *lexer) next() (sqlToken, error) {
	t, err := l.peek(0)
	if err == nil {
		l.ahead = l.ahead[1:]
	}
	return t, err
}

// take takes the next token if it is that keyword.
func (l *lexer) take(keyword string) (bool, error) {
	t, err := l.peek(0)
	if err != nil || !t.word(keyword) {
		return false, err
	}
	_, err = l.next()
	return true, err
}

func (l *lexer) scan() (sqlToken, error) {
	if err := l.skip(); err != nil {
		return sqlToken{}, err
	}
	if l.at >= len(l.sql) {
		return sqlToken{}, nil
	}
	switch c := l.sql[l.at]; {
	case c == '`' || c == '"' || c == '\'':
		return l.quoted(c)
	case isWord(c):
		start := l.at
		for l.at < len(l.sql) && isWord(l.sql[l.at]) {
			l.at++
		}
		return sqlToken{tokenWord, l.sql[start:l.at]}, nil
	}
	l.at++
	return sqlToken{tokenPunct, l.sql[l.at-1 : l.at]}, nil
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skip passes blanks and comments.
func (l *lexer) skip() error {
	for l.at < len(l.sql) {
		rest := l.sql[l.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v\x00", rune(rest[0])):
			l.at++
		case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"):
			l.inside++
			l.at += strings.IndexByte(rest, '!') + 1
			for l.at < len(l.sql) && l.sql[l.at] >= '0' && l.sql[l.at] <= '9' {
				l.at++
			}
		case l.inside > 0 && strings.HasPrefix(rest, "*/"):
			l.inside--
			l.at += 2
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return errUnclosed
			}
			l.at += end + 4
		case rest[0] == '#', rest == "--", strings.HasPrefix(rest, "--") && strings.ContainsRune(" \t\r\n\f\v", rune(rest[2])):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest) - 1
			}
			l.at += end + 1
		default:
			return nil
		}
	}
	return nil
}

// quoted reads up to the closing quote; a quote written twice is one. A backslash in text takes the next character with it, unless sql_mode has
// NO_BACKSLASH_ESCAPES; in a name it is one.
func (l *lexer) quoted(quote byte) (sqlToken, error) {
	kind := tokenText
	ansi := l.status.known && l.status.mode&modeANSIQuotes != 0
	if quote == '`' || quote == '"' && (ansi || !l.status.known) {
		kind = tokenQuoted
	}
	escapes := quote != '`' && !(quote == '"' && ansi) && l.status.mode&modeNoEscapes == 0
	var b strings.Builder
	for l.at++; l.at < len(l.sql); l.at++ {
		c := l.sql[l.at]
		switch {
		case c == quote && l.at+1 < len(l.sql) && l.sql[l.at+1] == quote:
			l.at++
			b.WriteByte(c)
		case c == quote:
			l.at++
			return sqlToken{kind, b.String()}, nil
		case c == '\\' && escapes && l.at+1 < len(l.sql):
			l.at++
			b.WriteByte(l.sql[l.at])
		default:
			b.WriteByte(c)
		}
	}
	return sqlToken{}, errUnclosed
}

// name reads a table's name: name, database.name or MariaDB's .name; the default database where none is written.
func (l *lexer) name(database string) (tableName, error) {
	if t, err := l.peek(0); err == nil && t.punct(".") {
		l.next() // the dot
		only, err := l.part()
		return tableName{database, only}, err
	}
	first, err := l.part()
	if err != nil {
		return tableName{}, err
	}
	dot, err := l.peek(0)
	if err != nil || !dot.punct(".") {
		return tableName{database, first}, err
	}
	l.next() // the dot
	second, err := l.part()
	return tableName{first, second}, err
}

var errName = errors.New("a table's name is expected")

func (l *lexer) part() (string, error) {
	t, err := l.next()
	if err != nil {
		return "", err
	}
	if t.kind != tokenWord && t.kind != tokenQuoted || t.text == "" {
		return "", fmt.Errorf("at %q: %w", t.text, errName)
	}
	return t.text, nil
}

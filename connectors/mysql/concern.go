package mysql

import (
	"slices"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/connectors/internal/tables"
)

// concerns says that a statement which changed rows without a row event may have changed rows of a captured table.
//
// Invariant 4: it needs proof that it has not. MySQL lists the databases of all tables that the statement had open for writing, by triggers,
// functions and views too. Without that list the default database and every name in front of a dot are taken for one that it wrote to.
func (a *assembler) concerns(q query) bool {
	if q.status.listed {
		return slices.ContainsFunc(q.status.updated, a.reaches)
	}
	if q.schema != "" && a.reaches(q.schema) {
		return true
	}
	l := &lexer{sql: q.sql, status: q.status}
	for {
		t, err := l.next()
		if err != nil {
			return true
		}
		dot, err := l.peek(0)
		if err != nil {
			return true
		}
		switch {
		case t.kind == tokenEnd:
			return false
		case t.kind != tokenWord && t.kind != tokenQuoted || !dot.punct("."):
		case a.reaches(t.text), q.foreign && !isASCII(t.text):
			return true
		}
	}
}

// doubtful says that the names of a statement whose character set isn't known may be those of captured tables, or of their database. A default database is always known.
func (a *assembler) doubtful(s statement) bool {
	return s.kind == stmtDropDatabase && !isASCII(s.name) || slices.ContainsFunc(s.tables, func(t tableName) bool { return !isASCII(t.schema) || !isASCII(t.name) && a.reaches(t.schema) })
}

// reaches says that a database may have captured tables.
func (a *assembler) reaches(database string) bool { return a.selection.reaches(a.fold(database)) }

func (s selection) reaches(database string) bool {
	matches := func(p tables.Pattern) bool { return tables.MatchName(p.Schema, database) }
	return slices.ContainsFunc(s.Include, matches) &&
		!slices.ContainsFunc(s.Exclude, func(p tables.Pattern) bool { return p.Name == "*" && matches(p) })
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

package mysql

import (
	"slices"
	"strings"
)

// rewriting is what a statement may have done to rows that are there and of which the log has no row.
type rewriting uint8

const (
	keepsRows   rewriting = iota // nothing
	givesValues                  // some have other values, under the keys that they had
	givesKeys                    // some may have other keys, or be gone
)

// alteration is what an ALTER TABLE says, as far as stored values may come of it. It is read more leniently than edits: what matters is what a word may do
// to rows that are there.
type alteration struct {
	columns []alteredColumn
	convert bool      // CONVERT TO CHARACTER SET: any text may be stored otherwise
	nulls   bool      // a column may become NOT NULL that isn't named: ADD PRIMARY KEY
	keys    bool      // the primary key comes or goes
	reread  bool      // the table is read again
	most    rewriting // what it does whatever the columns are
}

// alteredColumn is a column that a statement adds, drops, defines again or renames.
type alteredColumn struct {
	verb      string // ADD, DROP, MODIFY (CHANGE is one) or RENAME
	name, to  string // to is empty of DROP, name of ADD
	auto      bool   // AUTO_INCREMENT, or a key with it
	generated bool   // computed by the server
	filled    bool   // of ADD: rows that are there may have another value than NULL
	constant  *constant
	missing   *string // of ADD: the value in rows that are there, as change.Column has it
	clock     bool    // of ADD: a TIMESTAMP that doesn't say whether it may be NULL; explicit_defaults_for_timestamp does
}

// readAlteration reads a statement that changes a table's shape. What it doesn't know may do anything.
func readAlteration(q query, flavor string) alteration {
	l := &lexer{sql: q.sql, status: q.status}
	specs, err := l.alterSpecs()
	if err != nil || q.foreign {
		return alteration{most: givesKeys}
	}
	var a alteration
	for _, spec := range specs {
		a.spec(spec, flavor)
	}
	if strings.Contains(q.sql, `\`) {
		for i := range a.columns {
			a.columns[i].constant = nil
		}
	}
	return a
}

// alterSpecs returns the parts of an ALTER TABLE, none of another statement.
func (l *lexer) alterSpecs() ([]tokens, error) {
	if err := l.prefix(); err != nil {
		return nil, err
	}
	first, err := l.next()
	if err != nil || !first.word("ALTER") {
		return nil, err
	}
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == tokenEnd:
			return nil, errAlter
		case !t.word("TABLE"): // ONLINE, IGNORE
			continue
		}
		if err := l.ifExists(); err != nil {
			return nil, err
		}
		if _, err := l.name(""); err != nil {
			return nil, err
		}
		return l.split()
	}
}

func (a *alteration) does(what rewriting) { a.most = max(a.most, what) }

// spec reads one part.
func (a *alteration) spec(ts tokens, flavor string) {
	for ts.pass("WAIT") || ts.pass("NOWAIT") { // MariaDB; before the first
		if len(ts) > 0 && strings.Trim(ts[0].text, "0123456789") == "" {
			ts = ts[1:]
		}
	}
	switch {
	case len(ts) == 0:
	case ts.pass("ADD"):
		a.add(ts, flavor)
	case ts.pass("DROP"):
		a.drop(ts)
	case ts.is(0, "MODIFY", "CHANGE"):
		a.redefine(ts)
	case ts.pass("RENAME"):
		a.rename(ts)
	case ts.pass("ALTER"): // a default, or whether something is seen
	case ts.pass("CONVERT", "TO"):
		a.convert = true
	case ts.pass("ORDER", "BY"), ts.is(0, "WITH", "WITHOUT") && ts.is(1, "VALIDATION"), ts.is(0, "SECONDARY_LOAD", "SECONDARY_UNLOAD"):
	case ts.is(0, "ANALYZE", "CHECK", "OPTIMIZE", "REBUILD", "COALESCE", "REORGANIZE") && ts.is(1, "PARTITION"),
		ts.is(0, "DISABLE", "ENABLE") && ts.is(1, "KEYS"), ts.is(0, "REMOVE") && ts.is(1, "PARTITIONING"):
	default:
		a.options(ts)
	}
}

// keepingEngines hold the rows that a table had under another one.
var keepingEngines = []string{"INNODB", "MYISAM", "ARIA", "MEMORY", "HEAP", "ARCHIVE", "ROCKSDB", "MYROCKS", "NDB", "NDBCLUSTER"}

// moreOptions are options of tables beside tableOptions that leave rows alone.
var moreOptions = []string{"DIRECTORY", "TABLESPACE", "AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE", "SECONDARY_ENGINE_ATTRIBUTE", "ENCRYPTED", "ENCRYPTION_KEY_ID"}

// options reads options of the table, behind which partitions may be defined.
func (a *alteration) options(ts tokens) {
	for len(ts) > 0 {
		if ts.pass("FORCE") {
			continue
		}
		if ts.is(0, "PARTITION") && ts.is(1, "BY") {
			return // a row that no partition takes ends the statement
		}
		ts.pass("DEFAULT")
		if ts.is(1, "DIRECTORY") {
			ts.pass("DATA")
			ts.pass("INDEX")
		}
		engine := ts.is(0, "ENGINE")
		switch {
		case ts.pass("CHARACTER", "SET"):
		case ts.is(0, tableOptions...) || ts.is(0, moreOptions...):
			ts = ts[1:]
		default:
			a.does(givesKeys)
			return
		}
		if len(ts) > 0 && ts[0].punct("=") {
			ts = ts[1:]
		}
		if len(ts) == 0 || ts[0].kind == tokenPunct {
			a.does(givesKeys)
			return
		}
		if engine && !slices.Contains(keepingEngines, strings.ToUpper(ts[0].text)) {
			a.does(givesKeys)
		}
		ts = ts[1:]
	}
}

func (a *alteration) add(ts tokens, flavor string) {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "PRIMARY"), ts.is(0, "CONSTRAINT") && slices.ContainsFunc(ts[1:min(len(ts), 4)], func(t sqlToken) bool { return t.word("PRIMARY") }):
			a.nulls, a.keys = true, true
			return
		case ts.is(0, "INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE", "FOREIGN", "PARTITION", "CONSTRAINT", "CHECK"),
			ts.is(0, "VECTOR") && ts.is(1, "INDEX", "KEY"):
			return
		case ts.is(0, "PERIOD", "SYSTEM"):
			a.does(givesKeys)
			return
		}
	}
	ts.pass("IF", "NOT", "EXISTS")
	if len(ts) > 0 && ts[0].punct("(") {
		if !ts[len(ts)-1].punct(")") {
			a.does(givesKeys)
			return
		}
		for _, inner := range ts[1 : len(ts)-1].split() {
			a.add(inner, flavor)
		}
		return
	}
	c := alteredColumn{verb: "ADD"}
	a.column(c, ts, func(c *alteredColumn, definition tokens) {
		c.filled, c.clock = definition.fills(), definition.is(0, "TIMESTAMP") && !definition.mayBeNull()
		if c.generated {
			c.filled = flavor != MariaDB // whose log and snapshots lack them
		} else if c.filled && !c.auto {
			c.constant = definition.constant()
		}
		if c.auto {
			a.does(givesKeys)
		}
	})
}

// column reads a name and what follows it, and notes the column.
func (a *alteration) column(c alteredColumn, ts tokens, more func(c *alteredColumn, definition tokens)) {
	var err error
	if c.to, err = ts.column(); err != nil || len(ts) == 0 {
		a.does(givesKeys)
		return
	}
	c.auto, c.generated = ts.numbers(), ts.has("AS") || ts.has("GENERATED")
	if more != nil {
		more(&c, ts)
	}
	a.columns = append(a.columns, c)
}

func (a *alteration) drop(ts tokens) {
	if !ts.pass("COLUMN") {
		switch {
		case ts.is(0, "INDEX", "KEY", "FOREIGN", "CONSTRAINT", "CHECK", "PRIMARY"):
			a.keys = a.keys || ts.is(0, "PRIMARY")
			return
		case ts.is(0, "PERIOD", "SYSTEM"):
			a.does(givesKeys)
			return
		}
	}
	ts.pass("IF", "EXISTS")
	name, err := ts.column()
	if err != nil {
		a.does(givesKeys)
	}
	a.columns = append(a.columns, alteredColumn{verb: "DROP", name: name})
}

func (a *alteration) redefine(ts tokens) {
	change := ts.is(0, "CHANGE")
	ts = ts[1:]
	ts.pass("COLUMN")
	ts.pass("IF", "EXISTS")
	c := alteredColumn{verb: "MODIFY"}
	named := ts
	var err error
	if c.name, err = named.column(); err != nil {
		a.does(givesKeys)
		return
	}
	if change {
		ts = named
	}
	a.column(c, ts, nil)
}

func (a *alteration) rename(ts tokens) {
	if !ts.pass("COLUMN") {
		return // an index; or the table, which is another one then
	}
	ts.pass("IF", "EXISTS")
	c := alteredColumn{verb: "RENAME"}
	var err error
	if c.name, err = ts.column(); err != nil || !ts.pass("TO") {
		a.does(givesKeys)
		return
	}
	if c.to, err = ts.column(); err != nil {
		a.does(givesKeys)
	}
	a.columns = append(a.columns, c)
}

// has says that a word stands outside of parentheses.
func (ts tokens) has(word string) bool {
	return ts.find(word) >= 0
}

func (ts tokens) find(word string) int {
	depth := 0
	for i, t := range ts {
		switch {
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		case depth == 0 && t.word(word):
			return i
		}
	}
	return -1
}

// numbers says that rows which are there may get a number from the server, or a key.
func (ts tokens) numbers() bool {
	key := ts.find("KEY")
	return ts.has("AUTO_INCREMENT") || ts.has("SERIAL") || key > 0 && !ts.is(key-1, "UNIQUE")
}

// fills says that a new column of that definition may have another value than NULL in rows that are there.
func (ts tokens) fills() bool {
	if not := ts.find("NOT"); not >= 0 && ts.is(not+1, "NULL") || ts.has("ROW") {
		return true
	}
	at := ts.find("DEFAULT")
	return at >= 0 && !ts.is(at+1, "NULL")
}

// mayBeNull says that a definition has NULL as an attribute.
func (ts tokens) mayBeNull() bool {
	for i := 1; i < len(ts); i++ {
		if ts.is(i, "NULL") && !ts.is(i-1, "NOT", "DEFAULT") {
			return true
		}
	}
	return false
}

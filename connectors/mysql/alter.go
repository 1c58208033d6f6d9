package mysql

import (
	"errors"
	"slices"
	"strings"
)

// alter is what an ALTER TABLE, CREATE INDEX or DROP INDEX says of a table. It is read once for three questions: what the columns' types and the keys are
// behind it (readEdits), which column is which (readRenames), and what became of stored values (readAlteration).
type alter struct {
	verb    string // in upper case
	columns []columnEdit
	keys    bool // keys come or go; not the primary key
	primary bool // the primary key comes or goes
	nulls   bool // a column may become NOT NULL that isn't named: ADD PRIMARY KEY
	convert bool // CONVERT TO CHARACTER SET: any text may be stored otherwise

	opaque bool      // types or keys may be others than the rest says
	hidden bool      // columns may come or go that aren't named
	rows   rewriting // what it does to rows whatever the columns are
}

// columnEdit is one of the changes that an ALTER TABLE makes to the columns.
type columnEdit struct {
	verb       string // ADD, DROP, MODIFY (CHANGE is one) or RENAME
	name       string // of ADD the new column's
	to         string // the name from here on; of DROP none
	ifExists   bool   // what isn't there, or of ADD is there, is passed by
	generated  bool   // computed by the server
	definition tokens // of ADD and MODIFY: what follows the name

	place    string // FIRST, AFTER, or empty: at the end, or where it was; these as define reads them
	after    string
	unsigned bool
	json     bool
}

// errAlter says that a statement is not one whose effect on the columns is wholly understood.
var errAlter = errors.New("what the statement makes of the columns isn't wholly understood")

// readAlter reads a statement that changes a table's shape. An error says that what it does to the columns can't be read.
func readAlter(q query) (alter, error) {
	l := &lexer{sql: q.sql, status: q.status}
	if err := l.prefix(); err != nil {
		return alter{}, err
	}
	first, err := l.next()
	if err != nil {
		return alter{}, err
	}
	a := alter{verb: strings.ToUpper(first.text)}
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return a, err
		case t.kind == tokenEnd || q.foreign: // its names can't be read
			return a, errAlter
		case t.word("INDEX"):
			a.keys = true
			if a.verb == "DROP" {
				err = a.dropIndex(l)
			}
			return a, err
		case t.word("TABLE") && a.verb == "ALTER":
			return a, a.table(l)
		case t.word("TABLE"):
			a.opaque = true
			return a, nil
		}
	}
}

// dropIndex reads what follows DROP INDEX.
func (a *alter) dropIndex(l *lexer) error {
	if err := l.ifExists(); err != nil {
		return err
	}
	name, err := l.part()
	a.primary = strings.EqualFold(name, primaryKey)
	return err
}

// table reads what follows ALTER TABLE.
func (a *alter) table(l *lexer) error {
	if err := l.ifExists(); err != nil {
		return err
	}
	if _, err := l.name(""); err != nil {
		return err
	}
	specs, err := l.split()
	for i := 0; i < len(specs) && err == nil; i++ {
		ts := specs[i].behindWait()
		if err = a.spec(ts); ts.is(1, "PARTITION") || ts.is(0, "ORDER") && ts.is(1, "BY") {
			break // no other part comes behind it: the commas are between names of its own
		}
	}
	return err
}

// behindWait passes what MariaDB has before the first part.
func (ts tokens) behindWait() tokens {
	for ts.pass("WAIT") || ts.pass("NOWAIT") {
		if len(ts) > 0 && isDigits(ts[0]) {
			ts = ts[1:]
		}
	}
	return ts
}

// spec reads one part. Columns come, go and get other names by ADD, DROP, CHANGE and RENAME only, all of them reserved words: a partition or a column in
// a list of such is never taken for one.
//
// Source: MySQL 9.7 and MariaDB 11.8, sql/sql_yacc.yy, alter_list_item.
func (a *alter) spec(ts tokens) error {
	switch {
	case len(ts) == 0:
	case ts.pass("ADD"):
		return a.add(ts)
	case ts.pass("DROP"):
		return a.drop(ts)
	case ts.pass("MODIFY"):
		return a.column("MODIFY", ts)
	case ts.pass("CHANGE"):
		return a.column("CHANGE", ts)
	case ts.is(0, "RENAME") && ts.is(1, "COLUMN"):
		return a.column("RENAME", ts[1:])
	case ts.pass("RENAME"): // an index; or the table, which is another one then
		a.opaque = a.opaque || !ts.is(0, "INDEX", "KEY")
	case ts.pass("ALTER"): // a default, or whether something is seen
	case ts.pass("CONVERT", "TO"):
		a.convert, a.opaque = true, true
	case ts.is(0, "WITH", "WITHOUT") && ts.is(1, "VALIDATION"), ts.is(0, "SECONDARY_LOAD", "SECONDARY_UNLOAD"):
		a.opaque = true
	case ts.is(0, "REPAIR", "TRUNCATE", "EXCHANGE") && ts.is(1, "PARTITION"):
		a.rows = givesKeys
	case ts.is(0, "ANALYZE", "CHECK", "OPTIMIZE", "REBUILD", "COALESCE", "REORGANIZE") && ts.is(1, "PARTITION"),
		ts.is(0, "DISABLE", "ENABLE") && ts.is(1, "KEYS"), ts.is(0, "REMOVE") && ts.is(1, "PARTITIONING"),
		ts.is(0, "ORDER") && ts.is(1, "BY"):
	default:
		a.options(ts)
	}
	return nil
}

// tableOptions are those that leave columns and rows alone. A character set is what columns made later have.
var tableOptions = []string{"ENGINE", "AUTO_INCREMENT", "COMMENT", "ALGORITHM", "LOCK", "ROW_FORMAT", "KEY_BLOCK_SIZE", "STATS_PERSISTENT", "STATS_AUTO_RECALC",
	"STATS_SAMPLE_PAGES", "AVG_ROW_LENGTH", "CHECKSUM", "TABLE_CHECKSUM", "MAX_ROWS", "MIN_ROWS", "PACK_KEYS", "DELAY_KEY_WRITE", "COMPRESSION", "ENCRYPTION", "CHARSET", "COLLATE",
	"PAGE_CHECKSUM", "TRANSACTIONAL", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "INSERT_METHOD", "DIRECTORY", "TABLESPACE", "AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE",
	"SECONDARY_ENGINE", "SECONDARY_ENGINE_ATTRIBUTE", "ENCRYPTED", "ENCRYPTION_KEY_ID"}

// keepingEngines hold the rows that a table had under another one.
var keepingEngines = []string{"INNODB", "MYISAM", "ARIA", "MEMORY", "HEAP", "ARCHIVE", "ROCKSDB", "MYROCKS", "NDB", "NDBCLUSTER"}

// unknown notes a part that may do anything but to the names that there are.
func (a *alter) unknown() { a.opaque, a.rows = true, givesKeys }

// options reads options of the table, behind which partitions may be defined.
func (a *alter) options(ts tokens) {
	for len(ts) > 0 {
		if ts.pass("FORCE") {
			continue
		}
		if ts.pass("PARTITION", "BY") {
			return // a row that no partition takes ends the statement
		}
		ts.pass("DEFAULT")
		if ts.is(1, "DIRECTORY") && ts.is(0, "DATA", "INDEX") {
			ts = ts[1:]
		}
		engine := ts.is(0, "ENGINE")
		if ts.is(0, tableOptions...) {
			ts = ts[1:]
		} else if !ts.pass("CHARACTER", "SET") {
			a.unknown()
			return
		}
		if len(ts) > 0 && ts[0].punct("=") {
			ts = ts[1:]
		}
		if len(ts) == 0 || ts[0].kind == tokenPunct {
			a.unknown()
			return
		}
		if engine && !slices.Contains(keepingEngines, strings.ToUpper(ts[0].text)) {
			a.rows = givesKeys
		}
		ts = ts[1:]
	}
}

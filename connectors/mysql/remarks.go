package mysql

import (
	"slices"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// remark is a statement of the log as far as it bears on which column is which.
type remark struct {
	at       change.Position // of the statement
	id       string          // of its transaction: the same wherever the log is read
	database string          // DROP DATABASE
	renames  bool            // RENAME TABLE: tables are pairs
	verb     string          // of what else names tables
	remade   bool            // from here on other tables have these names; of ALTER: it has the second name
	tables   []tableName     // as row events write them
	edits    []columnEdit    // of ALTER, to the first
	unclear  bool            // what it does to the columns isn't understood
}

// names says that a remark is about a table.
func (r *remark) names(t tableName) bool {
	return r.database != "" && r.database == t.schema || slices.Contains(r.tables, t)
}

// lastPlace is behind the Truncates of the tables that a statement takes away.
const lastPlace = 1<<rowBits - 1

// remarkOf reads a statement. Types and keys don't matter to it, so it takes more of them than readEdits.
func (a *assembler) remarkOf(q query, s statement, start uint64) remark {
	r := remark{id: a.txnID(), renames: s.renames, remade: s.remade,
		at: change.Position{Epoch: a.epoch, Commit: commitOf(a.file, a.group.offset), Seq: a.placeOf(start, lastPlace) << 2}}
	if s.kind == stmtDropDatabase {
		r.database = a.fold(s.name)
		return r
	}
	for _, t := range s.tables {
		r.tables = append(r.tables, tableName{a.fold(t.schema), a.fold(t.name)})
	}
	if s.renames {
		return r
	}
	var err error
	r.verb, r.edits, err = readRenames(q)
	r.unclear = err != nil
	return r
}

// remarks are the statements that the stream has met and that have not been followed yet. The stream puts, the reader takes.
type remarks struct {
	mu    sync.Mutex
	due   []remark
	last  change.Position            // of the last that was put
	about map[string]change.Position // by "schema.name": the last ALTER that has changed which columns there are
}

// maxDue bounds those that wait while nobody reads.
const maxDue = 4096

// put takes a statement; one that comes again on another connection is there already.
func (s *remarks) put(r remark) {
	if s == nil { // of a reader that hands nothing over
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.Less(r.at) {
		return
	}
	s.last = r.at
	if s.about == nil {
		s.about = map[string]change.Position{}
	}
	if len(r.edits) > 0 || r.unclear {
		s.about[r.tables[0].String()] = r.at
	}
	if len(s.due) >= maxDue {
		s.due = []remark{{at: r.at, id: r.id, unclear: true}} // of every table
		return
	}
	s.due = append(s.due, r)
}

// behind says that an ALTER behind a place has changed which columns a table has.
func (s *remarks) behind(name string, at change.Position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return at.Less(s.about[name])
}

func (s *remarks) take() []remark {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.due
	s.due = nil
	return due
}

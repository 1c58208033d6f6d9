package mysql

import (
	"maps"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// marks are places of the log at which tables changed otherwise than by rows, the last of each, by "schema.name". A map is replaced, never changed.
type marks struct {
	born    map[string]string // another table has that name since
	revised map[string]string // rows that were there may have other values since
	owed    map[string]string // it was dropped, and targets weren't told: the next table of that name begins with a Truncate
}

func marked(old map[string]string, t tableName, at change.Position) map[string]string {
	all := maps.Clone(old)
	if all == nil {
		all = map[string]string{}
	}
	all[t.String()] = at.String()
	return all
}

// bear notes where the log makes another table of that name, and returns all such notes.
func (s *shapes) bear(t tableName, at change.Position) marks {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.born = marked(s.marks.born, t, at)
	return s.marks
}

// revise notes where rows of a table that are there may get other values, and returns all such notes.
func (s *shapes) revise(t tableName, at change.Position) marks {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.revised = marked(s.marks.revised, t, at)
	return s.marks
}

// owe notes that targets still have the rows of a table that was dropped, or that they have been told, and returns all such notes.
func (s *shapes) owe(t tableName, at change.Position, owed bool) marks {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.owed = marked(s.marks.owed, t, at)
	if !owed {
		delete(s.marks.owed, t.String())
	}
	return s.marks
}

func (s *shapes) owes(t tableName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks.owed[t.String()] != ""
}

// incarnation tells apart the tables that have had that name, and revision what the rows of one held.
func (s *shapes) incarnation(t tableName) (incarnation, revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	incarnation = "first"
	if at, ok := s.marks.born[t.String()]; ok {
		incarnation = at
	}
	return incarnation, s.marks.revised[t.String()]
}

// before returns what a table's columns are in front of the next statement that changes it, as far as that is known.
func (s *shapes) before(t tableName) described {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.tables[t]
	switch {
	case v == nil:
	case v.known != nil:
		return *v.known
	case v.last != nil && !v.stale:
		key := uniqueKey{}
		for _, k := range v.last.table.Key {
			key.columns = append(key.columns, v.last.table.Columns[k].Name)
		}
		return described{v.last.all, []uniqueKey{key}}
	}
	return described{}
}

// know keeps what a table's columns are behind the last statement that changed it.
func (s *shapes) know(t tableName, c described) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions(t).known = &c
}

package reshape

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Pair is one column in two shapes.
type Pair struct{ Old, New *change.Column }

// Difference is what lies between two shapes of a table.
type Difference struct {
	Added    []*change.Column
	Dropped  []*change.Column
	Renamed  []Pair // the same column by its identity under another name
	Kept     []Pair // the same name, and nothing that says that it is another column
	Doubtful bool   // columns are gone and others are new, and whether one became another nobody can tell
}

// Between compares two shapes. Columns without an identity, or of another Lineage, are told apart by their names; a rename of one looks like a column
// that is gone and another that is new, and is Doubtful.
func Between(old, now *change.Table) Difference {
	var d Difference
	identity := func(c *change.Column) uint64 { return c.ID }
	if old.Lineage != now.Lineage { // what the columns were in between nobody has seen
		identity = func(*change.Column) uint64 { return 0 }
	}
	same := sameTable(old, now)
	taken := make([]bool, len(old.Columns))
	take := func(i int) *change.Column {
		taken[i] = true
		return &old.Columns[i]
	}
	for i := range now.Columns {
		col := &now.Columns[i]
		at, id := old.ColumnIndex(col.Name), identity(col)
		if at >= 0 && !(same && old.Columns[at].ID != 0 && id != 0 && old.Columns[at].ID != id) {
			d.Kept = append(d.Kept, Pair{take(at), col})
			continue
		}
		was := -1
		if id != 0 {
			was = slices.IndexFunc(old.Columns, func(o change.Column) bool { return o.ID == id })
		}
		if was < 0 {
			was = foldedIndex(old, now, col)
		}
		if was >= 0 && !taken[was] {
			d.Renamed = append(d.Renamed, Pair{take(was), col})
		} else {
			d.Added = append(d.Added, col)
		}
	}
	for i := range old.Columns {
		if !taken[i] {
			d.Dropped = append(d.Dropped, &old.Columns[i])
		}
	}
	nameless := func(c *change.Column) bool { return identity(c) == 0 }
	d.Doubtful = len(d.Added) > 0 && len(d.Dropped) > 0 && (slices.ContainsFunc(d.Added, nameless) || slices.ContainsFunc(d.Dropped, nameless))
	return d
}

// foldedIndex is the column of the old shape whose name differs in case only, at a source that takes the two for one name; -1: none.
func foldedIndex(old, now *change.Table, col *change.Column) int {
	if now.Engine != "mysql" && now.Engine != "mariadb" {
		return -1
	}
	return slices.IndexFunc(old.Columns, func(o change.Column) bool {
		return strings.EqualFold(o.Name, col.Name) && now.ColumnIndex(o.Name) < 0 && (o.ID == 0 || col.ID == 0 || old.Lineage != now.Lineage)
	})
}

// sameTable says that some column of one shape is one of the other: identities of a table that was made anew are all new.
func sameTable(old, now *change.Table) bool {
	return slices.ContainsFunc(now.Columns, func(n change.Column) bool {
		return n.ID != 0 && slices.ContainsFunc(old.Columns, func(o change.Column) bool { return o.ID == n.ID })
	})
}

// retyped says that the source has changed more of a column than its name, its order and whether it may be NULL.
func (p Pair) retyped() bool {
	o, n := *p.Old, *p.New
	if (o.Enum == nil) != (n.Enum == nil) || o.Enum != nil && !slices.Equal(*o.Enum, *n.Enum) {
		return true
	}
	for _, c := range []*change.Column{&o, &n} {
		c.Name, c.ID, c.Nullable, c.Generated, c.Equality, c.Enum, c.Missing, c.Reread = "", 0, false, false, change.Bytewise, nil, nil, false
	}
	return o != n
}

// relabelled says that labels of an enumeration are gone: a source can only have given them other names.
func (p Pair) relabelled() bool {
	return p.Old.Enum != nil && p.New.Enum != nil && slices.ContainsFunc(*p.Old.Enum, func(l string) bool { return !slices.Contains(*p.New.Enum, l) })
}

// keyNames are the key's columns by name, those of the old shape by the name that they have now.
func keyNames(t *change.Table, renamed []Pair) []string {
	names := make([]string, 0, len(t.Key))
	for _, k := range t.Key {
		name := t.Columns[k].Name
		for _, p := range renamed {
			if p.Old == &t.Columns[k] {
				name = p.New.Name
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

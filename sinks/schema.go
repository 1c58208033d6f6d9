package sinks

import "github.com/tailwater-cdc/tailwater/pkg/change"

// Kind is a kind of change that a source makes to a table and a target may follow, by the name that it has in the configuration and in
// metrics.
type Kind string

// The kinds.
const (
	KindAdd         Kind = "add"         // a new column
	KindDrop        Kind = "drop"        // a column that is gone
	KindWiden       Kind = "widen"       // a type that holds every value of the one before, unchanged
	KindNarrow      Kind = "narrow"      // any other change of type
	KindRename      Kind = "rename"      // a column's name, where the source proves that the column is the same
	KindNullability Kind = "nullability" // a column that may be NULL now
	KindNewTable    Kind = "new_table"   // a table that the target lacks
	KindTruncate    Kind = "truncate"    // all rows gone at once
)

// Action says what a target does about a change of a kind.
type Action string

// The actions.
const (
	Follow Action = "apply"  // the statement that we make for it runs
	Halt   Action = "halt"   // the pipeline halts with the statement to approve
	Ignore Action = "ignore" // the target stays as it is, which is said once
)

// KindRule is what holds of a kind where nobody says otherwise, and what may be said. Why says why, for the documentation.
type KindRule struct {
	Kind    Kind
	Default Action
	Allowed []Action
	Shape   bool // a change of shape: one word for all kinds means it too
	Why     string
}

// Kinds returns all kinds in their order.
func Kinds() []KindRule {
	all := []Action{Follow, Halt, Ignore}
	return []KindRule{
		{KindAdd, Follow, all, true, "it takes nothing away, and without it its values would be lost"},
		{KindDrop, Ignore, all, true, "the values that the target holds can't be had again; `apply` drops the column there too"},
		{KindWiden, Follow, all, true, "nothing is lost by it, and without it new values would be refused"},
		{KindNarrow, Halt, []Action{Halt, Ignore}, true, "it may lose values, so somebody has to approve the statement; `ignore` keeps the target's type where it holds all that comes"},
		{KindRename, Follow, all, true, "done only where the source proves it; `ignore` takes it for a column dropped and another added"},
		{KindNullability, Follow, all, true, "else rows with the new NULL would be refused; a NOT NULL that the source adds is never copied"},
		{KindNewTable, Follow, all, false, "made with `create_tables`; without it the statement to run is printed"},
		{KindTruncate, Follow, all, false, "the target's rows go as the source's did"},
	}
}

// Policy says what to do about each kind; one that it lacks has its default, so the zero Policy is the defaults.
type Policy map[Kind]Action

// Of is what p says of a kind.
func (p Policy) Of(kind Kind) Action {
	if a := p[kind]; a != "" {
		return a
	}
	for _, k := range Kinds() {
		if k.Kind == kind {
			return k.Default
		}
	}
	return Halt
}

// Alters says that p follows some change with a statement that alters a table which is there.
func (p Policy) Alters() bool {
	for _, k := range []Kind{KindAdd, KindDrop, KindWiden, KindRename, KindNullability} {
		if p.Of(k) == Follow {
			return true
		}
	}
	return false
}

// SchemaChange is a change of a table that a target has followed or ignored.
type SchemaChange struct {
	Table  *change.Table
	Kind   Kind
	Action Action // Follow or Ignore
	Column string // empty: the whole table
}

package reshape

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Op is what a Step does to a column of the target.
type Op uint8

// The steps. Relax lets a column be NULL, Clear sets it so in all rows.
const (
	Rename Op = iota + 1
	Retype
	Relax
	Add
	Drop
	Clear
)

// Step is one thing to do to the target.
type Step struct {
	Op     Op
	Column *change.Column // of the shape that comes; of Drop, and Relax of a column that is gone, of the one before
	Name   string         // the column's in the target, before all steps
	Fill   bool           // of Add: rows that are there get Column.Missing, which the source has in them
}

// Width says how a column of the target stands to the type that the source has given it.
type Width uint8

// The widths.
const (
	Same   Width = iota // as it has to be, or of a type of the target's own choice
	Wider               // the source's new type holds every value of the old one
	Narrow              // it doesn't, or nobody can tell
)

// Facts are what a decision must know of a column of the target.
type Facts struct {
	Name      string // as the target has it
	NotNull   bool   // it refuses NULL
	Needed    bool   // it refuses a row that doesn't name it
	Generated bool   // the target computes it
}

// Target is one table of a target as its catalogue describes it, and the dialect's words.
type Target interface {
	// Column is the target's column of that name.
	Column(name string) (Facts, bool)
	// Width compares the target's column, by the name that it has there, with the type that p.New asks for.
	Width(name string, p Pair) Width
	// SQL is what runs the steps.
	SQL(steps []Step) string
}

// Input is all that a decision rests on.
type Input struct {
	Table        *change.Table // the shape that comes
	Before       *change.Table // the present one, which may be the same; nil: the target has never been met
	Target       Target
	Name         string // the target's, quoted
	Policy       sinks.Policy
	CreateTables bool
	Shared       bool                            // another source or sink writes to the table too
	Empty        func() (bool, error)            // whether the target has no row
	Cleared      func(name string) (bool, error) // whether the target's column is NULL in all rows
	Once         func(name string) bool          // whether the source has had a column of that name
	Forget       string                          // the statement that forgets the recorded shapes of the table
}

// Decision is what to do where nothing halts.
type Decision struct {
	Steps      []Step
	Changes    []sinks.SchemaChange
	Fill       []*change.Column // new ones of which the source says what rows of before have: those that are NULL get that
	Late       []string         // columns that the target should have had before: their values until now are not in it
	Relabelled []string         // columns of texts in which rows that are there have labels that have other names at the source
	OldKey     []string         // the key of before, if rows that it takes for one may be two now
	Rekeyed    bool             // the key has other columns or other names than before: keys of parked changes don't compare with those that come
}

type decider struct {
	Input
	Decision
	reasons []string // for which it halts
	halted  []Step   // what would have to run
	forgets bool     // and then the shapes are to be forgotten
}

// Decide compares the shape that comes with the present one and with the target's catalogue.
func Decide(in Input) (Decision, error) {
	d := decider{Input: in}
	diff := Difference{}
	if in.Before == nil {
		for i := range in.Table.Columns {
			diff.Added = append(diff.Added, &in.Table.Columns[i])
		}
	} else {
		diff = Between(in.Before, in.Table)
		d.key(diff.Renamed)
	}
	d.renames(&diff)
	if err := d.doubt(diff); err != nil {
		return d.Decision, err
	}
	for _, p := range slices.Concat(diff.Renamed, diff.Kept) {
		d.kept(p)
	}
	for _, col := range diff.Dropped {
		d.drop(col)
	}
	if err := d.adds(diff); err != nil {
		return d.Decision, err
	}
	if len(d.reasons) > 0 {
		sql := d.Target.SQL(d.halted)
		if d.forgets {
			others := slices.DeleteFunc(slices.Clone(d.Steps), func(s Step) bool { return s.Op != Rename })
			sql = d.Target.SQL(append(others, d.halted...)) + "; " + in.Forget
		}
		return d.Decision, upsert.Halt("%s: %s: %s", in.Name, strings.Join(d.reasons, "; "), sql)
	}
	return d.Decision, nil
}

// choose lets the policy decide about a step. What to say if it halts is completed with the setting to change.
func (d *decider) choose(kind sinks.Kind, s Step, what string) sinks.Action {
	action := d.Policy.Of(kind)
	switch action {
	case sinks.Follow:
		d.Steps = append(d.Steps, s)
		d.changed(kind, action, s.Column)
	case sinks.Ignore:
		d.changed(kind, action, s.Column)
	default:
		d.halt(s, fmt.Sprintf("%s, and on_schema_change.%s is halt, so this is to be run first", what, kind))
	}
	return action
}

func (d *decider) halt(s Step, reason string) {
	d.halted = append(d.halted, s)
	d.reasons = append(d.reasons, reason)
}

func (d *decider) changed(kind sinks.Kind, action sinks.Action, col *change.Column) {
	d.Changes = append(d.Changes, sinks.SchemaChange{Table: d.Table, Kind: kind, Action: action, Column: col.Name})
}

// renames follows what is proved to be a rename; ignored, it is a column dropped and another one added.
func (d *decider) renames(diff *Difference) {
	renamed := slices.Clone(diff.Renamed)
	diff.Renamed = slices.DeleteFunc(diff.Renamed, func(p Pair) bool {
		from, there := d.Target.Column(p.Old.Name)
		to, done := d.Target.Column(p.New.Name)
		switch {
		case done && (!there || from.Name == to.Name):
			return false
		case done && slices.ContainsFunc(renamed, func(o Pair) bool { return o.Old.Name == p.New.Name }): // names alone don't tell whether it was done
			d.forgets = true
			d.halt(Step{Op: Rename, Column: p.New, Name: from.Name}, fmt.Sprintf("the source has renamed %s to %s, a name that another column had before, so this is to be run, all of it and once", p.Old.Name, p.New.Name))
			return false
		case d.Policy.Of(sinks.KindRename) == sinks.Ignore:
			d.changed(sinks.KindRename, sinks.Ignore, p.New)
			diff.Dropped, diff.Added, diff.Doubtful = append(diff.Dropped, p.Old), append(diff.Added, p.New), false
			return true
		case done:
			d.halt(Step{Op: Rename, Column: p.New, Name: from.Name}, fmt.Sprintf("the source has renamed %s to %s, and the target has both, so which is which is to be settled there; "+
				"when it is, start once with on_schema_change.rename: ignore", p.Old.Name, p.New.Name))
		case there:
			d.choose(sinks.KindRename, Step{Op: Rename, Column: p.New, Name: from.Name}, fmt.Sprintf("the source has renamed %s to %s", p.Old.Name, p.New.Name))
		default:
			diff.Added = append(diff.Added, p.New)
			return true
		}
		return false
	})
}

// doubt halts where a rename is possible and can't be proved.
func (d *decider) doubt(diff Difference) error {
	if !diff.Doubtful || d.Policy.Of(sinks.KindRename) == sinks.Ignore {
		return nil
	}
	var adds []Step
	var lacks, gone []string
	for _, col := range diff.Added {
		if _, there := d.Target.Column(col.Name); !there && !col.Generated {
			adds = append(adds, Step{Op: Add, Column: col, Name: col.Name})
			lacks = append(lacks, col.Name)
		}
	}
	for _, col := range diff.Dropped {
		if f, there := d.Target.Column(col.Name); there && !f.Generated && !d.stays(f.Name) {
			gone = append(gone, f.Name)
		}
	}
	if len(lacks) == 0 || len(gone) == 0 {
		return nil
	}
	rename := []Step{{Op: Rename, Column: adds[0].Column, Name: gone[0]}}
	return upsert.Halt("%s lacks %s while the source no longer has %s, and the source doesn't say whether that is a rename: if it is, %s; if not, %s; "+
		"on_schema_change.rename: ignore takes all such for columns that are gone and others that are new", d.Name, strings.Join(lacks, ", "),
		strings.Join(gone, ", "), d.Target.SQL(rename), d.Target.SQL(adds))
}

// stays says that a column of the shape that comes goes to the target's column of that name.
func (d *decider) stays(name string) bool {
	for i := range d.Table.Columns {
		if f, there := d.Target.Column(d.Table.Columns[i].Name); there && f.Name == name {
			return true
		}
	}
	return false
}

// kept follows what has changed of a column that goes on.
func (d *decider) kept(p Pair) {
	f, there := d.Target.Column(p.New.Name)
	if !there {
		f, there = d.Target.Column(p.Old.Name)
	}
	if !there || f.Generated {
		return
	}
	if p.retyped() {
		what := fmt.Sprintf("the source has made %s, which was %s, %s", p.New.Name, p.Old.Native, p.New.Native)
		switch step := (Step{Op: Retype, Column: p.New, Name: f.Name}); d.Target.Width(f.Name, p) {
		case Wider:
			d.choose(sinks.KindWiden, step, what)
		case Narrow:
			d.choose(sinks.KindNarrow, step, what+", which may not hold all values of before")
		default:
			if p.relabelled() {
				d.Relabelled = append(d.Relabelled, p.New.Name)
			}
		}
	}
	if !p.Old.Nullable && p.New.Nullable && f.NotNull && !d.inKey(p.New.Name) {
		d.choose(sinks.KindNullability, Step{Op: Relax, Column: p.New, Name: f.Name}, fmt.Sprintf("the source lets %s be NULL", p.New.Name))
	}
}

func (d *decider) inKey(name string) bool {
	return slices.ContainsFunc(d.Table.Key, func(k int) bool { return d.Table.Columns[k].Name == name })
}

// key notes that the key has changed so that rows which the old one takes for one may be two.
func (d *decider) key(renamed []Pair) {
	was, is := keyNames(d.Before, renamed), keyNames(d.Table, nil)
	covered := len(is) > 0 && !slices.ContainsFunc(is, func(n string) bool { return !slices.Contains(was, n) })
	if len(was) > 0 && !covered {
		d.OldKey = was
	}
	d.Rekeyed = !slices.Equal(keyNames(d.Before, nil), is)
}

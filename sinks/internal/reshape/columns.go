package reshape

import (
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// adds follows new columns, and looks for those that the target should have had before.
func (d *decider) adds(diff Difference) error {
	for _, col := range diff.Added {
		if d.fills(col) {
			d.Fill = append(d.Fill, col)
		}
		if f, there := d.Target.Column(col.Name); there && !d.leaves(f.Name) || col.Generated && !d.CreateTables { // somebody else's table may do without what the source computes
			if err := d.remade(diff, col); err != nil {
				return err
			}
			continue
		}
		if err := d.add(col, true); err != nil {
			return err
		}
	}
	for _, p := range diff.Kept {
		if _, there := d.Target.Column(p.New.Name); there || p.New.Generated {
			continue
		}
		if err := d.add(p.New, false); err != nil {
			return err
		}
	}
	return nil
}

// leaves says that the target's column of that name has another one after the steps.
func (d *decider) leaves(name string) bool {
	return slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Op == Rename && s.Name == name })
}

// fills says that the source tells what rows of before have in a new column.
func (d *decider) fills(col *change.Column) bool {
	return d.Before != nil && col.Missing != nil && !col.Generated && d.Policy.Of(sinks.KindAdd) != sinks.Ignore
}

// add follows one column that the target lacks. One that is not new to us was left out, or somebody has dropped it.
func (d *decider) add(col *change.Column, fresh bool) error {
	step := Step{Op: Add, Column: col, Name: col.Name, Fill: fresh && d.fills(col)}
	sql := d.Target.SQL([]Step{step})
	action := d.Policy.Of(sinks.KindAdd)
	switch {
	case action == sinks.Ignore && d.inKey(col.Name):
		return upsert.Halt("%s lacks %s, which is part of the source's key and can't be left out: %s, fill it in, and start again", d.Name, col.Name, sql)
	case action == sinks.Ignore && fresh:
		d.changed(sinks.KindAdd, action, col)
		return nil
	case action == sinks.Ignore:
		return nil
	case (d.Before == nil || !fresh) && !d.CreateTables: // not a change at the source: the target was made so
		return upsert.Halt("%s lacks columns and create_tables is off: %s", d.Name, sql)
	}
	if !col.Nullable && !step.Fill && !col.Reread && !d.remadeTable() {
		empty, err := d.Empty()
		if err != nil {
			return err
		}
		if !empty {
			return upsert.Halt("%s lacks %s, which is NOT NULL at the source, so rows that are there have a value of it that the log doesn't show: "+
				"%s, fill it in, and start again", d.Name, col.Name, sql)
		}
	}
	if !fresh {
		d.Late = append(d.Late, col.Name)
	}
	d.choose(sinks.KindAdd, step, fmt.Sprintf("the source has %s and the target lacks it", col.Name))
	return nil
}

// remadeTable says that the source has made another table of that name: its rows are none of those that are there, which go once it is read. Where nothing
// is read the source gives it another Lineage. That the key's columns are others too, under their names, is asked for since ALTER TABLE can replace all that
// a table had.
func (d *decider) remadeTable() bool {
	b := d.Before
	return b != nil && len(d.Table.Key) > 0 && b.Lineage == d.Table.Lineage && allIdentified(b) && allIdentified(d.Table) && !sameTable(b, d.Table) &&
		!slices.ContainsFunc(d.Table.Key, func(k int) bool { return b.ColumnIndex(d.Table.Columns[k].Name) < 0 })
}

func allIdentified(t *change.Table) bool {
	return !slices.ContainsFunc(t.Columns, func(c change.Column) bool { return c.ID == 0 })
}

// remade looks at a new column whose name the target has already. The values there are another one's if the source dropped that, now or before, and the
// target has kept it; what the new column has in rows that are there is NULL as far as the log shows.
func (d *decider) remade(diff Difference, col *change.Column) error {
	f, there := d.Target.Column(col.Name)
	named := func(c *change.Column) bool { return c.Name == col.Name }
	at := slices.IndexFunc(diff.Dropped, named)
	switch {
	case !there || f.Generated || col.Generated || d.Before == nil || at < 0 && !d.Once(col.Name):
		return nil
	case at < 0 && diff.Doubtful && d.renamedByHand(diff):
		return nil
	}
	gone := col
	if at >= 0 {
		gone = diff.Dropped[at]
	}
	if d.Policy.Of(sinks.KindDrop) == sinks.Follow && !d.inKey(col.Name) && !d.Shared {
		d.Steps = append(d.Steps, Step{Op: Drop, Column: gone, Name: f.Name}, Step{Op: Add, Column: col, Name: col.Name, Fill: d.fills(col)})
		if !d.fills(col) && !col.Reread {
			d.Late = append(d.Late, col.Name)
		}
		d.changed(sinks.KindDrop, sinks.Follow, gone)
		d.changed(sinks.KindAdd, sinks.Follow, col)
		return nil
	}
	if col.Reread {
		return nil
	}
	cleared, err := d.Cleared(f.Name)
	if err != nil || cleared {
		return err
	}
	d.halt(Step{Op: Clear, Column: col, Name: f.Name}, fmt.Sprintf("the source has made a column %s where it had dropped another of that name, and the target has the values of the first; "+
		"on_schema_change.drop: apply drops it there and makes it anew, and a snapshot brings the values of rows that are there", col.Name))
	return nil
}

// renamedByHand says that a column which is gone is so at the target too: somebody has made it one of the new ones.
func (d *decider) renamedByHand(diff Difference) bool {
	return slices.ContainsFunc(diff.Dropped, func(c *change.Column) bool {
		_, there := d.Target.Column(c.Name)
		return !there
	})
}

// drop follows a column that is gone. One that is kept must not refuse rows that lack it.
func (d *decider) drop(col *change.Column) {
	f, there := d.Target.Column(col.Name)
	if !there || f.Generated || d.stays(f.Name) {
		return
	}
	wasKey := false
	for _, k := range d.Before.Key {
		wasKey = wasKey || &d.Before.Columns[k] == col
	}
	step := Step{Op: Drop, Column: col, Name: f.Name}
	what := fmt.Sprintf("the source no longer has %s", col.Name)
	switch action := d.Policy.Of(sinks.KindDrop); {
	case wasKey: // the sink halts for the key
	case action == sinks.Follow && d.Shared:
		d.halt(step, what+", and another source or sink writes to the table too, so whether to drop it is to be decided by hand; on_schema_change.drop: ignore keeps it")
	case action == sinks.Ignore:
		d.changed(sinks.KindDrop, action, col)
		if f.Needed {
			d.Steps = append(d.Steps, Step{Op: Relax, Column: col, Name: f.Name})
		}
	default:
		d.choose(sinks.KindDrop, step, what)
	}
}

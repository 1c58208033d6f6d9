package reshape

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// adds follows new columns, and looks for those that the target should have had before.
func (d *decider) adds(diff Difference) error {
	for _, col := range diff.Added {
		if _, there := d.Target.Column(col.Name); there || col.Generated {
			d.remade(diff, col)
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

// add follows one column that the target lacks. One that is not new to us was left out, or somebody has dropped it.
func (d *decider) add(col *change.Column, fresh bool) error {
	step := Step{Op: Add, Column: col, Name: col.Name}
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
	if !col.Nullable {
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

// remade follows a column that the source has dropped while it made another of that name. What the target holds is the first one's, and what the
// second has in rows of before the log doesn't show.
func (d *decider) remade(diff Difference, col *change.Column) {
	for _, gone := range diff.Dropped {
		if gone.Name != col.Name || col.Generated {
			continue
		}
		drop, add := Step{Op: Drop, Column: gone, Name: gone.Name}, Step{Op: Add, Column: col, Name: col.Name}
		if d.Policy.Of(sinks.KindDrop) == sinks.Follow && !d.inKey(col.Name) && !d.Shared {
			d.Steps = append(d.Steps, drop, add)
			d.Late = append(d.Late, col.Name)
			d.changed(sinks.KindDrop, sinks.Follow, gone)
			d.changed(sinks.KindAdd, sinks.Follow, col)
			continue
		}
		d.halt(drop, fmt.Sprintf("the source has dropped %s and made another column of that name, and the target has the values of the first; "+
			"on_schema_change.drop: apply does the same there, and a snapshot brings the values of rows that are there", col.Name))
		d.halted = append(d.halted, add)
	}
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

package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// columnsBefore returns what the table of a statement is in front of it. Only a statement about a single one is looked into.
func (a *assembler) columnsBefore(tables []tableName) described {
	if len(tables) != 1 {
		return described{}
	}
	if p := a.past[tables[0]]; p != nil && len(p.Open) == 0 {
		return p.described()
	}
	return a.shapes.before(tables[0])
}

// rewrite has a table read again of which a statement may have changed stored values.
func (a *assembler) rewrite(ctx context.Context, q query, t tableName, was described, start uint64) error {
	alteration := readAlteration(q, a.flavor)
	is, err := a.columnsBehind(ctx, &alteration, t, start)
	if err != nil {
		return err
	}
	if a.follows(t) {
		alteration.carry(is)
	}
	what := alteration.rewrites(q.status, was, is)
	switch {
	case what == keepsRows:
	case !a.remakes:
		a.at.marks = a.shapes.revise(t, a.groupPosition())
		a.logger.Warn("a statement may have changed values of rows that are there, the log doesn't show which, and snapshot mode is never: targets keep what they have until each row's next change; "+
			"tailwater snapshot start --table reads the table", "table", t.String(), "pos", a.addressOf(start), "statement", shortened(q.sql))
	case what == givesValues:
		a.logger.Info("a statement may have changed values of rows that are there, so the table is read again", "table", t.String(), "statement", shortened(q.sql))
		a.at.marks = a.shapes.revise(t, a.groupPosition())
		a.looked(t)
	default:
		a.logger.Info("a statement may have changed keys of rows that are there, so the table is emptied at targets and read again", "table", t.String(), "statement", shortened(q.sql))
		a.remake(t, a.placeOf(start, 0))
	}
	alteration.reread = what != keepsRows && a.remakes
	return a.tellAdded(&alteration, t, is, start)
}

// columnsBehind returns what a table is behind a statement, where that matters and no later statement has changed it since.
func (a *assembler) columnsBehind(ctx context.Context, what *alteration, t tableName, start uint64) (described, error) {
	if !what.asks() {
		return described{}, nil
	}
	p, err := a.learn(ctx, t, a.spot(start))
	if err != nil {
		return described{}, fmt.Errorf("find what a statement has made of its columns: %w", err)
	}
	if p.unknown != "" {
		return described{}, nil
	}
	is := p.described()
	a.shapes.know(t, is)
	return is, nil
}

func (a *assembler) groupPosition() change.Position {
	return change.Position{Epoch: a.epoch, Commit: commitOf(a.file, a.group.offset)}
}

// follows says that targets may have the table.
func (a *assembler) follows(t tableName) bool {
	return a.announced[t] != nil || slices.Contains(a.tablesOf(t.schema), t)
}

// tellAdded announces the shape behind a statement that adds columns with values for rows that are there: a target that learned of them with the next row
// would not know what those have, and a later process not what this one knows.
func (a *assembler) tellAdded(what *alteration, t tableName, is described, start uint64) error {
	if is.types == nil || !a.follows(t) {
		return nil
	}
	made, err := a.shapes.ofDescribed(t, is)
	if err != nil {
		return err
	}
	table := *made.table
	table.Columns = slices.Clone(table.Columns)
	some := false
	for _, c := range what.altered {
		at := slices.IndexFunc(table.Columns, func(o change.Column) bool { return strings.EqualFold(o.Name, c.to) })
		if c.verb != "ADD" || at < 0 {
			continue
		}
		column := &table.Columns[at]
		column.Missing, column.Reread = c.missing, c.missing == nil && what.reread
		some = some || column.Missing != nil || column.Reread
	}
	if !some {
		return nil
	}
	told, err := a.shapes.stands(t, made.table, &table)
	if err != nil {
		return err
	}
	a.announce(told, a.placeOf(start, lastPlace)<<2) // where it is known which column is which
	return nil
}

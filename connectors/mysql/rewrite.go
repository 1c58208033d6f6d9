package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
)

func (c *described) find(name string) *myvalue.Type {
	for i := range c.types {
		if strings.EqualFold(c.types[i].Name, name) {
			return &c.types[i]
		}
	}
	return nil
}

// inKey says that rows may be told apart by a column.
func (c *described) inKey(name string) bool {
	return slices.ContainsFunc(c.keys, func(k uniqueKey) bool {
		return slices.ContainsFunc(k.columns, func(column string) bool { return strings.EqualFold(column, name) })
	})
}

// rewrites says what an alteration may have done to rows that are there: all that isn't proved to keep them.
//
// Invariant 1: values that change without a row in the log would be missing at targets, and nothing in the log says so.
func (a *alteration) rewrites(mode status, before, after described) rewriting {
	what := a.rows
	note := func(names ...string) {
		if a.primary || before.types == nil && after.types == nil || slices.ContainsFunc(names, before.inKey) || slices.ContainsFunc(names, after.inKey) {
			what = givesKeys
		}
		what = max(what, givesValues)
	}
	if a.nulls && !mode.strict() {
		what = givesKeys
	}
	for _, c := range a.altered {
		switch {
		case c.verb != "DROP" && a.reused(c):
			note(c.name, c.to)
		case c.verb == "ADD":
			if to := after.find(c.to); c.filled && c.missing == nil || c.clock && (to == nil || !to.Nullable) {
				what = max(what, givesValues) // a new column tells no row from another that was there
			}
		case c.verb != "MODIFY":
		case c.auto && !autoBefore(before.find(c.name)) && !mode.keepsZero():
			what = givesKeys
		case !c.keeps(mode, before.find(c.name), after.find(c.to)):
			note(c.name, c.to)
		case computed(after) && !before.find(c.name).SameStored(after.find(c.to)):
			what = max(what, givesValues) // what is computed of it
		}
	}
	if a.convert {
		a.converts(before, after, note)
	}
	return what
}

// converts looks at all texts.
func (a *alteration) converts(before, after described, note func(...string)) {
	if before.types == nil || after.types == nil || computed(after) {
		note()
	}
	for i := range before.types {
		from := &before.types[i]
		redefined := slices.ContainsFunc(a.altered, func(c alteredColumn) bool { return c.verb != "ADD" && strings.EqualFold(c.name, from.Name) })
		if !redefined && !from.Keeps(after.find(from.Name)) {
			note(from.Name)
		}
	}
}

// carry finds the constants of new columns, which need no row: they go with the table's shape.
func (a *alteration) carry(after described) {
	for i := range a.altered {
		c := &a.altered[i]
		if to := after.find(c.to); c.constant != nil && to != nil && !a.reused(*c) {
			if text, ok := c.constant.missing(to); ok {
				c.missing = &text
			}
		}
	}
}

// asks says that what it does follows from what the columns were and are only.
func (a *alteration) asks() bool {
	return a.convert || slices.ContainsFunc(a.altered, func(c alteredColumn) bool {
		return c.verb == "MODIFY" || c.clock || c.filled || c.verb != "DROP" && a.reused(c)
	})
}

// reused says that a column gets a name which another one of the table has had until the statement.
func (a *alteration) reused(c alteredColumn) bool {
	return (c.verb == "ADD" || !strings.EqualFold(c.name, c.to)) && slices.ContainsFunc(a.altered, func(o alteredColumn) bool {
		return o.verb != "ADD" && strings.EqualFold(o.name, c.to) && !strings.EqualFold(o.to, c.to)
	})
}

func autoBefore(t *myvalue.Type) bool { return t != nil && t.Auto }

func computed(c described) bool {
	return slices.ContainsFunc(c.types, func(t myvalue.Type) bool { return t.Generated && !t.Hidden })
}

// keeps says that a column which is defined again has the values that it had.
func (c *alteredColumn) keeps(mode status, from, to *myvalue.Type) bool {
	if from == nil || to == nil || c.generated || from.Generated || !from.Keeps(to) {
		return false
	}
	// In strict mode a NULL ends the statement. A TIMESTAMP or a number that the server gives takes another value.
	clock := to.Wire == myvalue.Timestamp || to.Wire == myvalue.Timestamp2
	return !from.Nullable || to.Nullable || mode.strict() && !clock && !c.auto
}

// The bits of sql_mode that say what becomes of a value that doesn't fit, and of a 0 where the server gives numbers. Both servers have the same.
const (
	modeAutoZero    = 1 << 19
	modeStrictTrans = 1 << 22
	modeStrictAll   = 1 << 23
)

// strict says that a value which doesn't fit ends an ALTER TABLE.
func (s *status) strict() bool { return s.known && s.mode&(modeStrictTrans|modeStrictAll) != 0 }

// keepsZero says that a 0 stays one in a column whose numbers the server gives.
func (s *status) keepsZero() bool { return s.known && s.mode&modeAutoZero != 0 }

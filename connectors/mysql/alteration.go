package mysql

import (
	"strings"
)

// rewriting is what a statement may have done to rows that are there and of which the log has no row.
type rewriting uint8

const (
	keepsRows   rewriting = iota // nothing
	givesValues                  // some have other values, under the keys that they had
	givesKeys                    // some may have other keys, or be gone
)

// alteration is what a statement says as far as stored values may come of it. It is read more leniently than readEdits does: what matters is what a word may
// do to rows that are there.
type alteration struct {
	alter
	altered []alteredColumn // the columns
	reread  bool            // the table is read again
}

// alteredColumn is a column that a statement adds, drops, defines again or renames.
type alteredColumn struct {
	columnEdit
	auto     bool // AUTO_INCREMENT, or a key with it
	filled   bool // of ADD: rows that are there may have another value than NULL
	constant *constant
	missing  *string // of ADD: the value in rows that are there, as change.Column has it
	clock    bool    // of ADD: a TIMESTAMP that doesn't say whether it may be NULL; explicit_defaults_for_timestamp does
}

// readAlteration reads a statement that changes a table's shape. What it doesn't know may do anything.
func readAlteration(q query, flavor string) alteration {
	said, err := readAlter(q)
	a := alteration{alter: said}
	if err != nil {
		a.rows = givesKeys
	}
	for _, e := range said.columns {
		c := alteredColumn{columnEdit: e, auto: e.definition.numbers()}
		if e.verb == "ADD" {
			a.fill(&c, flavor)
		}
		if strings.Contains(q.sql, `\`) {
			c.constant = nil
		}
		a.altered = append(a.altered, c)
	}
	return a
}

// fill finds what rows that are there have in a new column.
func (a *alteration) fill(c *alteredColumn, flavor string) {
	c.filled, c.clock = c.definition.fills(), c.definition.is(0, "TIMESTAMP") && !c.definition.mayBeNull()
	switch {
	case c.generated:
		c.filled = flavor != MariaDB // whose log and snapshots lack them
	case c.filled && !c.auto:
		c.constant = c.definition.constant()
	}
	if c.auto {
		a.rows = givesKeys
	}
}

// numbers says that rows which are there may get a number from the server, or a key.
func (ts tokens) numbers() bool {
	key := ts.find("KEY")
	return ts.has("AUTO_INCREMENT") || ts.has("SERIAL") || key > 0 && !ts.is(key-1, "UNIQUE")
}

// fills says that a new column of that definition may have another value than NULL in rows that are there.
func (ts tokens) fills() bool {
	if not := ts.find("NOT"); not >= 0 && ts.is(not+1, "NULL") || ts.has("ROW") {
		return true
	}
	at := ts.find("DEFAULT")
	return at >= 0 && !ts.is(at+1, "NULL")
}

// mayBeNull says that a definition has NULL as an attribute.
func (ts tokens) mayBeNull() bool {
	for i := 1; i < len(ts); i++ {
		if ts.is(i, "NULL") && !ts.is(i-1, "NOT", "DEFAULT") {
			return true
		}
	}
	return false
}

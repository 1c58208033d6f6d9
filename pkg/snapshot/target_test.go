package snapshot_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"pgregory.net/rapid"
)

// target is where the changes are applied: by the rule of Position.Covers, strictly by key.
type target struct {
	t         *rapid.T
	mark      change.Position
	rows      map[string]map[string][]change.Value // of tables with a key
	bags      map[string]map[string]int            // of those without
	newest    map[string]int64                     // by table and key: v of the newest row or deletion applied
	shapes    map[string]string                    // by table: the newest shape applied
	announced map[*change.Table]bool               // in this run
	parked    map[string]map[string]bool           // by table: keys whose row was missing when columns of it came
	emptied   map[string]int                       // by table: how often
	parks     bool                                 // or that is an error
}

func newTarget(t *rapid.T) *target {
	return &target{t: t, rows: map[string]map[string][]change.Value{}, bags: map[string]map[string]int{}, newest: map[string]int64{},
		shapes: map[string]string{}, announced: map[*change.Table]bool{}, parked: map[string]map[string]bool{}, emptied: map[string]int{}}
}

// earlier leaves rows in g that the source doesn't have any more.
func (g *target) earlier() {
	for _, name := range included {
		if keyless[name] {
			g.bags[name] = map[string]int{"1 0 0": 2}
			continue
		}
		g.rows[name] = map[string][]change.Value{}
		for id := int64(1); id < 10; id++ {
			g.rows[name][fmt.Sprint(id)] = []change.Value{change.Int(id), change.Int(0), change.Int(0)}
		}
	}
}

func (g *target) clone() *target {
	c := newTarget(g.t)
	c.mark, c.newest, c.shapes, c.emptied = g.mark, maps.Clone(g.newest), maps.Clone(g.shapes), maps.Clone(g.emptied)
	for name, rows := range g.rows {
		c.rows[name] = maps.Clone(rows)
	}
	for name, bag := range g.bags {
		c.bags[name] = maps.Clone(bag)
	}
	for name, keys := range g.parked {
		c.parked[name] = maps.Clone(keys)
	}
	return c
}

func (g *target) apply(c *change.Change) {
	if c.Op == change.NewShape {
		g.announced[c.Table] = true
	}
	if c.Txn == nil && !g.announced[c.Table] {
		g.t.Fatalf("%s of %s in a shape that was not announced", c.Op, c.Table)
	}
	if g.mark.Covers(c) {
		return
	}
	g.mark = c.Pos
	name := c.Table.String()
	if shape := c.Table.Columns[1].Native; shape < g.shapes[name] {
		g.t.Fatalf("%s of %s at %s has shape %s after %s", c.Op, name, c.Pos, shape, g.shapes[name])
	} else {
		g.shapes[name] = shape
	}
	switch {
	case c.Op == change.NewShape:
	case c.Op == change.Truncate:
		g.emptied[name]++
		delete(g.rows, name)
		delete(g.bags, name)
		delete(g.parked, name)
	case len(c.Table.Key) == 0:
		g.count(name, c)
	default:
		g.upsert(name, c)
	}
}

func (g *target) count(name string, c *change.Change) {
	bag := g.bags[name]
	if bag == nil {
		bag = map[string]int{}
		g.bags[name] = bag
	}
	row := fmt.Sprint(c.Row()[0].Int(), c.Row()[1].Int(), c.Row()[2].Int())
	switch {
	case c.Op != change.Delete:
		bag[row]++
	case bag[row] > 1:
		bag[row]--
	default:
		delete(bag, row)
	}
}

func (g *target) upsert(name string, c *change.Change) {
	rows := g.rows[name]
	if rows == nil {
		rows = map[string][]change.Value{}
		g.rows[name] = rows
	}
	key := fmt.Sprint(c.Row()[0].Int())
	version := int64(c.Pos.Commit)
	if c.Op != change.Delete {
		version = c.After[1].Int()
	}
	if id := name + "/" + key; version < g.newest[id] {
		g.t.Fatalf("%s of %s at %s brings version %d after %d", c.Op, id, c.Pos, version, g.newest[id])
	} else {
		g.newest[id] = version
	}
	if c.Op == change.SnapshotRow {
		delete(g.parked[name], key)
	} else if g.parked[name][key] {
		return
	}
	if c.Op == change.Delete {
		delete(rows, key)
		return
	}
	row := slices.Clone(c.After)
	for i := range row {
		if !row[i].IsUnset() {
			continue
		}
		if rows[key] == nil && g.parks {
			if g.parked[name] == nil {
				g.parked[name] = map[string]bool{}
			}
			g.parked[name][key] = true
			return
		}
		if rows[key] == nil {
			g.t.Fatalf("%s of %s/%s at %s lacks columns, and the row is missing", c.Op, name, key, c.Pos)
		}
		row[i] = rows[key][i]
	}
	rows[key] = row
}

// content is all rows of a table as text.
func (g *target) content(name string) string {
	var lines []string
	for _, row := range g.rows[name] {
		lines = append(lines, fmt.Sprint(row[0].Int(), row[1].Int(), row[2].Int()))
	}
	for row, n := range g.bags[name] {
		lines = append(lines, slices.Repeat([]string{row}, n)...)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (m *model) content(name string) string {
	var lines []string
	for _, row := range m.state(name, always, nil) {
		lines = append(lines, fmt.Sprint(row[0].Int(), row[1].Int(), row[2].Int()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

package e2e

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// randomTable is a table of types of typetable, and what is known of it while a plan is drawn.
type randomTable struct {
	name    string
	key     string // the columns of the primary key; empty: none
	keyed   int    // the column beside the id in the key; -1: none
	full    bool   // PostgreSQL: REPLICA IDENTITY FULL
	columns []randomColumn
	ids     []int // rows that are there
	nextID  int
	added   int    // columns so far
	shaped  string // what its shape has gone through: "", "renamed" (and stays as it is), "dropped" or "grown"
}

type randomColumn struct {
	name string
	typ  typetable.Type
}

// randomStep is a transaction, or a change of a table.
type randomStep struct{ sql string }

// randomPlan is what happens in one round.
type randomPlan struct {
	tables []*randomTable
	steps  []randomStep
	down   string // what becomes of the program before the steps: "", "stopped" or "killed"
	image  string // MySQL, MariaDB: binlog_row_image
}

// planner draws plans for one source; values that one of its targets can't hold are left out.
type planner struct {
	kind  string // the source's engine
	types []typetable.Type
	round int
	whole bool // rows are whole in the log, so that keys may change
}

// keyable are types that every engine can have in a key.
var keyable = []string{"smallint", "integer", "bigint", "int", "int unsigned", "bigint unsigned", "boolean", "numeric(10,2)", "decimal(10,2)", "character varying(20)", "varchar(5)", "uuid",
	"date", "timestamp without time zone", "datetime(3)", "binary(4)", "mediumint unsigned"}

func (p *planner) plan(t *rapid.T) randomPlan {
	plan := randomPlan{down: rapid.SampledFrom([]string{"", "", "", "stopped", "killed"}).Draw(t, "down"), image: rapid.SampledFrom([]string{"full", "full", "minimal", "noblob"}).Draw(t, "image")}
	p.whole = p.kind == typetable.Postgres || plan.image == "full"
	for i := range rapid.IntRange(1, 2).Draw(t, "tables") {
		table := p.table(t, fmt.Sprintf("r%d_%d", p.round, i))
		plan.tables = append(plan.tables, table)
		plan.steps = append(plan.steps, randomStep{p.create(table)})
	}
	for range rapid.IntRange(3, 12).Draw(t, "steps") {
		table := rapid.SampledFrom(plan.tables).Draw(t, "of table")
		if rapid.IntRange(0, 6).Draw(t, "shape") == 0 {
			plan.steps = append(plan.steps, randomStep{p.alter(t, table)})
			continue
		}
		plan.steps = append(plan.steps, p.transaction(t, plan.tables))
	}
	for _, table := range plan.tables { // a shape comes with the next row
		plan.steps = append(plan.steps, randomStep{p.insert(t, table)})
	}
	return plan
}

func (p *planner) table(t *rapid.T, name string) *randomTable {
	r := &randomTable{name: name, keyed: -1, key: "id", full: rapid.Bool().Draw(t, "full"), nextID: 1}
	for range rapid.IntRange(1, 7).Draw(t, "columns") {
		p.addColumn(t, r)
	}
	switch rapid.IntRange(0, 3).Draw(t, "key") {
	case 0:
		if p.whole {
			r.key, r.full = "", true // who has no key must have this to be updated
		}
	case 1:
		if i := slices.IndexFunc(r.columns, func(c randomColumn) bool { return slices.Contains(keyable, c.typ.Name) }); i >= 0 {
			r.keyed, r.key = i, r.columns[i].name+", id"
		}
	}
	return r
}

func (p *planner) addColumn(t *rapid.T, r *randomTable) randomColumn {
	c := randomColumn{fmt.Sprintf("c%d", r.added), rapid.SampledFrom(p.types).Draw(t, "type")}
	r.added++
	r.columns = append(r.columns, c)
	return c
}

func (p *planner) create(r *randomTable) string {
	parts := []string{"id integer not null"}
	for i, c := range r.columns {
		definition := c.name + " " + c.typ.Definition()
		if i == r.keyed {
			definition += " not null"
		}
		parts = append(parts, definition)
	}
	if r.key != "" {
		parts = append(parts, "primary key ("+r.key+")")
	}
	sql := "create table " + r.name + " (" + strings.Join(parts, ", ") + ")"
	if p.kind == typetable.Postgres && r.full {
		sql += "; alter table " + r.name + " replica identity full"
	}
	return sql
}

// widenings are the types that a type may become without a loss, of either engine.
var widenings = map[string]string{"smallint": "bigint", "character varying(20)": "text", "tinyint": "int", "int": "bigint", "smallint unsigned": "int unsigned", "int unsigned": "bigint unsigned"}

// alter changes a table's shape, or empties it. What the sinks halt at, because nobody can tell a column that is renamed from one that is gone and another that is
// new, is left out: in one round a table of PostgreSQL gains columns, or loses some, or has one renamed; for MySQL's the sinks are told that none is renamed.
func (p *planner) alter(t *rapid.T, r *randomTable) string {
	head := "alter table " + r.name
	i := rapid.IntRange(0, len(r.columns)-1).Draw(t, "column")
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	was := r.shaped
	switch {
	case kind == 0 || was == "renamed":
		if r.ids = nil; p.kind != typetable.Postgres {
			r.shaped = "renamed" // MySQL's log has no shape with a TRUNCATE: behind one that changes later, in a backlog, the sinks would halt
		}
		return "truncate table " + r.name
	case kind == 1 && i != r.keyed && len(r.columns) > 1 && (was != "grown" || p.kind != typetable.Postgres):
		name := r.columns[i].name
		r.shaped, r.columns = "dropped", slices.Delete(slices.Clone(r.columns), i, i+1)
		if r.keyed > i {
			r.keyed--
		}
		return head + " drop column " + name
	case kind == 2 && p.kind == typetable.Postgres && i != r.keyed && was == "":
		from := r.columns[i].name
		r.shaped, r.columns = "renamed", slices.Clone(r.columns)
		r.columns[i].name = fmt.Sprintf("c%d", r.added)
		r.added++
		return head + " rename column " + from + " to " + r.columns[i].name
	case kind == 3 && i != r.keyed && was != "dropped" && p.widen(r, i):
		c := r.columns[i]
		r.shaped = "grown"
		if p.kind == typetable.Postgres {
			return head + " alter column " + c.name + " type " + c.typ.Name
		}
		return head + " modify column " + c.name + " " + c.typ.Definition()
	case was == "dropped" && p.kind == typetable.Postgres:
		return "delete from " + r.name + " where id < 0"
	}
	r.shaped = "grown"
	c := p.addColumn(t, r)
	return head + " add column " + c.name + " " + c.typ.Definition()
}

// widen gives a column the next larger type, with the values that it may hold already.
func (p *planner) widen(r *randomTable, i int) bool {
	c := r.columns[i]
	at := slices.IndexFunc(p.types, func(t typetable.Type) bool { return t.Name == widenings[c.typ.Name] })
	if at < 0 || c.typ.Name != c.typ.Definition() {
		return false
	}
	wide := p.types[at]
	wide.Values = slices.Concat(wide.Values, c.typ.Values)
	r.columns = slices.Clone(r.columns)
	r.columns[i].typ = wide
	return true
}

// transaction is some statements over the tables, one time in six taken back.
func (p *planner) transaction(t *rapid.T, tables []*randomTable) randomStep {
	before := make([][]int, len(tables))
	for i, r := range tables {
		before[i] = slices.Clone(r.ids)
	}
	var sql []string
	for range rapid.IntRange(1, 8).Draw(t, "statements") {
		sql = append(sql, p.statement(t, rapid.SampledFrom(tables).Draw(t, "table")))
	}
	end := "commit"
	if rapid.IntRange(0, 5).Draw(t, "end") == 0 {
		end = "rollback"
		for i, r := range tables {
			r.ids = before[i]
		}
	}
	return randomStep{"begin; " + strings.Join(sql, "; ") + "; " + end}
}

func (p *planner) statement(t *rapid.T, r *randomTable) string {
	if len(r.ids) == 0 {
		return p.insert(t, r)
	}
	id := rapid.SampledFrom(r.ids).Draw(t, "id")
	switch rapid.IntRange(0, 9).Draw(t, "statement") {
	case 0, 1, 2:
		return p.insert(t, r)
	case 3:
		r.ids = slices.DeleteFunc(slices.Clone(r.ids), func(n int) bool { return n == id })
		return fmt.Sprintf("delete from %s where id = %d", r.name, id)
	case 4:
		if !p.whole || p.kind == typetable.Postgres && !r.full {
			break // a key change would need the values that the log leaves out
		}
		to := r.nextID
		r.nextID++
		r.ids = append(slices.DeleteFunc(slices.Clone(r.ids), func(n int) bool { return n == id }), to)
		return fmt.Sprintf("update %s set id = %d where id = %d", r.name, to, id)
	case 5:
		if len(r.columns) > 0 {
			i := rapid.IntRange(0, len(r.columns)-1).Draw(t, "column")
			if i != r.keyed {
				return fmt.Sprintf("update %s set %s = %s", r.name, r.columns[i].name, p.value(t, &r.columns[i], true))
			}
		}
	}
	return p.update(t, r, id)
}

func (p *planner) insert(t *rapid.T, r *randomTable) string {
	id := r.nextID
	r.nextID++
	r.ids = append(r.ids, id)
	names, values := []string{"id"}, []string{fmt.Sprint(id)}
	for i := range r.columns {
		names = append(names, r.columns[i].name)
		values = append(values, p.value(t, &r.columns[i], i != r.keyed))
	}
	return "insert into " + r.name + " (" + strings.Join(names, ", ") + ") values (" + strings.Join(values, ", ") + ")"
}

func (p *planner) update(t *rapid.T, r *randomTable, id int) string {
	var sets []string
	for i := range r.columns {
		if i == r.keyed && (!p.whole || p.kind == typetable.Postgres && !r.full) {
			continue
		}
		if rapid.Bool().Draw(t, "set") {
			sets = append(sets, r.columns[i].name+" = "+p.value(t, &r.columns[i], i != r.keyed))
		}
	}
	if sets == nil {
		sets = []string{"id = id"}
	}
	return fmt.Sprintf("update %s set %s where id = %d", r.name, strings.Join(sets, ", "), id)
}

// value is the SQL of a value of a column: one of its type's, or any other.
func (p *planner) value(t *rapid.T, c *randomColumn, nullable bool) string {
	if nullable && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return "null"
	}
	if any := p.any(t, c.typ.Name); c.typ.SQL != "json" && rapid.Bool().Draw(t, "any") && any.SQL != "" {
		c.typ.Values = append(slices.Clip(c.typ.Values), any)
		return any.SQL
	}
	return rapid.SampledFrom(c.typ.Values).Draw(t, "value").SQL
}

// alphabet is of characters that somebody has to escape, or to count.
var alphabet = []rune("ab'\"\\ \t\n;%_{}é日😀")

// any is any value of a type whose text is the same everywhere; of another type none.
func (p *planner) any(t *rapid.T, typ string) typetable.Value {
	number := func(least, most int64) typetable.Value {
		s := fmt.Sprint(rapid.Int64Range(least, most).Draw(t, "number"))
		return typetable.Value{SQL: s, Text: s, JSON: s}
	}
	switch typ {
	case "smallint":
		return number(-1<<15, 1<<15-1)
	case "int", "integer":
		return number(-1<<31, 1<<31-1)
	case "bigint":
		return number(-1<<63, 1<<63-1)
	case "int unsigned":
		return number(0, 1<<32-1)
	case "numeric(10,2)", "decimal(10,2)":
		s := fmt.Sprintf("%d.%02d", rapid.IntRange(1, 99999999).Draw(t, "whole"), rapid.IntRange(0, 99).Draw(t, "cents"))
		return typetable.Value{SQL: s, Text: s, JSON: `"` + s + `"`}
	case "text", "mediumtext", "longtext", "varchar(300)":
		if p.kind == typetable.Postgres && rapid.IntRange(0, 3).Draw(t, "large") == 0 {
			return largeText(rapid.IntRange(1, 1000).Draw(t, "begin"))
		}
		s := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 40, 160).Draw(t, "text")
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 && typ != "varchar(300)" {
			s = strings.Repeat(s, 200)
		}
		sql := strings.ReplaceAll(s, "'", "''")
		if p.kind != typetable.Postgres {
			sql = strings.ReplaceAll(sql, `\`, `\\`)
		}
		return typetable.Value{SQL: "'" + sql + "'", Text: s, JSON: string(change.AppendJSONString(nil, s))}
	}
	return typetable.Value{}
}

// largeText is a text that PostgreSQL stores apart, and that the log leaves out of updates that don't touch it.
func largeText(begin int) typetable.Value {
	const lines = 300
	var b strings.Builder
	for i := begin; i <= begin+lines; i++ {
		fmt.Fprintf(&b, "%x", md5.Sum([]byte(fmt.Sprint(i))))
	}
	return typetable.Value{SQL: fmt.Sprintf("(select string_agg(md5(i::text), '' order by i) from generate_series(%d, %d) i)", begin, begin+lines),
		Text: b.String(), JSON: `"` + b.String() + `"`}
}

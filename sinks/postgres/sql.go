package postgres

import (
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// list joins what f gives for each of the columns.
func list(columns []int, separator string, f func(i, column int) string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = f(i, c)
	}
	return strings.Join(parts, separator)
}

func (p *plan) names(columns []int) string {
	return list(columns, ", ", func(_, c int) string { return quoteIdent(p.columns[c].name) })
}

// unnest is the rows that the parameters hold, one array a column, as u(c1, c2, ...).
func (p *plan) unnest(columns []int) string {
	params := list(columns, ", ", func(i, c int) string { return "$" + strconv.Itoa(i+1) + "::" + p.columns[c].way.param.name + "[]" })
	names := list(columns, ", ", func(i, _ int) string { return "c" + strconv.Itoa(i+1) })
	return "unnest(" + params + ") AS u(" + names + ")"
}

// from is the value of parameter i in the target column's type.
func (p *plan) from(i, c int) string {
	v := "u.c" + strconv.Itoa(i+1)
	if cast := p.columns[c].way.cast; cast != "" {
		v += "::" + cast
	}
	return v
}

// matches compares the key columns of t with those among columns.
func (p *plan) matches(columns []int) string {
	var parts []string
	for i, c := range columns {
		if p.isKey(c) {
			parts = append(parts, "t."+quoteIdent(p.columns[c].name)+" = "+p.from(i, c))
		}
	}
	return strings.Join(parts, " AND ")
}

func (p *plan) insertSQL(columns []int) string {
	overriding := ""
	if p.identity {
		overriding = " OVERRIDING SYSTEM VALUE"
	}
	return "INSERT INTO " + p.name + " AS t (" + p.names(columns) + ")" + overriding + "\nSELECT " + list(columns, ", ", p.from) +
		"\nFROM " + p.unnest(columns)
}

// putSQL inserts whole rows or overwrites those of their keys.
func (p *plan) putSQL(columns []int) string {
	var set []string
	for _, c := range columns {
		written := p.mode == SoftDelete && p.columns[c].same != "" // the row of 1.0 is kept, and is that of 1.00 now
		if name := quoteIdent(p.columns[c].name); !p.isKey(c) || written {
			set = append(set, name+" = excluded."+name)
		}
	}
	sql := p.insertSQL(columns) + "\nON CONFLICT (" + p.names(p.key) + ") DO "
	if len(set) == 0 {
		return sql + "NOTHING"
	}
	return sql + "UPDATE SET " + strings.Join(set, ", ")
}

// addSQL inserts a row once for its Position.
func (p *plan) addSQL(columns []int) string {
	return p.insertSQL(columns) + "\nON CONFLICT (" + quoteIdent(upsert.ColumnPos) + ") DO NOTHING"
}

// patchSQL updates the present columns of rows that must be there; its count of rows tells whether they were.
func (p *plan) patchSQL(columns []int) string {
	var set []string
	for i, c := range columns {
		if !p.isKey(c) {
			set = append(set, quoteIdent(p.columns[c].name)+" = "+p.from(i, c))
		}
	}
	where := "\nWHERE " + p.matches(columns) + p.alive()
	if len(set) == 0 { // nothing but the key has come: the row must be there all the same
		return "SELECT FROM " + p.rows + " AS t, " + p.unnest(columns) + where + "\nFOR UPDATE OF t"
	}
	return "UPDATE " + p.rows + " AS t SET " + strings.Join(set, ", ") + "\nFROM " + p.unnest(columns) + where
}

func (p *plan) alive() string {
	if p.mode == SoftDelete {
		return " AND t." + quoteIdent(upsert.ColumnDeleted) + " IS NULL"
	}
	return ""
}

// removed returns the columns that a delete by key takes: the key, and when it was deleted if that is kept.
func (p *plan) removed() []int {
	if p.mode == SoftDelete {
		return append(append([]int(nil), p.key...), p.own...)
	}
	return p.key
}

// removeSQL deletes by key, or stamps the rows.
func (p *plan) removeSQL() string {
	columns := p.removed()
	if p.mode == SoftDelete {
		return "UPDATE " + p.rows + " AS t SET " + quoteIdent(upsert.ColumnDeleted) + " = u.c" + strconv.Itoa(len(columns)) + "\nFROM " +
			p.unnest(columns) + "\nWHERE " + p.matches(columns)
	}
	return "DELETE FROM " + p.rows + " AS t USING " + p.unnest(columns) + "\nWHERE " + p.matches(columns)
}

// keptSQL finds a row that should have gone. How many rows a DELETE took doesn't tell: some were never there.
func (p *plan) keptSQL() string {
	return "SELECT FROM " + p.rows + " AS t, " + p.unnest(p.key) + "\nWHERE " + p.matches(p.key) + p.alive() + "\nLIMIT 1"
}

// removeOneSQL deletes, or stamps, exactly one row that equals the one in the parameters. A ctid is a row's place in one table: it
// doesn't tell a row from those of other partitions.
func (p *plan) removeOneSQL(columns []int) string {
	var parts []string
	deleted := ""
	for i, c := range columns {
		col := &p.columns[c]
		v := "($" + strconv.Itoa(i+1) + "::" + col.way.param.name + "[])[1]"
		if col.name == upsert.ColumnDeleted && col.source < 0 {
			deleted = v
			continue
		}
		name := "r." + quoteIdent(col.name)
		if col.way.cast != "" {
			v = "(" + v + ")::" + col.way.cast
		}
		if col.same != "" {
			v, name = "(("+v+")::"+col.same+")::text", name+"::text"
		}
		parts = append(parts, name+" IS NOT DISTINCT FROM "+v)
	}
	this, place := "t.ctid", "r.ctid"
	if p.parted {
		this, place = "(t.tableoid, t.ctid)", "r.tableoid, r.ctid"
	}
	one := this + " = (SELECT " + place + " FROM " + p.rows + " AS r\nWHERE " + strings.Join(append(parts, "true"), " AND ")
	if p.mode == SoftDelete {
		return "UPDATE " + p.rows + " AS t SET " + quoteIdent(upsert.ColumnDeleted) + " = " + deleted + "\nWHERE " + one + " AND r." +
			quoteIdent(upsert.ColumnDeleted) + " IS NULL\nLIMIT 1 FOR UPDATE)"
	}
	return "DELETE FROM " + p.rows + " AS t\nWHERE " + one + "\nLIMIT 1 FOR UPDATE)"
}

// stampAllSQL stamps every row that is alive.
func (p *plan) stampAllSQL() string {
	return "UPDATE " + p.rows + " SET " + quoteIdent(upsert.ColumnDeleted) + " = $1::timestamp with time zone WHERE " +
		quoteIdent(upsert.ColumnDeleted) + " IS NULL"
}

// truncateSQL empties tables in one statement. TRUNCATE refuses one that a foreign key of another table points at, even from an empty
// table; the deletes of one statement are checked at its end.
func truncateSQL(plans []*plan) string {
	var names []string
	referenced := false
	for _, p := range plans {
		if !contains(names, p.rows) {
			names = append(names, p.rows)
		}
		referenced = referenced || p.referenced
	}
	if !referenced {
		return "TRUNCATE TABLE " + strings.Join(names, ", ")
	}
	last := len(names) - 1
	with := ""
	for i, name := range names[:last] {
		with += map[bool]string{true: "WITH ", false: ", "}[i == 0] + "d" + strconv.Itoa(i) + " AS (DELETE FROM " + name + ")"
	}
	if with != "" {
		with += " "
	}
	return "DO " + quoteLiteral(strings.ReplaceAll(emptying, "%", with+"DELETE FROM "+names[last]))
}

// emptying deletes by %. What the source truncated together comes by one topic for each table, and neither marker can wait for the other: where
// rows of another table point at those that go, the deletes are made without the checks, if we may, and the other marker takes those rows.
const emptying = `DECLARE
	was text := current_setting('session_replication_role');
	why text;
BEGIN
	%;
	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
	why := SQLERRM;
	BEGIN
		PERFORM set_config('session_replication_role', 'replica', true);
	EXCEPTION WHEN insufficient_privilege THEN
		RAISE foreign_key_violation USING MESSAGE = why || '; so that tables can be emptied one after the other: GRANT SET ON PARAMETER session_replication_role TO '
			|| quote_ident(current_user);
	END;
	%;
	PERFORM set_config('session_replication_role', was, true);
END`

package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// insert is what stands before and behind the rows of an INSERT.
type insert struct{ head, tail string }

// newRow is how MySQL's statement calls the row that it could not insert.
const newRow = "`_tailwater_new`"

// incoming is a column's value in the row that could not be inserted.
func (p *plan) incoming(name string) string {
	if p.dialect.mariadb {
		return "VALUES(" + name + ")"
	}
	return newRow + "." + name
}

// insert inserts rows, or overwrites those of their keys; a row without a key is inserted once for its Position.
func (p *plan) insert(columns []int) insert {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = p.columns[c].name
	}
	out := insert{head: "INSERT INTO " + p.name + " (" + strings.Join(names, ", ") + ") VALUES\n"}
	if !p.dialect.mariadb {
		out.tail = " AS " + newRow
	}
	set := []string{p.guard()}
	if p.keyed() {
		for _, c := range columns {
			if name := p.columns[c].name; !p.columns[c].key {
				set = append(set, name+" = "+p.incoming(name))
			}
		}
	}
	out.tail += "\nON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
	return out
}

// guard sets a column to itself, and fails if the row that stands in the way is one of another key. ON DUPLICATE KEY UPDATE writes over whatever
// row it collides with, in any unique index: 9223372036854775807 + 1 is an error (1690) on either server, with any sql_mode.
func (p *plan) guard() string {
	var same []string
	one := ""
	for _, k := range p.key {
		name := p.columns[k].name
		if p.keyed() {
			one = name
			same = append(same, p.short+"."+name+" <=> "+p.incoming(name))
		}
	}
	if !p.keyed() { // rows of a snapshot have no Position, and are never the same
		one = quoteIdent(upsert.ColumnPos)
		same = []string{p.short + "." + one + " IS NOT NULL", p.short + "." + one + " <=> " + p.incoming(one)}
	}
	return one + " = IF(9223372036854775807 + (NOT (" + strings.Join(same, " AND ") + ")), " + p.short + "." + one + ", NULL)"
}

// appendRow appends the literals of a row.
func (p *plan) appendRow(dst []byte, columns []int, row *upsert.Row) ([]byte, error) {
	dst = append(dst, '(')
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = p.columns[c].append(dst, row); err != nil {
			return dst, err
		}
	}
	return append(dst, ')'), nil
}

// appendKey appends the comparison of the key columns with a row's key.
func (p *plan) appendKey(dst []byte, row *upsert.Row) ([]byte, error) {
	for i, k := range p.key {
		if i > 0 {
			dst = append(dst, " AND "...)
		}
		dst = append(append(dst, p.columns[k].name...), " = "...)
		var err error
		if dst, err = p.columns[k].append(dst, row); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendSet appends the assignments of columns that are not the key's. What the server would stamp by itself keeps its value. Where nothing is
// left to set, a column of the key is set to itself: the row must be there all the same.
func (p *plan) appendSet(dst []byte, columns []int, row *upsert.Row) ([]byte, error) {
	first := true
	name := func(c int) {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = append(append(dst, p.columns[c].name...), " = "...)
	}
	for _, c := range columns {
		if p.columns[c].key {
			continue
		}
		name(c)
		var err error
		if dst, err = p.columns[c].append(dst, row); err != nil {
			return dst, err
		}
	}
	for _, c := range p.stamped {
		if p.columns[c].key || !slices.Contains(columns, c) {
			name(c)
			dst = append(dst, p.columns[c].name...)
		}
	}
	if first {
		name(p.key[0])
		dst = append(dst, p.columns[p.key[0]].name...)
	}
	return dst, nil
}

// appendPatch appends an UPDATE of the columns of one row that must be there.
func (p *plan) appendPatch(dst []byte, columns []int, row *upsert.Row) ([]byte, error) {
	dst = append(append(append(dst, "UPDATE "...), p.name...), " SET "...)
	dst, err := p.appendSet(dst, columns, row)
	if err != nil {
		return dst, err
	}
	if dst, err = p.appendKey(append(dst, " WHERE "...), row); err != nil {
		return dst, err
	}
	if p.mode == SoftDelete {
		dst = append(dst, " AND "+quoteIdent(upsert.ColumnDeleted)+" IS NULL"...)
	}
	return dst, nil
}

// appendStamp appends an UPDATE that stamps one row as deleted.
func (p *plan) appendStamp(dst []byte, row *upsert.Row) ([]byte, error) {
	dst = append(append(append(dst, "UPDATE "...), p.name...), " SET "...)
	dst, err := p.appendSet(dst, []int{p.ours(upsert.ColumnDeleted)}, row)
	if err != nil {
		return dst, err
	}
	return p.appendKey(append(dst, " WHERE "...), row)
}

// appendRemove appends a DELETE of rows by their keys.
func (p *plan) appendRemove(dst []byte, rows []upsert.Row) ([]byte, error) {
	dst = append(append(append(dst, "DELETE FROM "...), p.name...), " WHERE "...)
	var err error
	if len(p.key) == 1 {
		dst = append(append(dst, p.columns[p.key[0]].name...), " IN ("...)
	}
	for i := range rows {
		if len(p.key) == 1 {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst, err = p.columns[p.key[0]].append(dst, &rows[i])
		} else {
			dst = append(dst, [...]string{"(", " OR ("}[min(i, 1)]...)
			if dst, err = p.appendKey(dst, &rows[i]); err == nil {
				dst = append(dst, ')')
			}
		}
		if err != nil {
			return dst, err
		}
	}
	if len(p.key) == 1 {
		dst = append(dst, ')')
	}
	return dst, nil
}

// appendRemoveOne appends a DELETE, or the stamp, of exactly one row that equals row in these columns.
func (p *plan) appendRemoveOne(dst []byte, columns []int, row *upsert.Row) ([]byte, error) {
	var err error
	deleted := p.ours(upsert.ColumnDeleted)
	if p.mode == SoftDelete {
		dst = append(append(append(dst, "UPDATE "...), p.name...), " SET "...)
		if dst, err = p.appendSet(dst, []int{deleted}, row); err != nil {
			return dst, err
		}
	} else {
		dst = append(append(dst, "DELETE FROM "...), p.name...)
	}
	dst = append(dst, " WHERE TRUE"...)
	for _, c := range columns {
		col := &p.columns[c]
		if col.source < 0 {
			continue
		}
		before, after := p.compared(col)
		dst = append(append(append(dst, " AND "...), before...), " <=> "...)
		if after == "" || col.value(row).IsNull() {
			dst, err = col.append(dst, row)
		} else if dst, err = col.append(append(dst, "CAST("...), row); err == nil {
			dst = append(dst, after...)
		}
		if err != nil {
			return dst, err
		}
	}
	if p.mode == SoftDelete {
		dst = append(append(append(dst, " AND "...), p.columns[deleted].name...), " IS NULL"...)
	}
	return append(dst, " LIMIT 1"...), nil
}

// compared is how a column is compared with a literal so that all that differs is told apart; after ends a CAST of the literal, if it needs one.
func (p *plan) compared(c *column) (column, after string) {
	switch c.way.same {
	case sameText:
		return "CONVERT(" + c.name + " USING utf8mb4) COLLATE " + p.dialect.bytewise(), ""
	case sameJSON: // the document, which the server writes in its own way
		return c.name, " AS JSON)"
	}
	return c.name, ""
}

// stampAll stamps every row that is alive.
func (p *plan) stampAll(at string) string {
	deleted := quoteIdent(upsert.ColumnDeleted)
	set := deleted + " = " + at
	for _, c := range p.stamped {
		set += ", " + p.columns[c].name + " = " + p.columns[c].name
	}
	return "UPDATE " + p.name + " SET " + set + " WHERE " + deleted + " IS NULL"
}

package sinktest

import (
	"math"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func testNames(t *testing.T, h Harness) {
	s := h.Open(t, h.Addr)
	names := []string{`select`, `CamelCase`, `with space`, `dot.ted`, `quo"te`, "back`tick", `sin'gle`, `ünï`, `a;drop table a;--`, `/*`, `%s`, `$1`, `back\slash`,
		strings.Repeat("x", 63)}
	l := &log{}
	for _, name := range names {
		table := &change.Table{Source: "shop", Engine: "none", Schema: "public", Name: name, Key: []int{1}}
		for i, column := range []string{name + "1"[:min(1, 63-len(name))], `key ` + name[:min(len(name), 40)], `"c"`} {
			kind := change.Column{Name: column, Native: "text", Kind: change.KindText, Nullable: i != 1}
			table.Columns = append(table.Columns, kind)
		}
		l.table = table
		row := func(v string) []change.Value {
			return []change.Value{change.Text(name), change.Text("k"), change.Text(v)}
		}
		apply(t, s, l.insert(row("1")...))
		apply(t, s, l.update(row("2")...), l.update(change.Value{}, change.Text("k"), change.Text("3")))
		h.want(t, table, name+"|k|3")
		apply(t, s, l.delete(row("3")...))
		h.want(t, table)
	}
}

// testValues takes every kind to its limits, through a table that the sink makes.
func testValues(t *testing.T, h Harness) {
	s := h.Open(t, h.Addr)
	cases := []struct {
		column change.Column
		values []change.Value
		texts  []string
	}{
		{change.Column{Kind: change.KindBool}, []change.Value{change.Bool(true), change.Bool(false)}, []string{"true", "false"}},
		{change.Column{Kind: change.KindInt, Bits: 16}, []change.Value{change.Int(math.MinInt16), change.Int(math.MaxInt16)}, []string{"-32768", "32767"}},
		{change.Column{Kind: change.KindInt, Bits: 32}, []change.Value{change.Int(math.MinInt32), change.Int(-1)}, []string{"-2147483648", "-1"}},
		{change.Column{Kind: change.KindInt, Bits: 64}, []change.Value{change.Int(math.MinInt64), change.Int(math.MaxInt64)},
			[]string{"-9223372036854775808", "9223372036854775807"}},
		{change.Column{Kind: change.KindUint, Bits: 32}, []change.Value{change.Uint(math.MaxUint32), change.Uint(0)}, []string{"4294967295", "0"}},
		{change.Column{Kind: change.KindUint, Bits: 64}, []change.Value{change.Uint(math.MaxUint64), change.Uint(0)}, []string{"18446744073709551615", "0"}},
		{change.Column{Kind: change.KindFloat64}, []change.Value{change.Float64(0.1), change.Float64(-2.5)}, []string{"0.1", "-2.5"}},
		{change.Column{Kind: change.KindDecimal, Precision: 38, Scale: 10},
			[]change.Value{change.Decimal("-1234567890123456789012345678.0000000001"), change.Decimal("0.0000000000")},
			[]string{"-1234567890123456789012345678.0000000001", "0.0000000000"}},
		{change.Column{Kind: change.KindText}, []change.Value{change.Text(""), change.Text("é\t\n\\N'\"{},NULL")}, []string{"", "é\t\n\\N'\"{},NULL"}},
		{change.Column{Kind: change.KindText}, []change.Value{change.Text(strings.Repeat("long ", 50_000)), change.Text(" ")},
			[]string{strings.Repeat("long ", 50_000), " "}},
		{change.Column{Kind: change.KindJSON}, []change.Value{change.JSON(`{"b":1,  "a":[1.0,null]}`), change.JSON("null")},
			[]string{`{"b":1,  "a":[1.0,null]}`, "null"}},
	}
	l := &log{table: orders()}
	l.table.Columns = l.table.Columns[:1]
	rows := make([][]change.Value, 2)
	want := make([]string, 2)
	for i := range rows {
		rows[i] = []change.Value{change.Int(int64(i))}
		want[i] = string(rune('0' + i))
	}
	for n, c := range cases {
		c.column.Name, c.column.Native, c.column.Nullable = string(rune('a'+n)), c.column.Kind.String(), true
		l.table.Columns = append(l.table.Columns, c.column)
		for i := range rows {
			rows[i] = append(rows[i], c.values[i])
			want[i] += "|" + c.texts[i]
		}
	}
	apply(t, s, l.insert(rows[0]...), l.snapshot(rows[1]...))
	h.want(t, l.table, want...)
}

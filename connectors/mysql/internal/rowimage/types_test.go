package rowimage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTypes writes each value of valuesOf, and holds what the log carries of it, what a snapshot reads of it and the server's own
// text against each other and against the literal.
func TestTypes(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		cases := valuesOf(my)
		my.Exec("set sql_mode = 'ALLOW_INVALID_DATES', names utf8mb4")
		conn := snapshotSession(t, my)
		events := written(t, my, func() {
			for i, c := range cases {
				var rows []string
				for j, v := range c.values {
					rows = append(rows, fmt.Sprintf("(%d, %s)", j, v.sql))
				}
				my.Exec(fmt.Sprintf("create table t%d (id int primary key, c %s); insert into t%d (id, c) values %s", i, c.sql, i, strings.Join(rows, ", ")))
			}
		})
		d := &decoder{flavor: flavorOf(my), schema: my.Database, catalogue: func(m *rowimage.TableMap) ([]myvalue.Type, error) {
			types, err := catalogueOf(t, my, conn, m.Name)
			if err != nil {
				return nil, err
			}
			agreed, err := myvalue.Agree(m.Types, types)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			return agreed, nil
		}}
		byTable := map[string][]row{}
		for _, e := range events {
			if err := d.event(e); err != nil {
				t.Error(err)
			}
		}
		for _, r := range d.rows {
			byTable[r.table.Name] = append(byTable[r.table.Name], r)
		}
		for i, c := range cases {
			t.Run(strings.NewReplacer(" ", "_", "'", "", "/", "").Replace(c.sql), func(t *testing.T) {
				name := fmt.Sprintf("t%d", i)
				c.check(t, byTable[name], func(types []myvalue.Type) [][]change.Value {
					rows, err := selected(t, conn, name, types)
					if err != nil {
						t.Fatal(err)
					}
					return rows
				}, serverTexts(my, name, c))
			})
		}
	})
}

// typeCase is a column and values of it.
type typeCase struct {
	sql    string
	kind   change.Kind
	values []literal
	// own is an expression of the server's own text of c in hexadecimal; empty: what fits the kind; "-": none.
	own string
}

type literal struct {
	sql  string
	want string // change.AppendText's; for a PartialDate its text
}

func (c *typeCase) check(t *testing.T, logged []row, snapshot func([]myvalue.Type) [][]change.Value, own []string) {
	t.Helper()
	if len(logged) != len(c.values) {
		t.Fatalf("%d rows in the log for %d values", len(logged), len(c.values))
	}
	types := logged[0].types
	column := types[1].Column()
	if column.Kind != c.kind {
		t.Errorf("column of kind %s, want %s", column.Kind, c.kind)
	}
	selected := snapshot(types)
	for i, v := range c.values {
		got := logged[i].after[1]
		if got != selected[i][1] {
			t.Errorf("%s is %q in the log, %q in a snapshot", v.sql, show(&column, got), show(&column, selected[i][1]))
		}
		text := show(&column, got)
		if v.want != "" && text != v.want {
			t.Errorf("%s is %q, want %q", v.sql, text, v.want)
		}
		if got.Kind() != c.kind && got.Kind() != change.KindPartialDate {
			t.Errorf("%s is of kind %s", v.sql, got.Kind())
		}
		if own != nil && i < len(own) && own[i] != comparable(&column, got) {
			t.Errorf("%s is %q here, the server says %q", v.sql, comparable(&column, got), own[i])
		}
		if got.Kind() == change.KindPartialDate {
			continue
		}
		again, err := change.ParseText(&column, text)
		if err != nil || again != got {
			t.Errorf("%s is %q, which reads as %+v, %v", v.sql, text, again, err)
		}
	}
}

func show(c *change.Column, v change.Value) string {
	if v.IsNull() || v.IsUnset() {
		return v.Kind().String()
	}
	return string(change.AppendText(nil, c, v))
}

// comparable is v as serverTexts has it.
func comparable(c *change.Column, v change.Value) string {
	switch v.Kind() {
	case change.KindBytes:
		return v.Str()
	case change.KindInstant, change.KindWallTime:
		return strings.TrimSuffix(strings.Replace(show(c, v), "T", " ", 1), "Z")
	}
	return show(c, v)
}

// serverTexts are the server's own texts of a table's values.
func serverTexts(my *testenv.My, table string, c typeCase) []string {
	expr := c.own
	if expr == "" {
		switch c.kind {
		case change.KindText, change.KindJSON:
			expr = "convert(c using utf8mb4)"
		case change.KindBytes:
			expr = "c"
		case change.KindBits:
			expr = "bin(c)"
		case change.KindFloat32, change.KindFloat64:
			return nil
		default:
			expr = "cast(c as char)"
		}
	}
	if expr == "-" {
		return nil
	}
	var out []string
	for _, r := range my.Query("select hex(" + expr + ") from " + table + " order by id") {
		b := make([]byte, len(r[0])/2)
		fmt.Sscanf(r[0], "%x", &b)
		out = append(out, string(b))
	}
	return out
}

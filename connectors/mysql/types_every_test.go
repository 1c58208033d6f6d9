package mysql_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// lenient is a session that takes zero and partial dates.
const lenient = "set sql_mode = 'ALLOW_INVALID_DATES', names utf8mb4"

// TestEveryType reads every value of every type from a snapshot and from the stream, and holds both, and the server's own text, against what
// is written by hand.
func TestEveryType(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		everyType(t, my, typetable.Tables(typetable.MySQLFamilies(), my.Name))
	})
}

// TestTimesOfAnotherZone reads the times of servers that live neither in UTC nor in a zone of whole hours.
func TestTimesOfAnotherZone(t *testing.T) {
	t.Parallel()
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"default-time-zone=+05:45"}}).My
			tables := typetable.Tables(typetable.MySQLFamilies(), name)
			everyType(t, my, slices.DeleteFunc(tables, func(table typetable.Table) bool { return table.Name != "t_times" }))
		})
	}
}

// everyType reads tables both ways.
func everyType(t *testing.T, my *testenv.My, tables []typetable.Table) {
	t.Helper()
	my.Exec(lenient)
	for i := range tables {
		my.Exec(tables[i].CreateSQL())
		my.Exec(tables[i].InsertSQL(0))
	}
	c := config(t, my)
	c.SnapshotMode, c.MemoryBytes = mysql.SnapshotInitial, 8<<20
	o := opened(t, c, connectors.Start{Epoch: 1})
	rows, n := map[string]map[int64]change.Change{}, 0
	upto := o.Upto
	readTo := func(enough func() bool) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for !enough() {
			b, err := o.Source.Read(ctx, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range b.Changes {
				if c.Op == change.SnapshotRow || c.Op == change.Insert {
					if rows[c.Table.Name] == nil {
						rows[c.Table.Name] = map[int64]change.Change{}
					}
					rows[c.Table.Name][c.After[0].Int()] = c
					n++
				}
			}
			upto = b.Upto
		}
	}
	all := 0
	for i := range tables {
		all += len(tables[i].Cells)
	}
	readTo(func() bool { return n >= all })
	for i := range tables {
		my.Exec(tables[i].InsertSQL(typetable.Later))
	}
	head, err := o.Source.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	readTo(func() bool { return !upto.Less(head) })
	for i := range tables {
		checkTypes(t, &tables[i], rows[tables[i].Name])
		texts := my.Query(tables[i].Texts(typetable.MySQL, func(c int) string { return tables[i].Types[c].Name }))
		for _, line := range tables[i].Differences(texts, 0, func(c typetable.Cell) string { return c.Value.Text }) {
			t.Errorf("the server: %.400s", line)
		}
	}
}

func checkTypes(t *testing.T, table *typetable.Table, rows map[int64]change.Change) {
	t.Helper()
	for _, c := range table.Cells {
		typ := &table.Types[c.Column]
		for _, op := range []change.Op{change.SnapshotRow, change.Insert} {
			id := c.ID
			if op == change.Insert {
				id += typetable.Later
			}
			row, ok := rows[int64(id)]
			if !ok || row.Op != op {
				t.Errorf("%s: no %s of row %d", table.Name, op, id)
				continue
			}
			column, v := row.Table.Columns[c.Column+1], row.After[c.Column+1]
			if column.Kind != typ.Column.Kind {
				t.Errorf("%s is of kind %s, want %s", typ.Definition(), column.Kind, typ.Column.Kind)
			}
			if text := string(change.AppendJSON(nil, &column, v)); text != c.Value.JSON {
				t.Errorf("%s: %.80s of %.80s is %.300s, want %.300s", op, c.Value.SQL, typ.Definition(), text, c.Value.JSON)
			}
			if v.Kind() == change.KindPartialDate {
				continue
			}
			if again, err := change.ParseText(&column, string(change.AppendText(nil, &column, v))); err != nil || again != v {
				t.Errorf("%s: %.80s of %.80s doesn't come back from its text: %v", op, c.Value.SQL, typ.Definition(), err)
			}
		}
	}
}

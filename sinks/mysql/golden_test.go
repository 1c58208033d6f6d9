package mysql_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

var update = flag.Bool("update", false, "write the golden files")

func goldenTable(key ...int) *change.Table {
	return &change.Table{Source: "shop", Engine: "postgres", Schema: "db", Name: "or`ders", Key: key, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "status", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "amount", Native: "numeric(12,2)", Kind: change.KindDecimal, Precision: 12, Scale: 2, Nullable: true},
		{Name: "doc", Native: "json", Kind: change.KindJSON, Nullable: true},
		{Name: "total", Native: "integer", Kind: change.KindInt, Bits: 32, Generated: true, Nullable: true},
		{Name: "seen", Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6, Nullable: true},
	}}
}

func goldenColumns() []mysql.TargetColumn {
	return []mysql.TargetColumn{
		{Name: "id", Type: "bigint", Declared: "bigint"},
		{Name: "status", Type: "varchar", Declared: "varchar(20)", Charset: "utf8mb4", Collation: "utf8mb4_general_ci", Length: 20},
		{Name: "amount", Type: "decimal", Declared: "decimal(12,2)", Precision: 12, Scale: 2},
		{Name: "doc", Type: "longtext", Declared: "longtext", Charset: "utf8mb4", Collation: "utf8mb4_0900_bin"},
		{Name: "total", Type: "int", Declared: "int", Generated: true},
		{Name: "seen", Type: "timestamp", Declared: "timestamp(6)", Fraction: 6, Restamped: true},
	}
}

// goldenChanges are all that can happen to rows; the log did not carry everything.
func goldenChanges(tab *change.Table) []change.Change {
	var unset change.Value
	row := func(id int64, status string) []change.Value {
		return []change.Value{change.Int(id), change.Text(status), change.Decimal("1.50"), change.JSON(`{"it's": 1}`), unset, change.Instant(1)}
	}
	c := []change.Change{at(tab, 1, change.Insert, row(1, "new")...), at(tab, 2, change.Insert, row(2, "back\\slash")...), at(tab, 3, change.Delete, row(3, "gone")...),
		at(tab, 4, change.Delete, row(4, "gone")...)}
	if len(tab.Key) > 0 {
		return append(c, at(tab, 5, change.Update, change.Int(5), change.Text("partial"), unset, change.Null(), unset, unset),
			at(tab, 6, change.Update, change.Int(6), change.Text("k"), unset, unset, unset, unset), at(tab, 7, change.Truncate))
	}
	both := at(tab, 5, change.Update, row(5, "after")...)
	both.Before = row(5, "before")
	return append(c, both, at(tab, 7, change.Truncate))
}

// TestGoldenStatements compares the SQL of each case with testdata/NAME.sql.
func TestGoldenStatements(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		key  []int
		mode mysql.Mode
	}{
		{"upsert", []int{0}, mysql.Upsert},
		{"upsert.two_keys", []int{1, 0}, mysql.Upsert},
		{"upsert.keyless", nil, mysql.Upsert},
		{"soft_delete", []int{0}, mysql.SoftDelete},
		{"soft_delete.keyless", nil, mysql.SoftDelete},
		{"append", []int{0}, mysql.Append},
	}
	for _, c := range cases {
		for _, dialect := range []string{"mysql", "mariadb"} {
			t.Run(c.name+"."+dialect, func(t *testing.T) {
				t.Parallel()
				tab := goldenTable(c.key...)
				g := mysql.Golden{Table: tab, Columns: goldenColumns(), Mode: c.mode, MariaDB: dialect == "mariadb", Changes: goldenChanges(tab)}
				got, err := g.Statements()
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join("testdata", c.name+"."+dialect+".sql")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs (-update writes it):\n%s", file, got)
				}
			})
		}
	}
}

// TestWritingAllocates holds the making of statements to allocations a call, not a row.
func TestWritingAllocates(t *testing.T) {
	tab := goldenTable(0)
	g := mysql.Golden{Table: tab, Columns: goldenColumns(), Mode: mysql.Upsert}
	for id := range int64(2000) {
		g.Changes = append(g.Changes, at(tab, 1, change.Insert, change.Int(id), change.Text("new"), change.Decimal("1.50"), change.JSON(`{"a": 1}`), change.Value{}, change.Instant(1)))
	}
	write, err := g.Write()
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := write(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 300 {
		t.Errorf("%d rows take %.0f allocations, want 300 at most", len(g.Changes), allocs)
	}
}

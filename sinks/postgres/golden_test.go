package postgres_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

var update = flag.Bool("update", false, "write the golden files")

// TestStatements compares the SQL of each case with testdata/NAME.sql.
func TestStatements(t *testing.T) {
	t.Parallel()
	shape := func(key ...int) *change.Table {
		return &change.Table{Source: "shop", Engine: "mysql", Schema: "db", Name: `or"ders`, Key: key, Columns: []change.Column{
			{Name: "id", Native: "bigint unsigned", Kind: change.KindUint, Bits: 64},
			{Name: "status", Native: "varchar(20)", Kind: change.KindText, Length: 20, Nullable: true},
			{Name: "amount", Native: "decimal(12,2)", Kind: change.KindDecimal, Precision: 12, Scale: 2, Nullable: true},
			{Name: "doc", Native: "json", Kind: change.KindJSON, Nullable: true},
			{Name: "total", Native: "int", Kind: change.KindInt, Bits: 32, Generated: true, Nullable: true},
		}}
	}
	columns := []postgres.TargetColumn{
		{Name: "id", Bare: "numeric", Declared: "numeric(20,0)", Type: 1700, Typmod: 20<<16 + 4},
		{Name: "status", Bare: "character varying", Declared: "character varying(20)", Type: 1043, Typmod: 24},
		{Name: "amount", Bare: "numeric", Declared: "numeric(12,2)", Type: 1700, Typmod: 12<<16 + 2 + 4},
		{Name: "doc", Bare: "json", Declared: "json", Type: 114, Typmod: -1},
		{Name: "total", Bare: "integer", Declared: "integer", Type: 23, Typmod: -1, Generated: true},
	}
	identity := append([]postgres.TargetColumn(nil), columns...)
	identity[0] = postgres.TargetColumn{Name: "id", Bare: "bigint", Declared: "bigint", Type: 20, Typmod: -1, Identity: true}
	cases := []struct {
		name    string
		table   *change.Table
		columns []postgres.TargetColumn
		mode    postgres.Mode
	}{
		{"upsert", shape(0), columns, postgres.Upsert},
		{"upsert.two_keys", shape(1, 0), columns, postgres.Upsert},
		{"upsert.identity", shape(0), identity, postgres.Upsert},
		{"upsert.keyless", shape(), columns, postgres.Upsert},
		{"soft_delete", shape(0), columns, postgres.SoftDelete},
		{"soft_delete.keyless", shape(), columns, postgres.SoftDelete},
		{"append", shape(0), columns, postgres.Append},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := postgres.Statements(c.table, c.columns, c.mode, []int{0, 1})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".sql")
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

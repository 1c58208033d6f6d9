package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestNamesThatDifferInCase: the catalogue, which compares names without case, takes no table for another.
func TestNamesThatDifferInCase(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table plain (id int primary key, v json); create table Plain (id int primary key, v longtext); create table PLAIN (v int unsigned, id bigint primary key)")
		s := startTail(t, my, config(t, my))
		my.Exec("insert into plain values (1, '{}'); insert into Plain values (2, '{}'); insert into PLAIN values (3, 4)")
		s.want("new_shape plain", `insert plain + 1 "{}"`, "new_shape Plain", `insert Plain + 2 "{}"`, "new_shape PLAIN", "insert PLAIN + 3 4")
		if a, b := s.all[1].Table.Columns[1].Kind.String(), s.all[3].Table.Columns[1].Kind.String(); a != "json" || b != "text" {
			t.Errorf("columns of kind %s and %s", a, b)
		}
	})
}

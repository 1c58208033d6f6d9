package mysql_test

import (
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// TestRefusedTypes: what can't be carried stops the source by name.
func TestRefusedTypes(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, r := range typetable.MySQLRefusals() {
			if !slices.Contains(r.Only, my.Name) {
				continue
			}
			my.Exec("create table if not exists before_it (id int primary key); " + r.Setup)
			s := startTail(t, my, config(t, my))
			my.Exec(r.SQL)
			s.halts(change.ErrHalt, r.Names...)
		}
	})
}

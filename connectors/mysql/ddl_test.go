package mysql

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestAlterIgnore: MariaDB takes rows away that don't fit a new unique key, without a word in the log; they go at the target too.
func TestAlterIgnore(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		if !my.MariaDB {
			return // MySQL has no such statement any more
		}
		my.Exec("create table a (id int primary key, v int)")
		my.Exec("insert into a values (1, 1), (2, 1), (3, 2)")
		p := newPipe(t, my, "a")
		p.finish()
		my.Exec("alter ignore table a add unique key (v)")
		my.Exec("insert into a values (4, 4)")
		p.finish()
		p.compare()
	})
}

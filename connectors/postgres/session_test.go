package postgres

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTransactionTimeout: a table without a key is copied in one transaction, which takes as long as it does.
func TestTransactionTimeout(t *testing.T) {
	t.Parallel()
	const rows = 3000
	pg := testenv.Postgres(t, 18)
	pg.Exec("alter database " + pg.Database + " set transaction_timeout = '1s'")
	pg.Exec(fmt.Sprintf("create table wide (id int, v text storage external); insert into wide select i, repeat('x', 20000) from generate_series(1, %d) i", rows))
	c := newCopying(t, pg, SnapshotInitial)
	for len(c.got) < 2 { // its Truncate, and the first rows
		c.read()
	}
	begun := pg.Value("select clock_timestamp() + interval '1500 ms'")
	testenv.Wait(t, "the copy has taken longer", func() bool { return pg.Value("select clock_timestamp() > '"+begun+"'") == "t" })
	for len(c.got) < rows+1 {
		c.read()
	}
}

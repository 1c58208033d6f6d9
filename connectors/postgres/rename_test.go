package postgres_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRenamedTableComesWithItsRows: under its new name nobody has a table's rows, and what the stream brings of it are changes only. It
// stays in the publication, which goes by oid.
func TestRenamedTableComesWithItsRows(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key); insert into a values (1), (2)")
		c := config(t, pg)
		c.SnapshotMode = postgres.SnapshotInitial
		r := read(t, c, fresh)
		for len(r.got) < 2 {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
		}
		want(t, r.all(), "snapshot_row a + 1", "snapshot_row a + 2")
		pg.Exec("alter table a rename to b")
		for rows := 0; rows < 2; rows = strings.Count(lines(r.got), change.SnapshotRow.String()+" b") {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
		}
		want(t, r.all(), "snapshot_row b + 1", "snapshot_row b + 2")
	})
}

package postgres_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSnapshotRowBytes: a row that the stream would halt on, a snapshot halts on as well.
func TestSnapshotRowBytes(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for table, parts := range map[string][]string{
			"create table a (id int primary key, b bytea, v text)": {"public.a", `id="7"`, "200001 bytes"},
			"create table a (id int, b bytea, v text)":             {"public.a", "200001 bytes"},
		} {
			pg.Exec("drop table if exists a")
			pg.Exec(table)
			pg.Exec(`insert into a values (6, decode(repeat('00', 90000), 'hex'), '')`)
			c := config(t, pg)
			c.SnapshotMode, c.MaxRowBytes = postgres.SnapshotInitial, 100_000
			pg.Exec("insert into a values (7, null, repeat('x', 200000))")
			r := read(t, c, fresh)
			wantError(t, r.failure(), change.ErrHalt, append(parts, "limit 100000")...)
			r.close()
			pg.Exec("select pg_drop_replication_slot($1)", c.Slot.Name)
			pg.Exec(`drop publication "Pub"`)
		}
	})
}

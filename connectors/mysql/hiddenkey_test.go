package mysql

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSnapshotOfHiddenKey: the key that MySQL makes of its own, which a server may hide from its catalogue though the log has it.
func TestSnapshotOfHiddenKey(t *testing.T) {
	t.Parallel()
	for _, metadata := range []string{"FULL", "MINIMAL"} {
		t.Run(metadata, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, "mysql97", testenv.Options{Settings: []string{"sql_generate_invisible_primary_key=ON",
				"show_gipk_in_create_table_and_information_schema=OFF", "binlog_row_metadata=" + metadata}})
			s.Exec("create table a (v int); insert into a values (1), (1), (2)")
			p := newPipe(t, s.My, "a")
			p.finish()
			s.Exec("insert into a values (3); update a set v = 4 where v = 1 limit 1; delete from a where v = 2")
			p.finish()
			p.compare()
			s.Exec("alter table a add w int; insert into a values (5, 5)")
			p.finish()
			if len(p.target.keyed[s.Database+".a"]) != 4 {
				t.Errorf("the rows have no key, or lack one: %v", p.target.rows(s.Database+".a"))
			}
		})
	}
}

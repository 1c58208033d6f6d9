package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestLabels: no catalogue has the labels of an ENUM or SET that lie beyond three bytes of UTF-8, so such a column is text to the log and to a snapshot
// alike, whichever comes first; any other's type is as the catalogue writes it.
func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, e enum('日','😀','it''s','b\\\\c','n\\n') character set utf8mb4, s set('x','😀') character set utf8mb4, p enum('it''s','b\\\\c','n\\n'))")
		c := config(t, my)
		s := startTail(t, my, c)
		my.Exec("insert into a values (1, '😀', 'x,😀', 'it''s')")
		s.want("new_shape a", `insert a + 1 "😀" "x,😀" "it's"`)
		table := s.all[0].Table
		for at, want := range map[int]string{1: "varchar(4)", 2: "varchar(3)",
			3: my.Value("select column_type from information_schema.columns where table_schema = database() and table_name = 'a' and column_name = 'p'")} {
			column := &table.Columns[at]
			if column.Native != want || (column.Enum != nil) != (at == 3) {
				t.Errorf("column %+v, want %s", column, want)
			}
		}
		s.stop()
		my.Exec("insert into a values (2, '日', '', 'it''s')")
		s.config.SnapshotMode = mysql.SnapshotInitial
		s.start()
		for rows := 0; rows < 2; {
			b, err := s.source.Read(t.Context(), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Changes {
				if b.Changes[i].Op == change.SnapshotRow {
					rows++
					if got, err := change.Fingerprint(b.Changes[i].Table); err != nil || got != fingerprint(t, table) {
						t.Errorf("the snapshot's shape is %+v, the stream's %+v", b.Changes[i].Table.Columns, table.Columns)
					}
				}
			}
		}
	})
}

func fingerprint(t *testing.T, table *change.Table) string {
	t.Helper()
	print, err := change.Fingerprint(table)
	if err != nil {
		t.Fatal(err)
	}
	return print
}

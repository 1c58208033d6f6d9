package mysql_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestColumnsNotGranted: a table of which the user may not read every column is named by doctor and halts, in a snapshot and in the stream: the catalogue shows the granted ones only.
func TestColumnsNotGranted(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table o (id int primary key, v int, w int); insert into o values (1, 2, 3); create table p (id int primary key)")
		for _, right := range []string{"select (id, v) on o", "insert on o"} {
			user, password := my.User("replication slave on *.*", "replication client on *.*", "lock tables", "select on "+my.Database+".p", "select (id) on "+my.Database+".p")
			my.Exec("grant " + right + " to " + user)
			c := configAs(t, my, user, password)
			found := mysql.Doctor(t.Context(), c)
			if !slices.ContainsFunc(found, func(f preflight.Finding) bool {
				return strings.HasSuffix(f.Check, ".tables") && f.Severity == preflight.Error && strings.Contains(f.Summary, "table "+my.Database+".o: the user lacks SELECT")
			}) {
				t.Errorf("%s: doctor finds %+v", right, found)
			}
			if slices.ContainsFunc(found, func(f preflight.Finding) bool {
				return strings.Contains(f.Summary, my.Database+".p") && f.Severity == preflight.Error
			}) {
				t.Errorf("%s: doctor finds %+v", right, found)
			}
			s := startTail(t, my, c)
			my.Exec("insert into o values (2, 3, 4); delete from o where id = 2")
			s.halts(change.ErrHalt, my.Database+".o", "GRANT SELECT ON")
			s.stop()
			c.SnapshotMode = mysql.SnapshotInitial
			s = startTail(t, my, c)
			var err error
			for range 10 { // batches without a change come first
				if _, err = s.source.Read(t.Context(), 64<<10); err != nil {
					break
				}
			}
			if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), my.Database+".o: the user lacks SELECT") {
				t.Errorf("%s: the snapshot ends with %v", right, err)
			}
			s.stop()
		}
	})
}

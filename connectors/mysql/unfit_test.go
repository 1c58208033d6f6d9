package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// foreignRows makes tables whose rows can't be captured, and returns those and what is said of each.
func foreignRows(my *testenv.My) map[string]string {
	my.Exec("create table y (id int primary key) engine = myisam; create table x (id int primary key) engine = myisam;" +
		"create table m (id int primary key) engine = merge union = (y) insert_method = last; create table o (id int primary key);" +
		"create table f (id int not null) engine = csv")
	said := map[string]string{"m": ", so its rows can't be captured"}
	if !my.MariaDB {
		my.Exec("create table bh (id int primary key) engine = blackhole")
		said["bh"] = "BLACKHOLE, so its rows can't be captured"
	}
	return said
}

// refusedTables opens a source and asks doctor, and wants both to name a table.
func refusedTables(t *testing.T, c mysql.Config, table, says string) {
	t.Helper()
	_, err := mysql.Open(c)(t.Context(), connectors.Start{Epoch: 1})
	if !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), table) || !strings.Contains(err.Error(), says) {
		t.Errorf("opened with %s: %v", table, err)
	}
	for _, f := range mysql.Doctor(t.Context(), c) {
		if strings.HasSuffix(f.Check, ".tables") && f.Severity == preflight.Error && strings.Contains(f.Summary, table) && strings.Contains(f.Summary, says) {
			return
		}
	}
	t.Errorf("doctor says nothing of %s", table)
}

// TestForeignRows: tables whose engines keep no rows, or share those of other tables, are refused: the log doesn't have what becomes of them.
func TestForeignRows(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		said := foreignRows(my)
		c := config(t, my)
		for table, says := range said {
			c.Include, c.Exclude = []string{my.Database + "." + table}, nil
			refusedTables(t, c, my.Database+"."+table, says)
		}
		c.Include, c.Exclude = []string{my.Database + ".y"}, nil
		refusedTables(t, c, my.Database+".y", my.Database+".m: what is changed through a MERGE table")
		c.Include = []string{my.Database + ".x", my.Database + ".o", my.Database + ".f"}
		s := startTail(t, my, c)
		my.Exec("insert into x values (1); insert into o values (2); insert into f values (3)")
		s.want("new_shape x", "insert x + 1", "new_shape o", "insert o + 2", "new_shape f", "insert f + 3")
		s.stop()
	})
}

// TestForeignRowsLater: a table that becomes one while the source runs halts it, with and without snapshots.
func TestForeignRowsLater(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		statement, says := "create table z (id int primary key) engine = merge union = (y) insert_method = last", "MRG_MyISAM"
		if !my.MariaDB {
			statement, says = "alter table z engine = blackhole", "BLACKHOLE"
		}
		my.Exec("create table y (id int primary key) engine = myisam; create table o (id int primary key)")
		for _, mode := range []mysql.SnapshotMode{mysql.SnapshotInitial, mysql.SnapshotNever} {
			my.Exec("drop table if exists z; delete from y")
			if !my.MariaDB {
				my.Exec("create table z (id int primary key)")
			}
			c := config(t, my)
			c.SnapshotMode, c.Include = mode, []string{my.Database + ".z", my.Database + ".o*"}
			if my.MariaDB {
				c.Include[0] = my.Database + ".z*"
			}
			s := startTail(t, my, c)
			my.Exec(statement + "; insert into z values (7)")
			s.halts(change.ErrHalt, my.Database+".z", says)
			s.stop()
		}
	})
}

// TestViewsAndSequences: neither has rows in the log that are a table's. Included by name both are named for what they are; the states of a sequence that a pattern takes are left
// out, and those of a table that looks like one aren't.
func TestViewsAndSequences(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table o (id int primary key); create view v as select * from o")
		c := config(t, my)
		c.Include = []string{my.Database + ".v"}
		refusedTables(t, c, my.Database+".v", "it is a view")
		if !my.MariaDB {
			return
		}
		my.Exec("create sequence q")
		c.Include = []string{my.Database + ".q"}
		refusedTables(t, c, my.Database+".q", "it is a sequence")
		c.Include = []string{my.Database + ".*"}
		s := startTail(t, my, c)
		my.Exec("do nextval(q); create table copied as select * from q; insert into o values (1); create sequence p engine = myisam; do nextval(p); alter sequence q cache 5; do nextval(q)")
		my.Exec("insert into o values (2)")
		s.want("new_shape copied", "insert copied + 1001 1 9223372036854775806 1 1 1000 0 0", "new_shape o", "insert o + 1", "insert o + 2")
		s.stop()
		my.Exec("do nextval(q); drop sequence q; insert into o values (3)")
		s.start()
		s.want("new_shape o", "insert o + 3")
		s.stop()
	})
}

package mysql_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestGeneratedColumns: MySQL's log carries them; MariaDB's may leave them out of a row, so they are none of the table's columns there. A
// column that the server makes for itself (a UNIQUE on a long text in MariaDB) shifts nobody else's value.
func TestGeneratedColumns(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, n int, twice int as (n * 2) stored, v varchar(20), thrice int as (n * 3) virtual, w int)")
		long := "create table l (id int primary key, body text, w int"
		if my.MariaDB {
			long += ", unique key (body)"
		}
		my.Exec(long + ")")
		my.Exec("insert into a (id, n, v, w) values (1, 10, 'x', 7)")
		c := config(t, my)
		c.SnapshotMode = mysql.SnapshotInitial
		s := startTail(t, my, c)
		snapshot := s.snapshot()
		if want := map[bool]string{true: `snapshot_row a + 1 10 "x" 7`, false: `snapshot_row a + 1 10 20 "x" 30 7`}[my.MariaDB]; !slices.Contains(snapshot, want) {
			t.Errorf("the snapshot is %q, want %s in it", snapshot, want)
		}
		my.Exec("insert into a (id, n, v, w) values (2, 20, 'y', 8); update a set n = 21 where id = 2; delete from a where id = 1")
		my.Exec("insert into l values (1, 'long', 9); update l set w = 10")
		if my.MariaDB {
			s.want(`insert a + 2 20 "y" 8`, `update a - 2 20 "y" 8 + 2 21 "y" 8`, `delete a - 1 10 "x" 7`,
				"new_shape l", `insert l + 1 "long" 9`, `update l - 1 "long" 9 + 1 "long" 10`)
		} else {
			s.want(`insert a + 2 20 40 "y" 60 8`, `update a - 2 20 40 "y" 60 8 + 2 21 42 "y" 63 8`, `delete a - 1 10 20 "x" 30 7`,
				"new_shape l", `insert l + 1 "long" 9`, `update l - 1 "long" 9 + 1 "long" 10`)
		}
		for _, c := range s.all {
			if row := c.Row(); row != nil && len(row) != len(c.Table.Columns) {
				t.Errorf("%s: %d values of %d columns", line(&c), len(row), len(c.Table.Columns))
			}
		}
	})
}

// TestSystemVersioning: the log of such a table holds its history as rows, which can't be told from rows.
func TestSystemVersioning(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.MySQL(t, name)
			my.Exec("create table o (id int primary key)")
			s := startTail(t, my, config(t, my))
			my.Exec("create table h (id int primary key, v int) with system versioning")
			my.Exec("insert into h values (1, 1); update h set v = 2")
			s.halts(change.ErrHalt, "SYSTEM VERSIONING", my.Database+".h")
			s.stop()
			var err error
			testenv.Wait(t, "the lock", func() bool {
				_, err = mysql.Open(s.config)(t.Context(), connectors.Start{Epoch: 1})
				return !errors.Is(err, change.ErrBusy)
			})
			if !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), my.Database+".h: it is WITH SYSTEM VERSIONING") {
				t.Errorf("opened where it is there already: %v", err)
			}
		})
	}
}

// snapshot reads until the snapshot is done and returns what has come, a line each.
func (s *tail) snapshot() []string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var out []string
	pending := func(p connectors.Progress) bool { return !p.Done }
	for slices.ContainsFunc(s.source.(connectors.Snapshotter).Progress(), pending) {
		b, err := s.source.Read(ctx, 64<<10)
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range b.Changes {
			out = append(out, line(&b.Changes[i]))
		}
		s.upto = b.Upto
	}
	return out
}

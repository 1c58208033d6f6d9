package mysql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

const zeroTable = "create table a (id int primary key, d date not null, t0 datetime, t6 datetime(6) not null, s timestamp(3) not null, x int); " +
	"create table k (d date primary key, x int); create table n (d date not null)"

// zeroRows are zero, partial and invalid dates, beside good ones.
var zeroRows = []string{
	"insert into a values (1, '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', 1)",
	"insert into a values (2, '2024-00-10', '2024-02-00 10:11:12', '0000-01-01 00:00:00.000001', '2024-01-01 00:00:00.5', 2)",
	"insert into a values (3, '2023-02-31', '2023-02-31 01:02:03', '2024-01-01 00:00:00.25', '2024-01-01 00:00:00', 3)",
	"insert into n values ('0000-00-00')",
}

// TestZeroDates: each policy does the same to rows of the snapshot and of the log.
func TestZeroDates(t *testing.T) {
	want := map[mysql.ZeroDates][]string{
		mysql.ZeroLossless: {
			`a + 1 "0000-00-00" "0000-00-00 00:00:00" "0000-00-00 00:00:00.000000" "0000-00-00 00:00:00.000" 1`,
			`a + 2 "2024-00-10" "2024-02-00 10:11:12" "0000-01-01T00:00:00.000001" "2024-01-01T00:00:00.500Z" 2`,
			`a + 3 "2023-02-31" "2023-02-31 01:02:03" "2024-01-01T00:00:00.250000" "2024-01-01T00:00:00.000Z" 3`,
			`n + "0000-00-00"`,
		},
		mysql.ZeroNull: {
			`a + 1 null null null null 1`,
			`a + 2 null null "0000-01-01T00:00:00.000001" "2024-01-01T00:00:00.500Z" 2`,
			`a + 3 null null "2024-01-01T00:00:00.250000" "2024-01-01T00:00:00.000Z" 3`,
			`n + null`,
		},
	}
	each(t, func(t *testing.T, my *testenv.My) {
		for policy, rows := range want {
			my.Exec("drop table if exists a, k, n")
			my.Exec(zeroTable)
			my.Exec("set sql_mode = 'ALLOW_INVALID_DATES'")
			for _, sql := range zeroRows {
				my.Exec(sql)
			}
			c := config(t, my)
			c.SnapshotMode, c.ZeroDates = mysql.SnapshotInitial, policy
			s := &tail{t: t, my: my, config: c, source: opened(t, c, connectors.Start{Epoch: 1}).Source}
			got := s.take(len(rows))
			my.Exec("truncate a; truncate n")
			for _, sql := range zeroRows {
				my.Exec(sql)
			}
			got = append(got, s.take(len(rows))...)
			for i, row := range append(rows, rows...) {
				if _, after, _ := strings.Cut(got[i], " "); after != row {
					t.Errorf("%s: %s, want %s", policy, got[i], row)
				}
			}
			for _, column := range s.all[len(s.all)-2].Table.Columns {
				if policy == mysql.ZeroNull && strings.Contains("d t0 t6 s", column.Name) && !column.Nullable {
					t.Errorf("column %s can't be NULL", column.Name)
				}
			}
			s.stop()
		}
	})
}

// take reads until n rows have come, in the order of their tables and keys.
func (s *tail) take(n int) []string {
	s.t.Helper()
	var rows []string
	for len(rows) < n {
		b, err := s.source.Read(s.t.Context(), 64<<10)
		if err != nil {
			s.t.Fatalf("%v; %q", err, rows)
		}
		for i := range b.Changes {
			if c := &b.Changes[i]; c.Op == change.Insert || c.Op == change.SnapshotRow {
				s.all = append(s.all, *c)
				rows = append(rows, line(c))
			}
		}
	}
	return rows
}

// TestZeroDatesHalt: a row that a policy doesn't take is named, in the snapshot and in the log.
func TestZeroDatesHalt(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("set sql_mode = ''")
		for i, c := range []struct {
			policy mysql.ZeroDates
			sql    string
			parts  []string
		}{
			{mysql.ZeroError, "insert into a values (7, '2024-01-01', null, '2024-01-01', '0000-00-00', 1)", []string{".a", `{"id":7}`, "column s", "0000-00-00 00:00:00.000", "zero_dates"}},
			{mysql.ZeroNull, "insert into k values ('0000-00-00', 1)", []string{".k", "column d", "a key can't be NULL", "lossless"}},
		} {
			for _, mode := range []mysql.SnapshotMode{mysql.SnapshotInitial, mysql.SnapshotNever} {
				my.Exec("drop table if exists a, k, n")
				my.Exec(zeroTable)
				config := config(t, my)
				config.SourceID, config.ZeroDates, config.SnapshotMode = fmt.Sprint(my.Database, i, mode), c.policy, mode
				if mode == mysql.SnapshotInitial {
					my.Exec(c.sql)
				}
				s := startTail(t, my, config)
				if mode == mysql.SnapshotNever {
					my.Exec(c.sql)
				}
				s.fails(change.ErrHalt, c.parts...)
				s.stop()
			}
		}
	})
}

// fails reads until that error comes.
func (s *tail) fails(want error, parts ...string) {
	s.t.Helper()
	for {
		_, err := s.source.Read(s.t.Context(), 64<<10)
		if err == nil {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				s.t.Errorf("%v doesn't name %q", err, part)
			}
		}
		if !errors.Is(err, want) {
			s.t.Errorf("%v, want %v", err, want)
		}
		return
	}
}

package mysql_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestStatementsFollowed: where the catalogue is of later, rows have what each statement made of the table before, from every place that a process
// may have been killed at.
func TestStatementsFollowed(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		s := fresh(t, my, "create table a (id int primary key, v int, w int)")
		s.stop()
		place := savedPlace{s.resume, s.upto}
		my.Exec("insert into a values (1, 10, 20); alter table a add x int unsigned first, add index i (v)")
		my.Exec("insert into a values (4294967295, 2, 11, 21); alter table a rename column v to w, rename column w to v; insert into a values (7, 3, 12, 22)")
		my.Exec("alter table a drop x, modify w bigint unsigned after v; insert into a values (4, 23, 18446744073709551615); create index j on a (w); insert into a values (5, 1, 2)")
		my.Exec("alter table a change id key_ bigint; insert into a values (6, 1, 2); truncate a; alter table a add v2 int; insert into a values (7, 1, 2, 3)")
		if my.MariaDB {
			my.Exec("set session binlog_alter_two_phase = 1")
		}
		my.Exec("alter table a rename column v2 to v3, drop v; insert into a values (8, 2, 3)")
		want := []string{"id:1 v:10 w:20", "x:4294967295 id:2 v:11 w:21", "x:7 id:3 w:12 v:22", "id:4 v:23 w:18446744073709551615", "id:5 v:1 w:2", "key_:6 v:1 w:2", "truncate",
			"key_:7 v:1 w:2 v2:3", "key_:8 w:2 v3:3"}
		for n := 0; ; n++ {
			places, got, err := readFrom(t, s.config, place)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("from place %d: %q, %v\nwant %q", n, got, err, want)
			}
			if len(got) == 0 {
				return
			}
			place = places[0]
			want = want[1:]
		}
	})
}

type savedPlace struct {
	resume change.Resume
	upto   change.Position
}

// readFrom reads to the log's end and returns each row with the names of its columns, and the place behind it.
func readFrom(t *testing.T, c mysql.Config, from savedPlace) (places []savedPlace, rows []string, err error) {
	t.Helper()
	s := &tail{t: t, config: c, resume: from.resume, upto: from.upto}
	s.start()
	defer s.stop()
	head, err := s.source.Head(t.Context())
	for err == nil && s.upto.Less(head) {
		var b change.Batch
		if b, err = s.source.Read(t.Context(), 1); err != nil {
			break
		}
		for i := range b.Changes {
			if ch := &b.Changes[i]; ch.Op != change.NewShape {
				rows, places = append(rows, named(ch)), append(places, savedPlace{})
			}
		}
		s.upto, s.resume = b.Upto, b.Resume
		for i := range places {
			if places[i].resume == "" && len(rows) == i+1 {
				places[i] = savedPlace{b.Resume, b.Upto}
			}
		}
	}
	return places, rows, err
}

func named(c *change.Change) string {
	if c.Op == change.Truncate {
		return "truncate"
	}
	var out []string
	for i, v := range c.Row() {
		text := v.Str()
		if v.Kind() != change.KindBytes {
			text = string(change.AppendText(nil, &c.Table.Columns[i], v))
		}
		out = append(out, c.Table.Columns[i].Name+":"+text)
	}
	return strings.Join(out, " ")
}

// TestRandomStatementsByPosition alters a table at random, with a row after each statement, and reads it all as a backlog: rows are what they
// were, or it halts.
func TestRandomStatementsByPosition(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		random := rand.New(rand.NewPCG(7, 9))
		whole := 0
		for round := range 12 {
			s := fresh(t, my, "create table a (id int primary key, c1 int, c2 bigint unsigned, c3 varchar(20))")
			s.stop()
			var want []string
			for n := range 8 {
				for my.Do(t.Context(), "alter table a "+randomAlter(random)) != nil {
				}
				want = append(want, insertNumbered(t, my, 100*round+n))
			}
			_, got, err := readFrom(t, s.config, savedPlace{s.resume, s.upto})
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("round %d: %q, want %q", round, got, want)
			}
			if err == nil && len(got) == len(want) {
				whole++
			} else if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("round %d: %q, %v", round, got, err)
			}
		}
		t.Logf("%d of 12 backlogs were read whole", whole)
		if whole < 3 {
			t.Errorf("only %d of 12 backlogs were read whole", whole)
		}
	})
}

var randomTypes = []string{"int", "int unsigned", "bigint unsigned", "smallint", "varchar(20)", "decimal(20,0)", "varbinary(30)", "text", "varchar(20) character set latin1"}

func randomAlter(random *rand.Rand) string {
	column := func() string { return fmt.Sprintf("c%d", 1+random.IntN(6)) }
	var specs []string
	for range 1 + random.IntN(3) {
		place := []string{"", "", " first", " after " + column()}[random.IntN(4)]
		typ := randomTypes[random.IntN(len(randomTypes))]
		specs = append(specs, []string{"add " + column() + " " + typ + place, "drop " + column(), "modify " + column() + " " + typ + place,
			"change " + column() + " " + column() + " " + typ + place, "rename column " + column() + " to " + column(), "add index (id)"}[random.IntN(6)])
	}
	return strings.Join(specs, ", ")
}

// insertNumbered adds a row of which each column has a value of its own, and returns it as named does.
func insertNumbered(t *testing.T, my *testenv.My, id int) string {
	t.Helper()
	var columns, values, out []string
	for i, row := range my.Query("select column_name from information_schema.columns where table_schema = 'test' and table_name = 'a' order by ordinal_position") {
		value := fmt.Sprint(i + 11)
		if row[0] == "id" {
			value = fmt.Sprint(id + 1)
		}
		columns, values = append(columns, row[0]), append(values, value)
	}
	my.Exec("insert into a (" + strings.Join(columns, ", ") + ") values (" + strings.Join(values, ", ") + ")")
	row := my.Query("select * from a where id = " + fmt.Sprint(id+1))[0]
	for i, name := range columns {
		out = append(out, name+":"+row[i])
	}
	return strings.Join(out, " ")
}

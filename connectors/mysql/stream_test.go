package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// tail reads one source's stream as text.
type tail struct {
	t      *testing.T
	my     *testenv.My
	config mysql.Config
	source connectors.Source
	upto   change.Position
	resume change.Resume
	all    []change.Change
	epoch  uint32 // of start, if not 1
}

func startTail(t *testing.T, my *testenv.My, c mysql.Config) *tail {
	t.Helper()
	s := &tail{t: t, my: my, config: c}
	s.start()
	return s
}

// stop ends the reading: what comes from here on is a backlog until start.
func (s *tail) stop() {
	s.t.Helper()
	if err := s.source.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// start reads on behind the last batch, as after a restart; the first time from the log's end.
func (s *tail) start() {
	s.t.Helper()
	testenv.Wait(s.t, "the lock", func() bool {
		o, err := mysql.Open(s.config)(s.t.Context(), connectors.Start{Epoch: max(1, s.epoch), Resume: s.resume, Upto: s.upto})
		if errors.Is(err, change.ErrBusy) {
			return false
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.source, s.resume, s.upto = o.Source, o.Resume, o.Upto
		s.t.Cleanup(func() { o.Source.Close() })
		return true
	})
}

// lines reads to the log's present end and returns what has come, a line each.
func (s *tail) lines() ([]string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	head, err := s.source.Head(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for s.upto.Less(head) {
		b, err := s.source.Read(ctx, 64<<10)
		if err != nil {
			return out, err
		}
		for i := range b.Changes {
			s.all = append(s.all, b.Changes[i])
			out = append(out, line(&b.Changes[i]))
		}
		s.upto, s.resume = b.Upto, b.Resume
	}
	return out, nil
}

func line(c *change.Change) string {
	s := c.Op.String() + " " + c.Table.Name
	for _, part := range []struct {
		mark string
		row  []change.Value
	}{{" -", c.Before}, {" +", c.After}} {
		if part.row == nil {
			continue
		}
		s += part.mark
		for i, v := range part.row {
			if v.IsUnset() {
				s += " ?"
			} else {
				s += " " + string(change.AppendJSON(nil, &c.Table.Columns[i], v))
			}
		}
	}
	return s
}

func (s *tail) want(lines ...string) {
	s.t.Helper()
	got, err := s.lines()
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		s.t.Fatalf("changes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// halts fails unless reading ends in ErrHalt, or wanted, for a reason that says each of parts.
func (s *tail) halts(wanted error, parts ...string) {
	s.t.Helper()
	got, err := s.lines()
	if !errors.Is(err, wanted) {
		s.t.Fatalf("%q, %v; want %v", got, err, wanted)
	}
	s.t.Logf("%v", err)
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			s.t.Errorf("%q doesn't name %q", err, part)
		}
	}
}

func TestStatementsOfTheLog(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(20)); create table b (id int primary key)")
		s := startTail(t, my, config(t, my))
		my.Exec("insert into a values (1, 'x')")
		my.Exec("alter table a add column n int default 7")
		my.Exec("insert into a (id, v) values (2, 'y')")
		my.Exec("alter table a drop column v, add column u int unsigned first")
		my.Exec("insert into a values (4294967295, 3, null)")
		my.Exec("create table c as select id from b") // no key
		my.Exec("insert into b values (1); create table d select id from b")
		my.Exec("/* a comment */ truncate /*! table */ `a`")
		my.Exec("rename table b to e, c to b")
		my.Exec("insert into b values (9); insert into e values (10)")
		my.Exec("create temporary table tmp (id int); insert into tmp values (1); drop temporary table tmp; create or replace view w as select 1")
		my.Exec("drop table d; create table d (x int primary key); insert into d values (5)")
		s.want("new_shape a", `insert a + 1 "x"`, "new_shape a", `insert a + 2 "y" 7`, "new_shape a", "insert a + 4294967295 3 null",
			"new_shape b", "insert b + 1", "new_shape d", "insert d + 1", "truncate a", "truncate b", "new_shape b", "insert b + 9",
			"new_shape e", "insert e + 10", "truncate d", "new_shape d", "insert d + 5")
	})
}

func TestRowImages(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(20), b text)")
		s := startTail(t, my, config(t, my))
		my.Exec("insert into a values (1, 'x', 'large')")
		my.Exec("set session binlog_row_image = minimal")
		my.Exec("update a set v = 'y'")
		my.Exec("set session binlog_row_image = noblob")
		my.Exec("update a set v = 'z'")
		s.want("new_shape a", `insert a + 1 "x" "large"`, `update a - 1 ? ? + 1 "y" ?`, `update a - 1 "y" ? + 1 "z" ?`)
		my.Exec("set session binlog_row_image = minimal")
		my.Exec("update a set id = 2")
		s.halts(change.ErrHalt, my.Database+".a", "column v", "binlog_row_image = FULL")
	})
}

// TestKeys: the primary key, else the first unique key without NULL, else none; and a key whose text changes in case only.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table u (a int, b int not null, c int not null, unique key x (a), unique key y (b, c)); " +
			"create table n (a int, b int); create table ci (k varchar(10) primary key)")
		s := startTail(t, my, config(t, my))
		my.Exec("insert into u values (1, 2, 3); update u set a = 5; update u set c = 4")
		my.Exec("insert into n values (1, 1); update n set b = 2")
		my.Exec("insert into ci values ('a'); update ci set k = 'A'")
		s.want("new_shape u", "insert u + 1 2 3", "update u - 1 2 3 + 5 2 3", "delete u - 5 2 3", "insert u + 5 2 4",
			"new_shape n", "insert n + 1 1", "delete n - 1 1", "insert n + 1 2", "new_shape ci", `insert ci + "a"`, `delete ci - "a"`, `insert ci + "A"`)
		if key := fmt.Sprint(s.all[1].Table.Key); key != "[1 2]" {
			t.Errorf("key of u: %s", key)
		}
		lane := func(c *change.Change) string {
			b, err := change.AppendLaneKey(nil, c.Table, c.Row())
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if n := len(s.all); lane(&s.all[n-1]) != lane(&s.all[n-2]) {
			t.Errorf("lanes %s and %s of one key", lane(&s.all[n-1]), lane(&s.all[n-2]))
		}
	})
}

// TestLargeGroups spools a group above the memory share, and leaves nothing behind.
func TestLargeGroups(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(2000))")
		c := config(t, my)
		s := startTail(t, my, c)
		const rows = 1000
		my.Exec("begin")
		for i := range rows {
			my.Exec(fmt.Sprintf("insert into a values (%d, repeat('x', 2000))", i))
		}
		my.Exec("commit")
		got, err := s.lines()
		if err != nil || len(got) != rows+1 {
			t.Fatalf("%d changes, %v", len(got), err)
		}
		if left, err := os.ReadDir(c.SpoolDir); err != nil || len(left) > 0 {
			t.Errorf("the spool holds %v, %v", left, err)
		}
		for i := 1; i < len(s.all); i++ {
			if !s.all[i-1].Pos.Less(s.all[i].Pos) {
				t.Fatalf("%s after %s", s.all[i].Pos, s.all[i-1].Pos)
			}
		}
	})
}

// TestMixedEngines: rows that a ROLLBACK can't take back stay, and stand by themselves in the log. GTIDs forbid such statements on MySQL.
func TestMixedEngines(t *testing.T) {
	run := func(t *testing.T, my *testenv.My, c mysql.Config) {
		my.Exec("create table a (id int primary key); create table m (id int) engine = myisam")
		my.Exec("create trigger both_kinds after insert on a for each row insert into m values (new.id); select sleep(1.1)") // engine.go counts seconds
		s := startTail(t, my, c)
		my.Exec("begin; insert into a values (1); savepoint s; insert into a values (2); rollback to savepoint s; insert into a values (3); commit")
		my.Exec("begin; insert into a values (4); rollback")
		got, err := s.lines()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(got, "\n")
		for id, wanted := range map[int]bool{1: true, 2: false, 3: true, 4: false} {
			if strings.Contains(text, fmt.Sprintf("insert a + %d", id)) != wanted || !strings.Contains(text, fmt.Sprintf("insert m + %d", id)) {
				t.Errorf("row %d in\n%s", id, text)
			}
		}
	}
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "mysql97" {
				s := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"gtid-mode=OFF", "enforce-gtid-consistency=OFF"}})
				run(t, s.My, configAs(t, s.My, "root", ""))
				return
			}
			my := testenv.MySQL(t, name)
			run(t, my, config(t, my))
		})
	}
}

func TestRefusedEvents(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, j json); create table b (id int primary key); insert into a values (1, '{\"k\": 1}')")
		cases := map[string]struct {
			sql   string
			parts []string
		}{
			"partition": {"create table p (id int primary key) partition by hash (id) partitions 2; alter table p truncate partition p0", []string{".p", "snapshot"}},
		}
		if !my.MariaDB {
			cases["partial json"] = struct {
				sql   string
				parts []string
			}{"set session binlog_row_value_options = partial_json; update a set j = json_set(j, '$.k', 2)", []string{"binlog_row_value_options"}}
		}
		for name, c := range cases {
			s := startTail(t, my, config(t, my))
			my.Exec(c.sql)
			t.Log(name)
			s.halts(change.ErrHalt, c.parts...)
			if name == "partial json" {
				my.Exec("set session binlog_row_value_options = ''")
			}
			s.source.Close()
		}
	})
}

func TestCompressedTransactions(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(2000))")
		c := config(t, my)
		s := startTail(t, my, c)
		if my.MariaDB {
			my.Exec("set global log_bin_compress = on")
			defer my.Exec("set global log_bin_compress = off")
		} else {
			my.Exec("set session binlog_transaction_compression = on")
		}
		my.Exec("insert into a values (1, repeat('x', 2000)); begin; insert into a values (2, repeat('x', 2000)); insert into a values (3, repeat('x', 2000)); update a set v = 'y' where id > 1; commit; truncate table a")
		got, err := s.lines()
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], strings.Repeat("x", 2000), "X")
		}
		text := strings.Join(got, "\n")
		if want := "new_shape a\n" + `insert a + 1 "X"` + "\n" + `insert a + 2 "X"` + "\n" + `insert a + 3 "X"` + "\n" + `update a - 2 "X" + 2 "y"` + "\n" +
			`update a - 3 "X" + 3 "y"` + "\ntruncate a"; text != want {
			t.Fatalf("changes\n%s\nwant\n%s", text, want)
		}
		for i := 1; i < len(s.all); i++ {
			if !s.all[i-1].Pos.Less(s.all[i].Pos) {
				t.Fatalf("%s after %s", s.all[i].Pos, s.all[i-1].Pos)
			}
		}
	})
}

// TestLargeRows: a row above the limit halts by table, key and size.
func TestLargeRows(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v longtext)")
		c := config(t, my)
		c.MaxRowBytes = 100 << 10
		s := startTail(t, my, c)
		my.Exec("insert into a values (1, repeat('x', 99000))")
		if _, err := s.lines(); err != nil {
			t.Fatal(err)
		}
		my.Exec("insert into a values (77, repeat('x', 110000))")
		s.halts(change.ErrHalt, my.Database+".a", `{"id":77}`, "110000")
	})
}

// TestNamesInOtherCharacterSets: a statement stands in the log as its client wrote it.
func TestNamesInOtherCharacterSets(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table `t\u00e4b` (id int primary key)")
		s := startTail(t, my, config(t, my))
		my.Exec("insert into `t\u00e4b` values (1)")
		my.Exec("truncate `t\u00e4b`")
		my.Exec("set names latin1")
		my.Exec("truncate table `t\xe4b`")
		my.Exec("set names cp1251")
		my.Exec("create table `\xff` (id int primary key)") // я
		my.Exec("insert into `\xff` values (1)")
		my.Exec("truncate table `\xff`")
		my.Exec("set names utf8mb4")
		s.want("new_shape t\u00e4b", "insert t\u00e4b + 1", "truncate t\u00e4b", "truncate t\u00e4b", "new_shape я", "insert я + 1", "truncate я")
	})
}

// TestFoldedNames: where the server writes names in lower case, a statement may write them in any.
func TestFoldedNames(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"lower-case-table-names=1"}, Born: []string{"lower-case-table-names=1"}})
			server.Exec("create table MyTable (id int primary key)")
			s := startTail(t, server.My, configAs(t, server.My, "root", ""))
			server.Exec("insert into MYTABLE values (1)")
			server.Exec("truncate table Test.MyTable")
			s.want("new_shape mytable", "insert mytable + 1", "truncate mytable")
		})
	}
}

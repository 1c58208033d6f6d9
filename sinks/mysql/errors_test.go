package mysql_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

func TestClassOfNumber(t *testing.T) {
	t.Parallel()
	cases := map[sinks.Class][]uint16{
		sinks.Retry:  {1205, 1213, 1020, 1040, 1053, 1290, 1836, 1792, 1114, 1317, 1146, 1054, 1364, 1927, 4031, 3101, 6, 28},
		sinks.Wait:   {1062, 1586, 1451, 1452, 1216, 1217, 1690},
		sinks.Reject: {1048, 1264, 1265, 1292, 1366, 1406, 3819, 4025, 3140, 1644, 1526},
		sinks.Fatal:  {1044, 1045, 1049, 1142, 1064, 1665},
	}
	for want, numbers := range cases {
		for _, n := range numbers {
			if got := mysql.ClassOfNumber(n, "HY000"); got != want {
				t.Errorf("%d is %s, want %s", n, got, want)
			}
		}
	}
	for state, want := range map[string]sinks.Class{"22001": sinks.Reject, "23000": sinks.Reject, "45000": sinks.Reject, "40001": sinks.Retry, "08S01": sinks.Retry,
		"42000": sinks.Fatal, "": sinks.Fatal} {
		if got := mysql.ClassOfNumber(9999, state); got != want {
			t.Errorf("an unknown number of %q is %s, want %s", state, got, want)
		}
	}
}

func TestOpenSaysWhy(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		user, password := my.User("SELECT ON " + my.Database + ".*")
		cases := []struct {
			name string
			set  func(*mysql.Config)
			want error
		}{
			{"nobody listens", func(c *mysql.Config) { c.URL = "mysql://root@127.0.0.1:1/x" }, change.ErrUnreachable},
			{"no such account", func(c *mysql.Config) { c.URL = strings.Replace(c.URL, "root", "nobody", 1) }, change.ErrDenied},
			{"wrong password", func(c *mysql.Config) {
				c.URL, c.Password = strings.Replace(c.URL, "root", user, 1), password+"x"
			}, change.ErrDenied},
			{"no right to create", func(c *mysql.Config) { c.URL, c.Password = strings.Replace(c.URL, "root", user, 1), password }, change.ErrDenied},
			{"no such database", func(c *mysql.Config) { c.URL += "_no_such" }, change.ErrDenied},
			{"no such schema", func(c *mysql.Config) { c.Schema = "no_such" }, change.ErrPreflight},
			{"no such mode", func(c *mysql.Config) { c.Mode = "merge" }, change.ErrPreflight},
			{"no url", func(c *mysql.Config) { c.URL = "mysql://%zz" }, change.ErrPreflight},
			{"another engine's url", func(c *mysql.Config) { c.URL = "postgres://x/y" }, change.ErrPreflight},
			{"parameters", func(c *mysql.Config) { c.URL += "?sql_mode=''" }, change.ErrPreflight},
			{"no database", func(c *mysql.Config) { c.URL = "mysql://root@" + my.Addr }, change.ErrPreflight},
			{"a long name", func(c *mysql.Config) { c.SinkName = strings.Repeat("x", 256) }, change.ErrPreflight},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				conf := config(my)
				c.set(&conf)
				if _, err := mysql.Open(t.Context(), conf, slog.New(slog.DiscardHandler)); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		}
	})
}

// TestGrants runs what Grants prints: an account with these rights and no more opens, creates and applies.
func TestGrants(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		user := my.Database + "'`"
		account := quote(user) + "@'%'"
		t.Cleanup(func() { my.Exec("drop user if exists " + account) })
		c := config(my)
		c.URL, c.Password = "mysql://"+strings.NewReplacer("'", "%27", "`", "%60").Replace(user)+"@"+my.Addr+"/"+my.Database, "secret"
		if _, err := mysql.Open(t.Context(), c, slog.New(slog.DiscardHandler)); !errors.Is(err, change.ErrDenied) {
			t.Fatalf("without grants: %v", err)
		}
		if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.Error {
			t.Errorf("the doctor finds nothing wrong without grants: %+v", f)
		}
		for _, creates := range []bool{true, false, true} {
			c.CreateTables = creates
			sql, err := mysql.Grants(c)
			if err != nil {
				t.Fatal(err)
			}
			my.Exec("drop user if exists " + account + ";" + sql)
			if _, err := mysql.Open(t.Context(), c, slog.New(slog.DiscardHandler)); !errors.Is(err, change.ErrDenied) {
				t.Fatalf("an account without a password: %v", err)
			}
			my.Exec("alter user " + account + " identified by 'secret' account unlock")
			if !creates {
				my.Exec("grant select, insert, update, delete on " + my.Database + ".t to " + account)
			}
			s := open(t, c)
			mustApply(t, s, at(table(), 1, change.Truncate), at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
			wantRows(t, my, "select id, a from t", "1|x")
			if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.OK {
				t.Errorf("create_tables %v: the doctor finds %+v", creates, f)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func worst(findings []preflight.Finding) preflight.Severity {
	out := preflight.OK
	for _, f := range findings {
		if f.Severity == preflight.Error || f.Severity == preflight.Warn && out == preflight.OK {
			out = f.Severity
		}
	}
	return out
}

func TestDoctorAndVerbs(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		c := config(my)
		if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.OK {
			t.Errorf("an empty database: %+v", f)
		}
		if my.Value("select count(*) from information_schema.tables where table_schema = database()") != "0" {
			t.Error("the doctor has made tables")
		}
		s := open(t, c)
		bad := sinks.Parked{Change: at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()), Lane: change.Lane{Stream: "s"}, Code: "X"}
		mark := change.Mark{Lane: bad.Lane, Next: 1}
		row := at(table(), 2, change.Insert, change.Int(2), change.Text("x"), change.Null())
		if err := s.ApplyAt(t.Context(), []change.Change{row}, []sinks.Parked{bad}, []change.Mark{{Lane: bad.Lane}}, []change.Mark{mark}); err != nil {
			t.Fatal(err)
		}
		if parked, err := s.ListParked(t.Context()); err != nil || len(parked) != 1 || parked[0].Code != "X" {
			t.Errorf("parked are %+v, %v", parked, err)
		}
		if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.OK || my.Value("select count(*) from _tailwater_marks") != "1" {
			t.Errorf("the doctor finds %+v", f)
		}
		my.Exec("create unique index mine on t (a(9)); create table parent (id int primary key); insert into parent values (2); alter table t add foreign key fk (id) references parent (id)")
		f := mysql.Doctor(t.Context(), c)
		if said := summaries(f); worst(f) != preflight.Warn || !strings.Contains(said, "mine") || !strings.Contains(said, "foreign key") {
			t.Errorf("the doctor doesn't list a unique index and a foreign key: %+v", f)
		}
		my.Exec("alter table t drop foreign key " + my.Value("select constraint_name from information_schema.table_constraints where table_schema = database() and constraint_type = 'FOREIGN KEY'"))
		my.Exec("alter table t drop primary key")
		if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.Error {
			t.Errorf("the doctor doesn't miss the key: %+v", f)
		}
		if err := s.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		state, err := s.Load(t.Context(), "s")
		if err != nil || len(state.Marks)+len(state.Parked) != 0 {
			t.Errorf("after drop: %+v, %v", state, err)
		}
		wantRows(t, my, "select id from t", "2")
	})
}

func summaries(findings []preflight.Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Summary)
	}
	return strings.Join(out, "\n")
}

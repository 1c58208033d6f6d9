package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// private runs f against a server of its own of every kind.
func private(t *testing.T, options testenv.Options, f func(t *testing.T, s *testenv.MyServer)) {
	t.Helper()
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) { f(t, testenv.StartMySQL(t, name, options)) })
	}
}

// TestNamesWithoutCase: a server that keeps names of tables in lower case can't tell Orders from orders, and finds tables under other names
// than ours in its catalogue.
func TestNamesWithoutCase(t *testing.T) {
	t.Parallel()
	lower := []string{"lower_case_table_names=1"}
	private(t, testenv.Options{Born: lower, Settings: lower}, func(t *testing.T, my *testenv.MyServer) {
		s := open(t, config(my.My))
		parent, child, twin := table(), table(), table()
		parent.Name, child.Name, twin.Name = "Orders", "Items", "orders"
		row := func(tab *change.Table) change.Change {
			return at(tab, 1, change.Insert, change.Int(1), change.Text("x"), change.Null())
		}
		mustApply(t, s, row(parent), row(child))
		my.Exec("alter table items add foreign key (id) references orders (id)")
		mustApply(t, open(t, config(my.My)), at(parent, 2, change.Truncate), at(child, 2, change.Truncate), row(parent))
		wantRows(t, my.My, "select id, a from orders union all select id, a from items", "1|x")
		err := s.Apply(t.Context(), []change.Change{at(twin, 2, change.NewShape)})
		if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "public.Orders and public.orders") {
			t.Errorf("two tables whose names differ in case: %v", err)
		}
		if f := mysql.Doctor(t.Context(), config(my.My)); worst(f) != preflight.Warn || !strings.Contains(summaries(f), "foreign key") {
			t.Errorf("the doctor finds %+v", f)
		}
	})
}

// TestTheServerGoesAway: a call that meets a dead or a read-only server may be made again, and the sink needs no restart.
func TestTheServerGoesAway(t *testing.T) {
	t.Parallel()
	private(t, testenv.Options{}, func(t *testing.T, my *testenv.MyServer) {
		user, password := my.User("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON " + my.Database + ".*")
		c := config(my.My)
		c.URL, c.Password = strings.Replace(c.URL, "root", user, 1), password
		s := open(t, c)
		row := func(id int64) change.Change {
			return at(table(), 1, change.Insert, change.Int(id), change.Null(), change.Null())
		}
		lane := change.Lane{Stream: "s"}
		from, to := []change.Mark{{Lane: lane}}, []change.Mark{{Lane: lane, Next: 1}}
		if err := s.ApplyAt(t.Context(), []change.Change{row(1)}, nil, from, to); err != nil {
			t.Fatal(err)
		}
		my.Exec("set global read_only = 1")
		if err := s.Apply(t.Context(), []change.Change{row(2)}); sinks.ClassOf(err) != sinks.Retry || err == nil {
			t.Errorf("a read-only server: class %s: %v", sinks.ClassOf(err), err)
		}
		if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.Error || !strings.Contains(summaries(f), "read only") {
			t.Errorf("the doctor finds %+v", f)
		}
		my.Kill()
		if err := s.Apply(t.Context(), []change.Change{row(2)}); sinks.ClassOf(err) != sinks.Retry || err == nil {
			t.Errorf("a dead server: class %s: %v", sinks.ClassOf(err), err)
		}
		if err := s.Apply(t.Context(), []change.Change{row(2)}); !errors.Is(err, change.ErrUnreachable) {
			t.Errorf("a dead server: %v", err)
		}
		my.Start()
		again := to[0]
		again.Next = 2
		if err := s.ApplyAt(t.Context(), []change.Change{row(2)}, nil, to, []change.Mark{again}); err != nil {
			t.Fatal(err)
		}
		wantRows(t, my.My, "select id from t order by id", "1", "2")
	})
}

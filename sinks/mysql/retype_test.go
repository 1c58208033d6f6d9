package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestATargetAlteredUnderARunningSink: what the plan says of the target is no longer so; no row is to blame for that.
func TestATargetAlteredUnderARunningSink(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ alter, show string }{
		"shorter and longer again": {"alter table t modify a varchar(1); alter table t modify a varchar(10)", "1|five|\\N"},
		"enum":                     {"alter table t modify a enum('4', 'five') null", "1|five|\\N"},
		"foreign":                  {"create table child (id int primary key, t int, foreign key (t) references t (id))", "1|five|\\N"},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				my.Exec("drop table if exists child; drop table if exists t, _tailwater_shapes")
				s := open(t, config(my))
				tab := table()
				mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("4"), change.Null()))
				my.Exec(c.alter)
				mustApply(t, s, at(tab, 2, change.Delete, change.Int(1), change.Value{}, change.Value{}), at(tab, 2, change.Truncate),
					at(tab, 3, change.Insert, change.Int(1), change.Text("five"), change.Null()))
				wantRows(t, my, "select id, a, b from t", c.show)
			})
		}
		for name, c := range map[string]struct{ alter, words string }{
			"a scale":  {"alter table t modify a decimal(10,1)", "rounds"},
			"a number": {"alter table t modify a int", "something else"},
		} {
			t.Run(name, func(t *testing.T) {
				my.Exec("drop table if exists child; drop table if exists t, _tailwater_shapes")
				s := open(t, config(my))
				tab := table()
				if name == "a scale" {
					tab.Columns[1].Native, tab.Columns[1].Kind, tab.Columns[1].Precision, tab.Columns[1].Scale = "numeric(10,2)", change.KindDecimal, 10, 2
				}
				value := func(s string) change.Value {
					if name == "a scale" {
						return change.Decimal(s)
					}
					return change.Text(s)
				}
				mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), value("4"), change.Null()))
				my.Exec(c.alter)
				err := s.Apply(t.Context(), []change.Change{at(tab, 2, change.Insert, change.Int(2), value("4.56"), change.Null())})
				if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("the server would have made something of the value: %v", err)
				}
				wantRows(t, my, "select id from t", "1")
			})
		}
		t.Run("a row is to blame", func(t *testing.T) {
			my.Exec("drop table if exists child; drop table if exists t, _tailwater_shapes")
			my.Exec("create table t (id int primary key, a text, b varchar(9) charset latin1)")
			my.Exec("create trigger raise before insert on t for each row if new.a = 'bad' then signal sqlstate '45000' set message_text = 'no'; end if")
			s := open(t, config(my))
			row := func(id int64, a, b string) change.Change {
				return at(table(), uint64(id), change.Insert, change.Int(id), change.Text(a), change.Text(b))
			}
			r := wantRefused(t, s.Apply(t.Context(), []change.Change{row(1, "good", ""), row(2, "bad", ""), row(3, "good", "")}), 1, sinks.Reject)
			if r.Code != "1644" {
				t.Errorf("refused as %s: %v", r.Code, r.Cause)
			}
			// one that we refuse and one that the server does
			wantTwo(t, s.Apply(t.Context(), []change.Change{row(1, "good", ""), row(2, "\xff", ""), row(3, "good", "日"), row(4, "good", "")}))
		})
	})
}

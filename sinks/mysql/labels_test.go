package mysql_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestTheLabelOfAValueThatIsNone: the empty text that a lax source keeps for a value outside of an ENUM's labels is refused with the way to take it, and
// taken where the target's column has it as a label.
func TestTheLabelOfAValueThatIsNone(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		labels := []string{"a", "b"}
		tab := table()
		tab.Engine, tab.Columns[1].Native, tab.Columns[1].Enum = "mysql", "enum('a','b')", &labels
		row := at(tab, 2, change.Insert, change.Int(2), change.Text(""), change.Null())
		s := open(t, config(my))
		mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("b"), change.Null()))
		r := wantRefused(t, s.Apply(t.Context(), []change.Change{row}), 0, sinks.Reject)
		if r.Code != "1265" || !strings.Contains(r.Cause.Error(), "MODIFY `a`") {
			t.Errorf("refused as %s: %v", r.Code, r.Cause)
		}
		my.Exec("alter table t modify a enum('a', 'b', '') null")
		mustApply(t, open(t, config(my)), row)
		wantRows(t, my, "select id, a, a + 0 from t order by id", "1|b|2", "2||3")
	})
}

package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// TestTwoOwnersOfOneTable: where a row counts once for its Position, a row of another source at an equal one would be swallowed.
func TestTwoOwnersOfOneTable(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		mode    mysql.Mode
		key     []int
		source  string
		sink    string
		refused bool
	}{
		{"append, another source", mysql.Append, []int{0}, "branch", "copy", true},
		{"append, another sink", mysql.Append, []int{0}, "shop", "second", true},
		{"no key, another source", mysql.Upsert, nil, "branch", "copy", true},
		{"soft delete without a key", mysql.SoftDelete, nil, "branch", "copy", true},
		{"append, itself", mysql.Append, []int{0}, "shop", "copy", false},
		{"keys", mysql.Upsert, []int{0}, "branch", "copy", false},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			my := testenv.MySQL(t, testenv.MySQLServers()[i%3])
			conf := config(my)
			conf.Mode = c.mode
			tab, twin := table(), table()
			tab.Key, twin.Key = c.key, c.key
			mustApply(t, open(t, conf), at(tab, 1, change.Insert, change.Int(1), change.Text("first"), change.Null()))
			conf.SourceID, conf.SinkName = c.source, c.sink
			second := open(t, conf)
			err := second.Apply(t.Context(), []change.Change{at(twin, 1, change.Insert, change.Int(2), change.Text("second"), change.Null())})
			if !c.refused {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), `source "shop", sink "copy"`) ||
				!strings.Contains(err.Error(), `source "`+c.source+`", sink "`+c.sink+`"`) {
				t.Errorf("the second owner: %v", err)
			}
		})
	}
}

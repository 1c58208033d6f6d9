package mysql_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTextsOfAnotherCharacterSet: a text of latin1 has a larger one at the target, which stays when the source's becomes utf8mb4 and holds as many characters
// as before; how MariaDB stores a column is no type of its own.
func TestTextsOfAnotherCharacterSet(t *testing.T) {
	t.Parallel()
	const compressed = " /*M!100301 COMPRESSED*/"
	cases := map[string]struct {
		from, fromSet, to, toSet string
		halts                    bool
	}{
		"converted":            {"text", "latin1", "mediumtext", "utf8mb4", false},
		"converted, a tiny":    {"tinytext", "latin1", "text", "utf8mb4", false},
		"compressed":           {"varchar(100)", "utf8mb4", "varchar(100)" + compressed, "utf8mb4", false},
		"no longer compressed": {"text" + compressed, "utf8mb4", "text", "utf8mb4", false},
		"smaller":              {"text", "utf8mb4", "tinytext", "utf8mb4", true},
		"as many bytes":        {"text", "latin1", "text", "utf8mb4", true},
		"smaller, compressed":  {"mediumtext", "utf8mb4", "text" + compressed, "utf8mb4", true},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				my.Exec("drop table if exists t, _tailwater_shapes")
				s := open(t, config(my))
				old, now := table(), table()
				for tab, as := range map[*change.Table][2]string{old: {c.from, c.fromSet}, now: {c.to, c.toSet}} {
					tab.Engine, tab.Columns[0].Native = "mariadb", "int(11)"
					tab.Columns[1].Native, tab.Columns[1].Charset = as[0], as[1]
					tab.Columns[2].Native, tab.Columns[2].Charset = "text", "utf8mb4"
				}
				mustApply(t, s, at(old, 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
				err := s.Apply(t.Context(), []change.Change{at(now, 2, change.NewShape), at(now, 2, change.Insert, change.Int(2), change.Text("ü"), change.Null())})
				if c.halts != errors.Is(err, change.ErrHalt) || !c.halts && err != nil {
					t.Errorf("%v, want a halt: %v", err, c.halts)
				}
			})
		}
	})
}

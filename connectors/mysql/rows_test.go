package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestUntold: an old row without its key, or without a key and with a hole, can't be told apart.
func TestUntold(t *testing.T) {
	t.Parallel()
	columns := []change.Column{{Name: "a", Kind: change.KindInt}, {Name: "b", Kind: change.KindInt}, {Name: "g", Kind: change.KindInt, Generated: true}}
	one, hole := change.Int(1), change.Value{}
	for _, c := range []struct {
		key    []int
		row    []change.Value
		column string // empty: it can be told
	}{
		{[]int{1}, []change.Value{hole, one, hole}, ""},
		{[]int{1}, []change.Value{one, hole, one}, "column b"},
		{nil, []change.Value{one, one, hole}, ""},
		{nil, []change.Value{hole, one, one}, "column a"},
	} {
		s := &shape{table: &change.Table{Name: "t", Columns: columns, Key: c.key}}
		d := delivery{a: &assembler{shapes: &shapes{}, announced: map[tableName]*change.Table{}, maxRow: 100}}
		for _, ch := range []change.Change{{Op: change.Delete, Before: c.row}, {Op: change.Update, Before: c.row, After: []change.Value{hole, hole, hole}}} {
			err := d.row(s, ch, 0)
			if c.column == "" && err != nil || c.column != "" && (!errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.column)) {
				t.Errorf("%s of %v under key %v: %v, want %q", ch.Op, c.row, c.key, err, c.column)
			}
		}
	}
}

package change_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func TestTextOf(t *testing.T) {
	t.Parallel()
	made := []change.Value{change.Decimal("1"), change.Text("1"), change.Bytes("1"), change.JSON("1"), change.UUID("1"), change.Interval("1"),
		change.Bits("1"), change.PartialDate("1"), change.Native("1")}
	for _, v := range made {
		if got := change.TextOf(v.Kind(), "1"); got != v {
			t.Errorf("%s: %v", v.Kind(), got)
		}
	}
	if got := change.TextOf(change.KindInt, "1"); got != change.Native("1") {
		t.Errorf("a kind without text: %v", got)
	}
}

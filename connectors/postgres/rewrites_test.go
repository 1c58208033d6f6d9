package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestAColumnOfARewritingIsAltered: a column that came with a rewriting stays one whose rows are read again when it is made NOT NULL behind a look at the
// table; one that was there before does not become one.
func TestAColumnOfARewritingIsAltered(t *testing.T) {
	t.Parallel()
	r := rewrites{}
	look := func(file string, made ...string) (reread []bool) {
		d := described{files: []string{file}, made: made}
		for i := range made {
			d.columns = append(d.columns, change.Column{ID: columnID(7, int16(i+1))})
		}
		r.mark(7, &d)
		for i := range d.columns {
			reread = append(reread, d.columns[i].Reread)
		}
		return reread
	}
	look("a", "1")
	if got := look("b", "1", "2"); got[0] || !got[1] {
		t.Fatalf("with the rewriting: %v", got)
	}
	if got := look("b", "3", "4"); got[0] || !got[1] {
		t.Errorf("altered behind it: %v", got)
	}
}

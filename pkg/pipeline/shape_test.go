package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// reshaped is a batch of one source transaction that changes its table in the middle, twice: to another shape and back.
func (w *world) reshaped() change.Batch {
	b := w.txn(2, op{1, 10}, op{2, 20}, op{1, 11}, op{3, 30}, op{2, 21}, op{4, 40})
	other := *w.log.table
	other.Columns = slices.Clone(other.Columns)
	other.Columns[1].Nullable = !other.Columns[1].Nullable
	tables := []*change.Table{w.log.table, w.log.table, &other, &other, w.log.table, w.log.table}
	var all []change.Change
	for i, c := range b.Changes {
		if i > 0 && tables[i] != tables[i-1] {
			at := c.Pos
			at.Seq &^= 3
			all = append(all, change.Change{Op: change.NewShape, Table: tables[i], Pos: at, Txn: c.Txn})
		}
		c.Table = tables[i]
		all = append(all, c)
	}
	b.Changes = all
	return b
}

// TestRowsBeforeAShapeGoFirst: a call never holds rows from before and from behind a change of their table's shape, and a failure or a refusal between
// two of them neither repeats nor loses any.
func TestRowsBeforeAShapeGoFirst(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		for _, trouble := range []string{"none", "a passing fault", "an answer lost", "a refusal"} {
			t.Run(fmt.Sprintf("%d lanes/%s", lanes, trouble), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t)
					a := w.target["a"]
					a.entered = func(c []change.Change) {
						for i := range c {
							if c[i].Op == change.NewShape && i > 0 && c[i-1].Table != c[i].Table {
								t.Errorf("a call holds rows from before a new shape")
							}
						}
					}
					troubled(a, trouble)
					s := w.applyLanes(t, lanes)
					s.publish(w.reshaped())
					after(time.Minute)
					want := map[int64]int64{1: 11, 2: 21, 3: 30, 4: 40}
					parked := ""
					if trouble == "a refusal" {
						want[1], parked = 0, "1=10code 1=11"
						delete(want, 1)
					}
					if got := a.state(); fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("the target holds %v, want %v", got, want)
					}
					if got := parkedText(a); got != parked {
						t.Errorf("parked %q, want %q", got, parked)
					}
					if shapes := strings.Count(strings.Join(a.history, " "), "new_shape"); shapes != 2 || a.regress > 0 {
						t.Errorf("%d shapes, %d changes over newer ones: %v", shapes, a.regress, a.history)
					}
					s.clean()
				})
			})
		}
	}
}

func troubled(a *table, trouble string) {
	fault := func(call int) error {
		if call == 2 || call == 4 {
			return errors.New("passing")
		}
		return nil
	}
	switch trouble {
	case "a passing fault":
		a.fail = fault
	case "an answer lost":
		a.answer = fault
	case "a refusal":
		a.refuse = func(c *change.Change, _ map[int64]row) (sinks.Class, string) {
			if c.After != nil && c.After[0].Int() == 1 && c.After[1].Int() == 10 {
				return sinks.Reject, "code"
			}
			return 0, ""
		}
	}
}

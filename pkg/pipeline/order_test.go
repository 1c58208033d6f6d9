package pipeline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Interleaving 19: a unique violation across lanes waits for the lane that frees the value.
func TestAUniqueViolationWaitsForTheOtherLanes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = unique
		const lanes = 3
		ids := onLanes(w.log.table, lanes)
		s := w.applyLanes(t, lanes)
		s.publish(w.txn(1, op{ids[0], 7}))
		a.entered = func(c []change.Change) { // the lane that frees 7 is late
			if len(c) > 0 && c[0].Op == change.Delete {
				time.Sleep(2 * time.Second)
			}
		}
		s.publish(w.txn(2, op{ids[1], 5}, op{ids[2], 9}, op{ids[0], -1}, op{ids[1], 7}, op{ids[1], 8}))
		after(10 * time.Second)
		if got := parkedText(a); got != "" {
			t.Errorf("parked %q, want nothing", got)
		}
		if got := a.state(); got[ids[1]] != 8 || got[ids[2]] != 9 || len(got) != 2 {
			t.Errorf("the target holds %v", got)
		}
		s.clean()
	})
}

// unique refuses a value that another row has.
func unique(c *change.Change, rows map[int64]row) (sinks.Class, string) {
	if c.After == nil {
		return 0, ""
	}
	for id, r := range rows {
		if id != c.After[0].Int() && r.v == c.After[1].Int() {
			return sinks.Wait, "23505"
		}
	}
	return 0, ""
}

func TestAUniqueViolationThatStaysIsParked(t *testing.T) {
	for name, lanes := range map[string]int{"one lane": 1, "three lanes": 3} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.target["a"]
				a.refuse = unique
				ids := onLanes(w.log.table, max(lanes, 3))
				s := w.applyLanes(t, lanes)
				s.publish(w.txn(1, op{ids[0], 7}))
				s.publish(w.txn(2, op{ids[1], 5}, op{ids[1], 7}, op{ids[2], 9}))
				after(20 * time.Second)
				if got, want := parkedText(a), fmt.Sprintf("%d=723505", ids[1]); got != want {
					t.Errorf("parked %q, want %q", got, want)
				}
				if got := a.state(); got[ids[1]] != 5 || got[ids[2]] != 9 {
					t.Errorf("the target holds %v", got)
				}
				s.clean()
			})
		})
	}
}

// Two lanes that wait for each other: each holds, below what it waits with, what the other one needs.
func TestLanesThatWaitForEachOtherDoNotDeadlock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = unique
		ids := onLanes(w.log.table, 2)
		s := w.applyLanes(t, 2)
		s.publish(w.txn(1, op{ids[0], 7}, op{ids[1], 8}))
		s.publish(w.txn(2, op{ids[0], -1}, op{ids[1], -1}, op{ids[0], 8}, op{ids[1], 7}))
		after(time.Minute)
		if got := parkedText(a); got != "" {
			t.Errorf("parked %q, want nothing", got)
		}
		if got := a.state(); got[ids[0]] != 8 || got[ids[1]] != 7 {
			t.Errorf("the target holds %v", got)
		}
		s.clean()
	})
}

// What waits behind a parked key stands above the change that waits for its order, and must not be parked before its turn.
func TestWhatIsParkedGoesWithItsMark(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		reject := refuseValue(sinks.Reject, "22001", 66)
		a.refuse = func(c *change.Change, rows map[int64]row) (sinks.Class, string) {
			if class, code := reject(c, rows); code != "" {
				return class, code
			}
			return unique(c, rows)
		}
		near, far := onLane(w.log.table, 2, 0, 1), onLane(w.log.table, 2, 1, 3)
		s := w.applyLanes(t, 2)
		s.publish(w.txn(1, op{near[0], 7}, op{far[2], 66}))
		a.entered = func(c []change.Change) {
			if len(c) > 0 && c[0].Op == change.Delete {
				time.Sleep(2 * time.Second)
			}
		}
		s.publish(w.txn(2, op{near[0], -1}, op{far[0], 1}, op{far[1], 7}, op{far[2], 5}, op{far[0], 2}))
		after(10 * time.Second)
		if got, want := parkedText(a), fmt.Sprintf("%d=6622001 %d=5", far[2], far[2]); got != want {
			t.Errorf("parked %q, want %q", got, want)
		}
		if got := a.state(); got[far[0]] != 2 || got[far[1]] != 7 {
			t.Errorf("the target holds %v", got)
		}
		s.clean()
	})
}

// onLane is n ids of one lane.
func onLane(t *change.Table, lanes, lane int32, n int) []int64 {
	var ids []int64
	for id := int64(100); len(ids) < n; id++ {
		key, _ := change.AppendLaneKey(nil, t, []change.Value{change.Int(id), change.Null()})
		if change.LaneOf(key, lanes) == lane {
			ids = append(ids, id)
		}
	}
	return ids
}

// onLanes is one id for each lane.
func onLanes(t *change.Table, lanes int) []int64 {
	ids := make([]int64, lanes)
	for id := int64(100); slices.Contains(ids, 0); id++ {
		key, _ := change.AppendLaneKey(nil, t, []change.Value{change.Int(id), change.Null()})
		ids[change.LaneOf(key, int32(lanes))] = id
	}
	return ids
}

func (w *world) txn(commit uint64, ops ...op) change.Batch {
	b := change.Batch{Upto: pos(1, commit), Resume: change.Resume(fmt.Sprint(commit))}
	txn := &change.Txn{ID: fmt.Sprint(commit), Committed: time.Now()}
	for i, o := range ops {
		at := change.Position{Epoch: 1, Commit: commit, Seq: uint64(i)<<2 | change.SeqRow}
		b.Changes = append(b.Changes, changeOf(w.log.table, o, at, txn))
	}
	return b
}

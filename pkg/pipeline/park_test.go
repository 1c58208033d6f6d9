package pipeline_test

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

func (w *world) truncate(commit uint64) change.Change {
	return change.Change{Op: change.Truncate, Table: w.log.table, Txn: &change.Txn{ID: "t"},
		Pos: change.Position{Epoch: 1, Commit: commit, Seq: change.SeqRow}}
}

// A truncated table has no row left that a parked change could be about: what comes after it flows again, in every lane.
func TestATruncateSupersedesWhatIsParkedOfItsTable(t *testing.T) {
	for name, lanes := range map[string]int{"one lane": 1, "three lanes": 3} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.target["a"]
				a.refuse = refuseValue(sinks.Reject, "22001", 66)
				ids := onLanes(w.log.table, 3)
				s := w.applyLanes(t, lanes)
				s.publish(w.txn(1, op{ids[0], 66}, op{ids[1], 66}, op{ids[1], 5}, op{ids[2], 9}))
				if n := s.p.Status().Sinks[0].Parked; n != 3 {
					t.Errorf("%d parked before the truncate, want 3", n)
				}
				s.publish(change.Batch{Upto: pos(1, 2), Changes: []change.Change{w.truncate(2)}})
				if n := s.p.Status().Sinks[0].Parked; n != 0 || parkedText(a) != "" {
					t.Errorf("%d parked behind the truncate: %s", n, parkedText(a))
				}
				s.publish(w.txn(3, op{ids[0], 1}, op{ids[1], 2}))
				if got := a.state(); len(got) != 2 || got[ids[0]] != 1 || got[ids[1]] != 2 || parkedText(a) != "" {
					t.Errorf("the target holds %v, parked %q", got, parkedText(a))
				}
				s.clean()
			})
		})
	}
}

// The same inside one call: what it would have parked before its truncate goes, what it refuses behind it stays.
func TestATruncateSupersedesWhatItsOwnCallRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = refuseValue(sinks.Reject, "22001", 66)
		s := w.applyOnly(t)
		b := w.txn(1, op{1, 66}, op{1, 7}, op{2, 20})
		b.Changes = append(append(b.Changes, w.truncate(2)), w.txn(3, op{1, 11}, op{3, 66}, op{3, 30}).Changes...)
		b.Upto = pos(1, 3)
		s.publish(b)
		if got, want := parkedText(a), "3=6622001 3=30"; got != want {
			t.Errorf("parked %q, want %q", got, want)
		}
		if got := a.state(); len(got) != 1 || got[1] != 11 {
			t.Errorf("the target holds %v", got)
		}
		s.clean()
	})
}

// A change that is refused only in a later try stands before a snapshot row that supersedes it; what was refused behind that row in an
// earlier try must not go with it.
func TestASnapshotRowSupersedesNothingAboveIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = func(c *change.Change, _ map[int64]row) (sinks.Class, string) {
			if v := c.After[1].Int(); v == 66 || v == 11 && a.calls > 1 {
				return sinks.Reject, "22001"
			}
			return 0, ""
		}
		s := w.applyOnly(t)
		b := w.txn(2, op{1, 11})
		read := changeOf(w.log.table, op{1, 12}, pos(1, 2), nil)
		read.Op = change.SnapshotRow
		b.Changes = append(append(b.Changes, read), w.txn(3, op{1, 66}).Changes...)
		b.Upto = pos(1, 3)
		s.publish(b)
		after(time.Minute)
		if got, want := parkedText(a), "1=6622001"; got != want || a.state()[1] != 12 {
			t.Errorf("parked %q, want %q; the target holds %v", got, want, a.state())
		}
		s.clean()
	})
}

// What one delivery parks may be above parked_limit alone: it would wait for room that nobody can make.
func TestParkedLimitBelowOneDelivery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = refuseValue(sinks.Reject, "22001", 66)
		cfg := w.config(newLife(), 1)
		cfg.Sinks[0].ParkedLimit = 2
		r := start(t, cfg)
		w.log.commit(op{1, 66}, op{2, 66}, op{3, 66}, op{4, 40})
		after(time.Second)
		if got, want := parkedText(a), "1=6622001 2=6622001 3=6622001"; got != want || a.state()[4] != 40 {
			t.Errorf("parked %q, want %q; the target holds %v", got, want, a.state())
		}
		w.log.commit(op{5, 66})
		after(time.Minute)
		if s := r.p.Status().Sinks[0]; !s.Paused || s.Parked != 3 {
			t.Errorf("above the limit: %+v", s)
		}
		_ = r.stop()
	})
}

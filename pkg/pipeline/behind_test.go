package pipeline_test

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// behind is a direct pipeline whose checkpoint stands at 50 with 40 released, and whose sinks stand at marks.
func behind(t *testing.T, marks map[string]uint64) *world {
	names := make([]string, 0, len(marks))
	for name := range marks {
		names = append(names, name)
	}
	w := newWorld(t, names...)
	for range 60 {
		w.log.txns = append(w.log.txns, []op{{1, 1}})
	}
	w.log.released = 40
	w.disk.records = []checkpoint.Record{{Pipeline: source, Epoch: 1, Identity: "log-1", Resume: "50", Upto: pos(1, 50),
		Released: "40", ReleasedUpto: pos(1, 40), Announced: map[string]string{}, Generation: 7}}
	lane := change.Lane{Stream: source}
	for name, at := range marks {
		w.target[name].marks[lane] = change.Mark{Lane: lane, Pos: pos(1, at)}
	}
	return w
}

// TestNothingIsReleasedWhileATargetCatchesUp: the Record's own Resume is no place that the log may be forgotten up to while a target
// stands below it. A kill in between would leave a gap.
func TestNothingIsReleasedWhileATargetCatchesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := behind(t, map[string]uint64{"a": 45})
		w.log.part = 1
		a := w.target["a"]
		a.slow = 3 * time.Second
		w.disk.check = func(r checkpoint.Record) {
			if at := a.lowest(); at.Less(r.ReleasedUpto) {
				t.Errorf("%s may be released, the target stands at %s", r.ReleasedUpto, at)
			}
		}
		cfg := w.config(newLife(), 1)
		cfg.BatchBytes = 1 // a delivery for each transaction
		r := start(t, cfg)
		after(2 * time.Second)
		if n := w.log.forgotten(); n > 45 {
			t.Errorf("%d is released, the target stands at 45", n)
		}
		after(2 * time.Minute)
		r.clean()
		if w.log.released != 60 || a.applied != 15 {
			t.Errorf("released %d, applied %d changes; want 60 and 15", w.log.released, a.applied)
		}
	})
}

// TestANewIdentityRepeatsNothing: in a new epoch a sink can't tell what it has from what is new, so where one target is behind the log
// can't be begun again below another one's mark.
func TestANewIdentityRepeatsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := behind(t, map[string]uint64{"a": 50, "b": 45})
		w.log.identity = "log-2"
		r := start(t, w.config(newLife(), 1))
		after(5 * time.Second)
		wantCode(t, r.stop(), pipeline.ExitGap)
		if a := w.target["a"]; a.applied > 0 {
			t.Errorf("%d changes were applied again", a.applied)
		}
	})
}

func (s *slot) forgotten() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.released
}

package direct_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
)

func TestBytesBoundTheQueueAndTheSlowestSinkHoldsItBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := batch(2, 1, 1, true)
		r := newRig(t, direct.Config{Atomic: true, MemoryBytes: 2 * one.Size(), Sinks: []string{"a", "b"}})
		r.publish(batch(2, 1, 1, true), batch(3, 2, 2, true))
		done := make(chan error, 1)
		go func() { done <- r.pub.Publish(t.Context(), batch(4, 3, 3, false)) }()
		synctest.Wait()
		r.commit("a", r.fetch("a", 1<<20))
		r.nothing("a", 1<<20) // what blocks is held by b: a must not be handed a part for it
		select {
		case <-done:
			t.Fatal("published beyond the bound")
		case n := <-r.pub.Acked():
			t.Fatalf("acknowledged %d, b has committed nothing", n)
		default:
		}
		r.commit("b", r.fetch("b", 1<<20))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		r.wantAcked(2)
	})
}

// TestWhatHasEndedTakesLessRoom: an open transaction fills the queue, one that has ended only the room ahead, for as long as a sink has not committed it.
func TestWhatHasEndedTakesLessRoom(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]direct.Config{"one lane": {Atomic: true}, "two lanes": {Lanes: 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := batch(2, 1, 1, true)
				cfg.MemoryBytes, cfg.AheadBytes, cfg.Sinks = 8*one.Size(), 2*one.Size(), []string{"a"}
				r := newRig(t, cfg)
				if !cfg.Atomic {
					r.publish(change.Batch{Upto: upto(1)})
					r.commit("a", r.fetch("a", 1<<20)) // the first marks
				}
				r.publish(batch(2, 1, 1, true))
				var published atomic.Int32
				go func() {
					for part := range 8 { // of one transaction
						if r.pub.Publish(t.Context(), batch(3, part+1, part+1, part == 7)) != nil {
							return
						}
						published.Add(1)
					}
				}()
				synctest.Wait()
				if n := published.Load(); n != 1 {
					t.Fatalf("%d parts beside a transaction that has ended, want 1", n)
				}
				r.commit("a", r.fetch("a", one.Size())) // its lane is done with it
				synctest.Wait()
				if n := published.Load(); cfg.Atomic && n != 8 || !cfg.Atomic && n == 8 {
					t.Fatalf("%d parts of an open transaction", n)
				}
				for published.Load() < 8 {
					r.commit("a", r.fetch("a", 1<<20))
					synctest.Wait()
				}
			})
		})
	}
}

func TestABatchAboveTheBoundGoesAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct.Config{Atomic: true, MemoryBytes: 1})
	r.publish(batch(2, 1, 5, true))
	d := r.fetch("a", 1)
	if ids(d) != "1.2.3.4.5." {
		t.Errorf("fetched %s", ids(d))
	}
}

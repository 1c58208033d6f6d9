package pipeline_test

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// TestAStopFallsBetweenTransactions: a direct target takes a transaction whole, so a stop, or the end of --once, in the middle of reading one
// would wait for a rest that nobody reads any more.
func TestAStopFallsBetweenTransactions(t *testing.T) {
	for name, once := range map[string]bool{"stop": false, "once": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.log.part = 2
				w.log.commit(op{1, 1}, op{2, 2}, op{3, 3}, op{4, 4}, op{5, 5})
				cfg := w.config(newLife(), 1)
				cfg.Once = once
				var r *running
				ready := make(chan struct{})
				reads := 0
				cfg.Observer.Rows = func(_ pipeline.Event, at pipeline.Stage, _ *change.Table, _ change.Op, _ int) {
					if at != pipeline.StageRead {
						return
					}
					if reads++; reads == 1 {
						w.log.commit(op{6, 6}, op{7, 7}, op{8, 8})
						<-ready
						if !once {
							r.cancel()
						}
					}
				}
				r = start(t, cfg)
				close(ready)
				after(10 * time.Second)
				if once {
					if err := <-r.done; err != nil {
						t.Errorf("ended with %v", err)
					}
				} else {
					r.clean()
				}
				if n := w.target["a"].applied; n != 5 && n != 8 {
					t.Errorf("%d changes applied: a part of a transaction", n)
				}
			})
		})
	}
}

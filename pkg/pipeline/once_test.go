package pipeline_test

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestOnceWithParkedRowsEndsEverySink: a sink that ends with parked rows cuts no other off.
func TestOnceWithParkedRowsEndsEverySink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.target["a"].refuse = refuseValue(sinks.Reject, "22001", 66)
		w.target["b"].slow = time.Second
		cfg := w.config(newLife(), 1)
		cfg.Direct, cfg.Role, cfg.Once, cfg.BatchBytes = false, pipeline.ApplyOnly, true, 1
		pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		for n := range int64(20) {
			if err := pub.Publish(t.Context(), w.txn(uint64(n+1), op{n, 50 + n})); err != nil { // one of them is 66
				t.Fatal(err)
			}
		}
		wantCode(t, start(t, cfg).wait(), pipeline.ExitRuntime)
		if a, b := len(w.target["a"].state()), len(w.target["b"].state()); a != 19 || b != 20 {
			t.Errorf("the targets hold %d and %d rows, want 19 and 20", a, b)
		}
	})
}

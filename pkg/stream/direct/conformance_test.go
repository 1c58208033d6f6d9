package direct_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
	"github.com/tailwater-cdc/tailwater/pkg/stream/streamtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, lanes := range map[string]int{"one lane": 1, "four lanes": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := direct.Config{SourceID: source, Sinks: []string{"one", "two"}, MemoryBytes: 1 << 20, Atomic: lanes == 1, Lanes: lanes}
			streamtest.Run(t, func(*testing.T) streamtest.Harness {
				return streamtest.Harness{Source: cfg.SourceID, Sinks: cfg.Sinks, Lanes: lanes, MemoryBytes: cfg.MemoryBytes,
					AckedByCommit: true, Open: func(*testing.T) stream.Stream { return direct.New(cfg) }}
			})
		})
	}
}

package kafka_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/stream/streamtest"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestStream(t *testing.T) {
	t.Parallel()
	streamtest.Run(t, func(t *testing.T) streamtest.Harness {
		broker := testenv.Kafka(t)
		cfg := config(broker, broker.Prefix(t))
		cfg.MemoryBytes = 1 << 20
		return streamtest.Harness{
			Source: cfg.SourceID, Sinks: []string{"one", "two"}, Lanes: cfg.Partitions,
			Open: func(t *testing.T) stream.Stream {
				s, err := kafka.Open(t.Context(), cfg, quiet())
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Durable: true, Dedupes: true, Rebalances: true, MemoryBytes: cfg.MemoryBytes,
		}
	})
}

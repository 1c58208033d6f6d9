package kafka_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/stream/streamtest"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestStream(t *testing.T) { conform(t, codec.DebeziumJSON) }

// TestStreamInAvro: the format whose markers have no keys, and whose tables need a registry first.
func TestStreamInAvro(t *testing.T) { conform(t, codec.Avro) }

func conform(t *testing.T, f codec.Format) {
	t.Helper()
	t.Parallel()
	streamtest.Run(t, func(t *testing.T) streamtest.Harness {
		var stall func(t *testing.T) func()
		var broker *testenv.Broker
		if strings.HasSuffix(t.Name(), "publish_blocks_while_full") { // it takes a broker of its own to stall one
			private := testenv.StartKafka(t)
			broker = private.Broker
			stall = func(*testing.T) func() {
				private.Freeze()
				return private.Thaw
			}
		} else {
			broker = testenv.Kafka(t)
		}
		cfg := inFormat(t, config(broker, broker.Prefix(t)), f)
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
			Durable: true, Dedupes: true, Rebalances: true, Stall: stall, MemoryBytes: cfg.MemoryBytes,
		}
	})
}

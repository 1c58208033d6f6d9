package kafka_test

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestPublishedIsAcknowledgedAndKnown(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	s := open(t, cfg)
	if epoch, err := s.Known(t.Context()); err != nil || epoch != 0 {
		t.Fatalf("before anything was published: epoch %d, %v", epoch, err)
	}
	p := publisher(t, s, 7)
	table := orders(cfg.SourceID, "orders")
	for i := range 20 {
		publish(t, p, rows(table, 7, uint64(i+1), 50))
	}
	publish(t, p, change.Batch{Upto: change.Position{Epoch: 7, Commit: 99}})
	acked(t, p, 21)
	closed(t, p)
	if epoch, err := s.Known(t.Context()); err != nil || epoch != 7 {
		t.Fatalf("after publishing under epoch 7: epoch %d, %v", epoch, err)
	}
}

// TestCutConnections: connections that are cut while several requests are under way. Every record is there once, in order.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	broker := far(t, 2*time.Millisecond)
	cfg := config(broker.Broker, "cut")
	cfg.Compression = kafka.None
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	const batches, each = 200, 700 // large enough that a request doesn't wait for the answer to the one before
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range batches {
		<-tick.C
		publish(t, p, rows(table, 1, uint64(i+1), each))
		if i%20 == 19 {
			broker.cut()
		}
	}
	acked(t, p, batches)
	if n := kafka.MostInFlight(p); n < 2 {
		t.Errorf("%d request was under way at a time, want several", n)
	}
	closed(t, p)
	inOrder(t, cfg, fetch(t, s, batches*each), batches*each)
}

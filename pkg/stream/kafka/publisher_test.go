package kafka_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
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

package kafka_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestProducerIDUsedUp: a twin that published under a producer id which has been used up since can't write any more.
func TestProducerIDUsedUp(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t)
	cfg := config(broker.Broker, broker.Prefix(t))
	table := orders(cfg.SourceID, "orders")
	old := publisher(t, open(t, cfg), 1)
	publish(t, old, rows(table, 1, 1, 30))
	acked(t, old, 1)
	s := open(t, cfg)
	was, is, err := kafka.Rotate(t.Context(), s)
	if err != nil || was == is {
		t.Fatalf("producer id %d became %d, %v", was, is, err)
	}
	publish(t, old, rows(table, 1, 2, 30))
	for n := range old.Acked() {
		if n == 2 {
			t.Error("the twin's batch was acknowledged")
			break
		}
	}
	if err := old.Close(); !errors.Is(err, change.ErrFenced) {
		t.Errorf("the twin ended with %v, want ErrFenced", err)
	}
	p := publisher(t, s, 1)
	publish(t, p, rows(table, 1, 1, 30), rows(table, 1, 2, 30))
	acked(t, p, 2)
	closed(t, p)
	inOrder(t, cfg, fetch(t, s, 60), 60)
}

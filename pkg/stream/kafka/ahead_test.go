package kafka_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestFetchedAheadIsBounded (invariant 9): rows that compress a hundred times over take no more memory than their share once they are
// unpacked, for they are unpacked batch by batch as there is room; and all of them come.
func TestFetchedAheadIsBounded(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions, cfg.MemoryBytes = 2, 4<<20
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	const batches, perBatch = 300, 100
	note := change.Text(strings.Repeat("x", 2000))
	for i := range batches {
		b := rows(table, 1, uint64(i+1), perBatch)
		for k := range b.Changes {
			b.Changes[k].After[1] = note
		}
		publish(t, p, b)
	}
	acked(t, p, batches)
	closed(t, p)

	sub, err := s.Subscriber(t.Context(), stream.Subscription{Sink: "reader", Begin: fromStart})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, sub)
	var changes, packed int
	testenv.Wait(t, "the lanes are full", func() (full bool) {
		changes, packed, full = kafka.Ahead(sub)
		return full
	})
	const share, batch = 2 << 20, 3 << 20 // a batch of 1 MiB, as changes
	if changes > share+batch {
		t.Errorf("a lane holds %d bytes of changes; its share is %d, and a batch more", changes, share)
	}
	if packed > share {
		t.Errorf("a lane holds %d bytes of batches", packed)
	}
	for seen := 0; seen < batches*perBatch; {
		d, err := sub.Fetch(t.Context(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Changes {
			if d.Changes[i].After[1] != note {
				t.Fatalf("change %d has another note", seen+i)
			}
		}
		seen += len(d.Changes)
		if err := sub.Commit(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

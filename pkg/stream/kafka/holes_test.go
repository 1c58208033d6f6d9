package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestCompactedTopic: where compaction has left holes, in batches and over whole ones, a subscriber passes them and still reaches
// the ends, and a publisher still finds the tail.
func TestCompactedTopic(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t, "log.cleaner.backoff.ms=100")
	cfg := config(broker.Broker, broker.Prefix(t))
	cfg.Partitions = 1
	broker.Topic(t, cfg.Prefix+".public.orders", 1, "cleanup.policy=compact", "min.cleanable.dirty.ratio=0.001", "segment.ms=100",
		"max.compaction.lag.ms=100", "delete.retention.ms=0")
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	commit, sinks := uint64(0), 0
	more := func(n int) { // n transactions that each write rows 1 and 2
		for range n {
			commit++
			b := rows(table, 1, commit, 2)
			for i := range b.Changes {
				b.Changes[i].Op, b.Changes[i].After = change.Update, []change.Value{change.Int(int64(i + 1)), change.Text("note")}
			}
			publish(t, p, b)
		}
		acked(t, p, commit)
	}
	more(50)
	testenv.Wait(t, "the topic is compacted", func() bool {
		more(1) // a segment is closed by the next append
		sinks++
		return readToEnds(t, s, fmt.Sprint("sink", sinks)) < int(commit)
	})
	closed(t, p)

	p = publisher(t, s, 1)
	publish(t, p, rows(table, 1, commit, 2)) // there already
	acked(t, p, 1)
	if n := kafka.Skipped(p); n != 2 {
		t.Errorf("%d changes at the tail were skipped, want 2", n)
	}
	closed(t, p)
	readToEnds(t, s, "last") // the fence's control batch is the topic's end
}

// readToEnds reads every lane to its end as a new sink, and returns how many changes there were.
func readToEnds(t testing.TB, s *kafka.Stream, sink string) int {
	t.Helper()
	sub := subscriber(t, s, sink)
	defer closed(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ends, err := sub.Ends(ctx)
	if err != nil {
		t.Fatal(err)
	}
	left, n := map[change.Lane]int64{}, 0
	for _, end := range ends {
		left[end.Lane] = end.Next
	}
	for len(left) > 0 {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch with the ends %v to go: %v", left, err)
		}
		n += len(d.Changes)
		for _, to := range d.To {
			if to.Next >= left[to.Lane] {
				delete(left, to.Lane)
			}
		}
		if err := sub.Commit(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

package kafka_test

import (
	"context"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"

	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestChunkCutOffAndBegunAgain: a snapshot's chunk begins with a marker at a Position; the process dies when only one partition has it, and one of
// the chunk's rows; the server is idle, so the next one begins the chunk again at that same Position. Every row comes, and what stands in a target
// behind the last marker is the table, once.
func TestChunkCutOffAndBegunAgain(t *testing.T) {
	t.Parallel()
	for _, op := range []change.Op{change.NewShape, change.Truncate} {
		t.Run(op.String(), func(t *testing.T) {
			t.Parallel()
			broker := testenv.Kafka(t)
			cfg := config(broker, broker.Prefix(t))
			cfg.Partitions = 2
			s := open(t, cfg)
			table := orders(cfg.SourceID, "orders")
			at := change.Position{Epoch: 1, Commit: 7, Seq: change.MaxSeq}
			chunk := []change.Change{{Op: op, Table: table, Pos: at}}
			const n = 40
			for i := range n {
				chunk = append(chunk, change.Change{Op: change.SnapshotRow, Table: table, Pos: at, After: []change.Value{change.Int(int64(i)), change.Text("note")}})
			}
			p := publisher(t, s, 1)
			if err := kafka.PublishPart(t.Context(), p, chunk...); err != nil {
				t.Fatal(err)
			}
			closed(t, p)
			p = publisher(t, s, 1)
			publish(t, p, change.Batch{Changes: chunk, Upto: at, Resume: "7"})
			acked(t, p, 1)

			held := map[int64]int{}
			markers := 0
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			sub := subscriber(t, s, "reader")
			for markers < 2 && (op != change.Truncate || markers < 1) || len(held) < n {
				d, err := sub.Fetch(ctx, 1<<20)
				if err != nil {
					t.Fatalf("with %d markers and rows %v: %v", markers, held, err)
				}
				for i := range d.Changes {
					switch c := &d.Changes[i]; c.Op {
					case op:
						markers++
						if op == change.Truncate {
							clear(held)
						}
					default:
						held[c.After[0].Int()]++
					}
				}
				if err := sub.Commit(ctx, d); err != nil {
					t.Fatal(err)
				}
			}
			for id, times := range held {
				if op == change.Truncate && times != 1 {
					t.Errorf("row %d stands %d times behind the truncate", id, times)
				}
			}
			closed(t, sub)
			closed(t, p)
		})
	}
}

// TestALaneWithoutALeaderIsLookedFor: the leaders of a topic are forgotten, as after a request that failed, while the broker's fetcher has lanes
// of another topic to read: both are read on.
func TestALaneWithoutALeaderIsLookedFor(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	p := publisher(t, open(t, cfg), 1)
	one, two := orders(cfg.SourceID, "one"), orders(cfg.SourceID, "two")
	publish(t, p, rows(one, 1, 1, 4), rows(two, 1, 2, 4))
	acked(t, p, 2)
	s := open(t, cfg)
	sub := subscriber(t, s, "reader")
	read := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		seen := map[string]int{}
		for seen["one"] < 4 || seen["two"] < 4 {
			d, err := sub.Fetch(ctx, 1<<20)
			if err != nil {
				t.Fatalf("changes by table: %v: %v", seen, err)
			}
			for i := range d.Changes {
				seen[d.Changes[i].Table.Name]++
			}
			if err := sub.Commit(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	read()
	kafka.Forget(s, cfg.Prefix+".public.two")
	publish(t, p, rows(one, 1, 3, 4), rows(two, 1, 4, 4))
	acked(t, p, 4)
	read()
	publish(t, p, rows(two, 1, 5, 4), rows(one, 1, 6, 4))
	read()
	closed(t, sub)
	closed(t, p)
}

// TestKnownThoughRetentionTookAll: where retention has taken every record, the topics' shapes still say that the source is known, so a start without a
// checkpoint is refused instead of beginning at an Epoch that readers have left behind.
func TestKnownThoughRetentionTookAll(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t, "log.retention.check.interval.ms=500", "log.initial.task.delay.ms=500").Broker
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	s := open(t, cfg)
	if known, err := s.Known(t.Context()); err != nil || known != 0 {
		t.Fatalf("a source that nobody has seen is known: %d, %v", known, err)
	}
	p := publisher(t, s, 3)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 3, 1, 20))
	acked(t, p, 1)
	closed(t, p)
	if known, err := s.Known(t.Context()); err != nil || known != 3 {
		t.Fatalf("known %d, %v, want 3", known, err)
	}
	topic := cfg.Prefix + ".public.orders"
	transport := &kafkago.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(broker.Addr), Transport: transport}
	if _, err := client.IncrementalAlterConfigs(t.Context(), &kafkago.IncrementalAlterConfigsRequest{Resources: []kafkago.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafkago.ResourceTypeTopic, ResourceName: topic, Configs: []kafkago.IncrementalAlterConfigsRequestConfig{
			{Name: "retention.ms", Value: "1", ConfigOperation: kafkago.ConfigOperationSet}, {Name: "segment.ms", Value: "100", ConfigOperation: kafkago.ConfigOperationSet}}}}}); err != nil {
		t.Fatal(err)
	}
	testenv.WaitFor(t, 3*time.Minute, "retention takes all", func() bool {
		r, err := client.ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{topic: {kafkago.FirstOffsetOf(0), kafkago.LastOffsetOf(0)}}})
		if err != nil {
			t.Fatal(err)
		}
		o := r.Topics[topic][0]
		return o.FirstOffset == o.LastOffset
	})
	if known, err := open(t, cfg).Known(t.Context()); err != nil || known == 0 {
		t.Errorf("known %d, %v; its shapes are there", known, err)
	}
}

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func subscriber(t testing.TB, s *kafka.Stream, sink string, marks ...change.Mark) stream.Subscriber {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), stream.Subscription{Sink: sink, Begin: func(context.Context, []change.Lane) ([]change.Mark, error) {
		return marks, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// failure fetches until the subscriber ends, and returns why.
func failure(t testing.TB, sub stream.Subscriber) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			if closing := sub.Close(); closing == nil || ctx.Err() != nil {
				t.Fatalf("close after %v: %v", err, closing)
			}
			return err
		}
		if err := sub.Commit(ctx, d); err != nil && !errors.Is(err, change.ErrFenced) {
			t.Fatal(err)
		}
	}
}

// TestBrokerRestarts: a broker that stops, and one that is killed, under a publisher and a subscriber that go on through it all. Each start
// of a broker takes 5 s, and 15 s where the machine is busy: the publisher waits for as long as it takes.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t)
	cfg := config(broker.Broker, broker.Prefix(t))
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	sub := subscriber(t, s, "sink")
	const rounds, each = 2, 40
	ctx, cancel := context.WithTimeout(t.Context(), 240*time.Second)
	defer cancel()
	for round := range rounds {
		for i := range each {
			publish(t, p, rows(table, 1, uint64(round*each+i+1), 5))
			if i == each/2 {
				if round == 1 {
					broker.Kill()
					broker.Start()
				} else {
					broker.Restart()
				}
			}
		}
		acked(t, p, uint64((round+1)*each))
	}
	closed(t, p)
	last := map[change.Lane]change.Position{}
	seen := 0
	for seen < rounds*each*5 {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch after %d changes: %v", seen, err)
		}
		for i := range d.Changes {
			if lane := d.From[0].Lane; last[lane].Less(d.Changes[i].Pos) {
				last[lane] = d.Changes[i].Pos
				seen++
			}
		}
		if err := sub.Commit(ctx, d); err != nil && !errors.Is(err, change.ErrFenced) {
			t.Fatal(err)
		}
	}
	closed(t, sub)
	if got := len(fetch(t, s, rounds*each*5)); got != rounds*each*5 {
		t.Errorf("the topic holds %d changes, published were %d", got, rounds*each*5)
	}
}

func client(t testing.TB, broker *testenv.Broker) *kafkago.Client {
	transport := &kafkago.Transport{MetadataTTL: 100 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafkago.Client{Addr: kafkago.TCP(broker.Addr), Transport: transport, Timeout: 20 * time.Second}
}

func TestTopicDeletedIsAGap(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	s := open(t, cfg)
	p := publisher(t, s, 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 9))
	acked(t, p, 1)
	closed(t, p)
	sub := subscriber(t, s, "sink")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	d, err := sub.Fetch(ctx, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Commit(ctx, d); err != nil {
		t.Fatal(err)
	}
	r, err := client(t, broker).DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{cfg.Prefix + ".public.orders"}})
	if err != nil || r.Errors[cfg.Prefix+".public.orders"] != nil {
		t.Fatal(err, r)
	}
	if err := failure(t, sub); !errors.Is(err, change.ErrGap) {
		t.Errorf("the subscriber ended with %v, want ErrGap", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cases := []struct {
		name    string
		prepare func(t *testing.T, cfg *kafka.Config)
		batch   func(table *change.Table) change.Batch
		want    error
		says    string
	}{
		{"a record above max_record", func(t *testing.T, cfg *kafka.Config) { cfg.MaxRecord = 4096 },
			func(table *change.Table) change.Batch { return update(table, 1, 1, strings.Repeat("x", 5000)) }, change.ErrHalt, "max_record"},
		{"a topic with another number of partitions", func(t *testing.T, cfg *kafka.Config) { broker.Topic(t, cfg.Prefix+".public.orders", 5) },
			func(table *change.Table) change.Batch { return rows(table, 1, 1, 1) }, change.ErrPreflight, "has 5 partitions"},
		{"a topic that ends in a later epoch", func(t *testing.T, cfg *kafka.Config) {
			p := publisher(t, open(t, *cfg), 9)
			publish(t, p, rows(orders(cfg.SourceID, "orders"), 9, 1, 20))
			acked(t, p, 1)
			closed(t, p)
		}, func(table *change.Table) change.Batch { return rows(table, 1, 2, 1) }, change.ErrGap, "above our epoch"},
		{"a topic that somebody else writes into", func(t *testing.T, cfg *kafka.Config) {
			broker.Topic(t, cfg.Prefix+".public.orders", cfg.Partitions)
			foreign(t, broker, cfg.Prefix+".public.orders")
		}, func(table *change.Table) change.Batch { return rows(table, 1, 2, 1) }, change.ErrHalt, "offset 0 was written by"},
		{"two tables in one topic", func(t *testing.T, cfg *kafka.Config) { cfg.Topic = "{prefix}.{table}" }, func(table *change.Table) change.Batch {
			other := orders(table.Source, table.Name)
			other.Schema = "archive"
			b := rows(table, 1, 1, 1)
			b.Changes = append(b.Changes, rows(other, 1, 2, 1).Changes...)
			return b
		}, change.ErrPreflight, "collides"},
		{"a table in our own topic", func(t *testing.T, cfg *kafka.Config) { cfg.Topic = "{prefix}.{table}" },
			func(table *change.Table) change.Batch { return rows(orders(table.Source, "schemas"), 1, 1, 1) }, change.ErrPreflight, "own topic"},
		{"a name that is too long", func(*testing.T, *kafka.Config) {},
			func(table *change.Table) change.Batch {
				return rows(orders(table.Source, strings.Repeat("n", 250)), 1, 1, 1)
			}, change.ErrPreflight, "249"},
		{"a table of another source", func(*testing.T, *kafka.Config) {},
			func(*change.Table) change.Batch { return rows(orders("other", "orders"), 1, 1, 1) }, change.ErrHalt, "of source other"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(broker, broker.Prefix(t))
			c.prepare(t, &cfg)
			p := publisher(t, open(t, cfg), 1)
			publish(t, p, c.batch(orders(cfg.SourceID, "orders")))
			for n := range p.Acked() {
				t.Errorf("%d batches were acknowledged", n)
			}
			if err := p.Close(); !errors.Is(err, c.want) || c.want == change.ErrPreflight && !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("ended with %v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

// foreign writes a record that isn't ours.
func foreign(t testing.TB, broker *testenv.Broker, topic string) {
	t.Helper()
	records := make([]kafkago.Record, 1)
	records[0].Key, records[0].Value = kafkago.NewBytes([]byte("k")), kafkago.NewBytes([]byte("v"))
	r, err := client(t, broker).Produce(t.Context(), &kafkago.ProduceRequest{Topic: topic, RequiredAcks: kafkago.RequireAll, Records: kafkago.NewRecordReader(records...)})
	if err != nil || r.Error != nil {
		t.Fatal(err, r)
	}
}

func TestForeignRecordHaltsTheSink(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	s := open(t, cfg)
	p := publisher(t, s, 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 9))
	acked(t, p, 1)
	closed(t, p)
	foreign(t, broker, cfg.Prefix+".public.orders")
	err := failure(t, subscriber(t, s, "sink"))
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), cfg.Prefix+".public.orders partition 0 offset") {
		t.Errorf("ended with %v, want ErrHalt with the record's place", err)
	}
}

func TestTombstoneFollowsItsDelete(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions, cfg.Tombstones, cfg.Unset = 1, true, codec.UnsetDebezium
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	gone := rows(table, 1, 2, 1)
	gone.Changes[0].Op, gone.Changes[0].Before, gone.Changes[0].After = change.Delete, gone.Changes[0].After, nil
	publish(t, p, rows(table, 1, 1, 1), gone)
	acked(t, p, 2)
	closed(t, p)
	sub := subscriber(t, s, "sink")
	defer closed(t, sub)
	ends, err := sub.Ends(t.Context())
	if err != nil || ends[0].Next != 4 { // marker, insert, delete, tombstone
		t.Fatalf("the topic ends at %+v, %v, want 4", ends, err)
	}
	var ops []change.Op
	for next := int64(0); next < ends[0].Next; {
		d, err := sub.Fetch(t.Context(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Changes {
			ops = append(ops, d.Changes[i].Op)
		}
		next = d.To[0].Next
		if err := sub.Commit(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(ops) != "[insert delete]" {
		t.Errorf("read %v", ops)
	}
	// The tail is the tombstone's, which is the delete's: neither comes again.
	p = publisher(t, s, 1)
	publish(t, p, gone)
	acked(t, p, 1)
	if n := kafka.Skipped(p); n != 1 {
		t.Errorf("%d changes were skipped, want the delete", n)
	}
	closed(t, p)
}

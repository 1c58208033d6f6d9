package kafka_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func deleteTopic(t testing.TB, broker *testenv.Broker, name string) {
	t.Helper()
	c := client(t, broker)
	r, err := c.DeleteTopics(t.Context(), &kafkago.DeleteTopicsRequest{Topics: []string{name}})
	if err != nil || r.Errors[name] != nil {
		t.Fatal(err, r)
	}
	testenv.Wait(t, "topic "+name+" is gone", func() bool {
		m, err := c.Metadata(t.Context(), &kafkago.MetadataRequest{Topics: []string{name}})
		return err == nil && len(m.Topics) == 1 && errors.Is(m.Topics[0].Error, kafkago.UnknownTopicOrPartition)
	})
}

// publishedOnce is a stream whose table orders has been published to, and how the next publisher opens.
func publishedOnce(t testing.TB, cfg kafka.Config) (*kafka.Stream, stream.Start) {
	t.Helper()
	s := open(t, cfg)
	p := publisher(t, s, 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 30))
	acked(t, p, 1)
	closed(t, p)
	return s, stream.Start{Epoch: 1, Announced: map[string]string{"public.orders": "fingerprint"}}
}

// isGap says that p ended because the topic is not what it was.
func isGap(t testing.TB, p stream.Publisher, topic string) {
	t.Helper()
	for range p.Acked() {
	}
	if err := p.Close(); !errors.Is(err, change.ErrGap) || !strings.Contains(err.Error(), topic) || !strings.Contains(err.Error(), "drop the pipeline") {
		t.Errorf("ended with %v, want ErrGap with the topic and the way out", err)
	}
}

// TestTopicGoneBetweenRuns: a topic that was deleted, or made anew, while no publisher was open.
func TestTopicGoneBetweenRuns(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cases := []struct {
		name  string
		anew  bool
		start func(*stream.Start)
		gap   bool
	}{
		{"deleted", false, func(*stream.Start) {}, true},
		{"made anew", true, func(*stream.Start) {}, true},
		{"deleted before anything was saved", false, func(s *stream.Start) { s.Announced = nil }, false},
		{"deleted, and another table was announced", false, func(s *stream.Start) { s.Announced = map[string]string{"public.other": ""} }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(broker, broker.Prefix(t))
			s, start := publishedOnce(t, cfg)
			topic := cfg.Prefix + ".public.orders"
			deleteTopic(t, broker, topic)
			if c.anew {
				broker.Topic(t, topic, cfg.Partitions)
			}
			c.start(&start)
			p, err := s.Publisher(t.Context(), start)
			if err != nil {
				t.Fatal(err)
			}
			publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 2, 30))
			if c.gap {
				isGap(t, p, topic)
				return
			}
			acked(t, p, 1)
			closed(t, p)
		})
	}
}

// TestTopicGoneUnderThePublisher: a topic that is deleted, or made anew, under a publisher that writes to it.
func TestTopicGoneUnderThePublisher(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	for _, anew := range []bool{false, true} {
		t.Run(map[bool]string{false: "deleted", true: "made anew"}[anew], func(t *testing.T) {
			t.Parallel()
			cfg := config(broker, broker.Prefix(t))
			p := publisher(t, open(t, cfg), 1)
			table := orders(cfg.SourceID, "orders")
			publish(t, p, rows(table, 1, 1, 30))
			acked(t, p, 1)
			topic := cfg.Prefix + ".public.orders"
			deleteTopic(t, broker, topic)
			if anew {
				broker.Topic(t, topic, cfg.Partitions)
			}
			publish(t, p, rows(table, 1, 2, 30))
			isGap(t, p, topic)
		})
	}
}

// TestRetentionIsNoGap: a topic whose every record has expired is still the same topic.
func TestRetentionIsNoGap(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t, "log.retention.check.interval.ms=100", "log.initial.task.delay.ms=0")
	cfg := config(broker.Broker, broker.Prefix(t))
	cfg.Retention = time.Millisecond
	s, start := publishedOnce(t, cfg)
	topic := cfg.Prefix + ".public.orders"
	c := client(t, broker.Broker)
	testenv.Wait(t, "everything has expired", func() bool {
		r, err := c.ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{topic: {
			kafkago.FirstOffsetOf(0), kafkago.LastOffsetOf(0), kafkago.FirstOffsetOf(1), kafkago.LastOffsetOf(1), kafkago.FirstOffsetOf(2), kafkago.LastOffsetOf(2)}}})
		if err != nil || len(r.Topics[topic]) != cfg.Partitions {
			return false
		}
		for _, p := range r.Topics[topic] {
			if p.Error != nil || p.FirstOffset == 0 || p.FirstOffset != p.LastOffset {
				return false
			}
		}
		return true
	})
	p, err := s.Publisher(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 2, 30))
	acked(t, p, 1)
	closed(t, p)
}

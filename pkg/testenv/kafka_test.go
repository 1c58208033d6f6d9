package testenv_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// clientOf returns a client whose connections end with the test.
func clientOf(t *testing.T, b *testenv.Broker) *kafka.Client {
	t.Helper()
	transport := &kafka.Transport{MetadataTTL: 50 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(b.Addr), Transport: transport, Timeout: 10 * time.Second}
}

func topicsOf(t *testing.T, client *kafka.Client) []string {
	t.Helper()
	metadata, err := client.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, topic := range metadata.Topics {
		names = append(names, topic.Name)
	}
	return names
}

func produce(ctx context.Context, client *kafka.Client, topic, value string) error {
	response, err := client.Produce(ctx, &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte(value))}),
	})
	if err != nil {
		return err
	}
	return response.Error
}

// hasty is produce for a broker that is not expected to answer.
func hasty(t *testing.T, client *kafka.Client, topic, value string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	return produce(ctx, client, topic, value)
}

func endOf(t *testing.T, client *kafka.Client, topic string) int64 {
	t.Helper()
	response, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return response.Topics[topic][0].LastOffset
}

func TestKafkaPrefix(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	client := clientOf(t, broker)
	var prefix string
	t.Run("a test", func(t *testing.T) {
		prefix = broker.Prefix(t)
		if other := broker.Prefix(t); other == prefix {
			t.Fatalf("two calls give %s", prefix)
		}
		broker.Topic(t, prefix+".a", 3, "retention.ms=60000")
		if err := produce(t.Context(), client, prefix+".a", "x"); err != nil {
			t.Fatal(err)
		}
	})
	testenv.Wait(t, "the topics of a test that ended are gone", func() bool {
		for _, name := range topicsOf(t, client) {
			if strings.HasPrefix(name, prefix) {
				return false
			}
		}
		return true
	})
}

func TestKafkaSettings(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	client := clientOf(t, broker)
	response, err := client.DescribeConfigs(t.Context(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeBroker, ResourceName: "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, entry := range response.Resources[0].ConfigEntries {
		have[entry.ConfigName] = entry.ConfigValue
	}
	for setting, want := range map[string]string{
		"auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": "0",
		"offsets.topic.num.partitions": "4", "transaction.state.log.num.partitions": "4",
	} {
		if have[setting] != want {
			t.Errorf("%s is %q, want %q", setting, have[setting], want)
		}
	}
}

func TestStartKafka(t *testing.T) {
	t.Parallel()
	s := testenv.StartKafka(t, "log.retention.ms=60000")
	client := clientOf(t, s.Broker)
	topic := s.Prefix(t) + ".a"
	s.Topic(t, topic, 1)
	if err := produce(t.Context(), client, topic, "x"); err != nil {
		t.Fatal(err)
	}

	s.Freeze()
	if err := hasty(t, client, topic, "y"); err == nil {
		t.Error("a frozen broker acknowledges")
	}
	s.Thaw()
	testenv.Wait(t, "a thawed broker acknowledges", func() bool { return produce(t.Context(), client, topic, "z") == nil })

	s.Kill()
	if err := hasty(t, client, topic, "w"); err == nil {
		t.Error("a killed broker acknowledges")
	}
	s.Start()
	testenv.Wait(t, "the partition is led again", func() bool { return produce(t.Context(), client, topic, "v") == nil })
	// x, z and v were acknowledged; y, sent before the thaw, may have been written.
	if end := endOf(t, client, topic); end < 3 || end > 4 {
		t.Errorf("the log ends at %d after kill -9, want 3 or 4", end)
	}
	s.Stop()
	if s.Running() {
		t.Error("a stopped broker runs")
	}
}

package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// Broker is a Kafka broker, of the tests or of one test.
type Broker struct {
	Addr string // host:port
}

// Kafka returns the shared broker of TAILWATER_KAFKA. Topics are not created by use.
func Kafka(t testing.TB) *Broker {
	t.Helper()
	return &Broker{Addr: lookup(t, kafkaName, "TAILWATER_KAFKA")}
}

// Prefix returns a string that no other test uses, [a-z0-9_] and at most 20 bytes: for topics, groups, source ids and slots. At
// cleanup the topics that begin with it are deleted.
func (b *Broker) Prefix(t testing.TB) string {
	t.Helper()
	prefix := "t" + random(6)
	t.Cleanup(func() {
		ctx, cancel := bounded(t, cleanupLimit)
		defer cancel()
		if err := b.deleteTopics(ctx, prefix); err != nil {
			t.Logf("clean up: %v", err) // a busy broker; nobody else uses these names, and it ends with the run
		}
	})
	return prefix
}

// Topic creates a topic with the settings ("name=value") and waits until its partitions have leaders.
func (b *Broker) Topic(t testing.TB, name string, partitions int, settings ...string) {
	t.Helper()
	topic := kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: 1}
	for _, setting := range settings {
		key, value, ok := strings.Cut(setting, "=")
		if !ok {
			t.Fatalf("topic setting %q is not name=value", setting)
		}
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	client, done := b.client()
	defer done()
	Wait(t, "topic "+name, func() bool { return created(t, client, topic) })
	Wait(t, "the leaders of topic "+name, func() bool { return led(t.Context(), client, name, partitions) })
}

// created makes a topic and reports whether it is there: a broker that is busy or has just started is asked again.
func created(t testing.TB, client *kafka.Client, topic kafka.TopicConfig) bool {
	t.Helper()
	response, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err == nil {
		err = response.Errors[topic.Topic]
	}
	var code kafka.Error
	switch {
	case err == nil, errors.Is(err, kafka.TopicAlreadyExists):
		return true
	case errors.As(err, &code) && !code.Temporary() && code != kafka.BrokerNotAvailable:
		t.Fatalf("create topic %s: %v", topic.Topic, err)
	}
	return false
}

// led reports whether each partition answers as its leader. Metadata name the leader a moment before it takes records.
func led(ctx context.Context, client *kafka.Client, topic string, partitions int) bool {
	requests := make([]kafka.OffsetRequest, partitions)
	for i := range requests {
		requests[i] = kafka.LastOffsetOf(i)
	}
	offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: requests}})
	if err != nil || len(offsets.Topics[topic]) != partitions {
		return false
	}
	for _, p := range offsets.Topics[topic] {
		if p.Error != nil {
			return false
		}
	}
	return true
}

// client returns a client with connections of its own; done closes them.
func (b *Broker) client() (client *kafka.Client, done func()) {
	transport := &kafka.Transport{MetadataTTL: waitLast, DialTimeout: 5 * time.Second}
	return &kafka.Client{Addr: kafka.TCP(b.Addr), Timeout: cleanupLimit, Transport: transport}, transport.CloseIdleConnections
}

func (b *Broker) deleteTopics(ctx context.Context, prefix string) error {
	client, done := b.client()
	defer done()
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return fmt.Errorf("list topics of %s: %w", b.Addr, err)
	}
	var names []string
	for _, topic := range metadata.Topics {
		if strings.HasPrefix(topic.Name, prefix) {
			names = append(names, topic.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	response, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names})
	if err != nil {
		return fmt.Errorf("delete topics %s*: %w", prefix, err)
	}
	for name, err := range response.Errors {
		if err != nil && !errors.Is(err, kafka.UnknownTopicOrPartition) {
			return fmt.Errorf("delete topic %s: %w", name, err)
		}
	}
	return nil
}

// KafkaServer is a broker of one test.
type KafkaServer struct {
	*Broker
	*Process
}

// A killed broker that comes back waits until the session of its life before has run out, which is 9 s by default.
const (
	shortSession   = "broker.session.timeout.ms=3000"
	shortHeartbeat = "broker.heartbeat.interval.ms=500"
)

// StartKafka makes and starts a broker for this test alone, ended at cleanup, with settings ("name=value") beside those of
// testdata/servers. It takes about five seconds and 350 MB.
func StartKafka(t testing.TB, settings ...string) *KafkaServer {
	t.Helper()
	s := newKafkaServer(t, settings)
	err := s.begin(func(p *Process) error {
		controller, err := freePort()
		if err != nil {
			return err
		}
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port))
		return p.run("prepare", p.Dir, strconv.Itoa(p.Port), strconv.Itoa(controller))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newKafkaServer(t testing.TB, settings []string) *KafkaServer {
	t.Helper()
	lookup(t, kafkaName, "TAILWATER_KAFKA_LIBS")
	s := &KafkaServer{Broker: &Broker{}, Process: &Process{
		Dir: rootedDir(t, "", kafkaName), t: t, name: kafkaName, recipe: recipe(t, kafkaName),
		settings: slices.Concat([]string{shortSession, shortHeartbeat}, settings), interrupt: syscall.SIGTERM,
	}}
	s.ready = s.answers
	return s
}

// Prefix returns a string as Broker's does; the topics go with the broker.
func (s *KafkaServer) Prefix(testing.TB) string { return "t" + random(6) }

// answers is the broker's readiness: it lists itself among the brokers.
func (s *KafkaServer) answers(ctx context.Context) error {
	client, done := s.client()
	defer done()
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{"__consumer_offsets"}})
	if err != nil {
		return fmt.Errorf("ask for the brokers: %w", err)
	}
	if len(metadata.Brokers) == 0 {
		return errors.New("the broker knows of no broker")
	}
	return nil
}

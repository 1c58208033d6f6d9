package kafka

import (
	"context"
	"fmt"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
)

// topicSpec is a topic as we make it.
type topicSpec struct {
	name       string
	partitions int
	configs    []createtopics.RequestConfig
	announced  bool // something was acknowledged of its table before
}

func (c *Config) schemaSpec() topicSpec {
	return topicSpec{name: c.schemaTopic(), partitions: 1, configs: []createtopics.RequestConfig{
		{Name: "cleanup.policy", Value: "compact"},
		{Name: "max.message.bytes", Value: strconv.Itoa(c.MaxRecord)},
	}}
}

// tableSpec: cleanup.policy=delete, because a record may be a partial row that compaction would leave as the only one of its key.
func (c *Config) tableSpec(name string) topicSpec {
	retention := "-1"
	if c.Retention > 0 {
		retention = strconv.FormatInt(c.Retention.Milliseconds(), 10)
	}
	return topicSpec{name: name, partitions: c.Partitions, configs: []createtopics.RequestConfig{
		{Name: "cleanup.policy", Value: "delete"},
		{Name: "retention.ms", Value: retention},
		{Name: "retention.bytes", Value: "-1"},
		{Name: "max.message.bytes", Value: strconv.Itoa(c.MaxRecord)},
		{Name: "compression.type", Value: "producer"},
	}}
}

// ensureTopics makes the topics that are missing, and refuses one that is there with another number of partitions: a key's lane would move
// (invariant 2). On return all have leaders.
func (s *Stream) ensureTopics(ctx context.Context, specs []topicSpec) error {
	names := make([]string, len(specs))
	for i := range specs {
		names[i] = specs[i].name
	}
	return s.client.retry(ctx, func() error {
		found, err := s.client.topics(ctx, names...)
		if err != nil {
			return err
		}
		var missing []topicSpec
		for _, spec := range specs {
			t, ok := found[spec.name]
			if !ok {
				missing = append(missing, spec)
				continue
			}
			if len(t.Partitions) != spec.partitions {
				return s.cfg.refuse("topic %s has %d partitions, %d are configured: a key's partition would change; set %s to %d, or delete the topic and take a new snapshot",
					spec.name, len(t.Partitions), spec.partitions, s.cfg.setting("partitions"), len(t.Partitions))
			}
			for _, p := range t.Partitions {
				if p.LeaderID < 0 || p.ErrorCode == int16(kafkago.LeaderNotAvailable) {
					return fmt.Errorf("topic %s: partition %d: %w", spec.name, p.PartitionIndex, errNoLeader)
				}
			}
		}
		if len(missing) == 0 {
			return nil
		}
		if err := s.createTopics(ctx, missing); err != nil {
			return err
		}
		return fmt.Errorf("topic %s: %w", missing[0].name, errNoLeader) // look again
	})
}

func (s *Stream) createTopics(ctx context.Context, specs []topicSpec) error {
	req := &createtopics.Request{TimeoutMs: int32(s.client.timeout.Milliseconds())}
	replication := int16(s.cfg.Replication)
	if replication == 0 {
		replication = -1
	}
	for _, spec := range specs {
		req.Topics = append(req.Topics, createtopics.RequestTopic{Name: spec.name, NumPartitions: int32(spec.partitions),
			ReplicationFactor: replication, Configs: spec.configs})
	}
	m, err := s.client.direct(ctx, -1, req)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, t := range m.(*createtopics.Response).Topics {
		switch code := kafkago.Error(t.ErrorCode); code {
		case 0:
			s.log.Info("topic created", "topic", t.Name)
		case kafkago.TopicAlreadyExists:
		case kafkago.InvalidReplicationFactor: // brokers that are starting don't count yet
			return fmt.Errorf("create topic %s: %w: %s", t.Name, code, t.ErrorMessage)
		case kafkago.InvalidTopic, kafkago.InvalidConfiguration, kafkago.PolicyViolation, kafkago.InvalidPartitionNumber:
			return s.cfg.refuse("create topic %s: %w: %s", t.Name, code, t.ErrorMessage)
		default:
			return fmt.Errorf("create topic %s: %w", t.Name, classify(code))
		}
	}
	return nil
}

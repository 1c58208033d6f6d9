package main

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
)

// streamEngine is what a stream offers.
type streamEngine struct {
	open   func(ctx context.Context, w wiring) (stream.Stream, error)
	topic  func(w wiring, t *change.Table) string
	grants func(w wiring) (string, error) // nil: nothing to grant, to check or to drop
	doctor func(ctx context.Context, w wiring) []preflight.Finding
	drop   func(ctx context.Context, w wiring) ([]string, error)
}

// streamEngines are the streams by the config's stream.type.
func streamEngines() map[string]streamEngine {
	return map[string]streamEngine{
		config.Kafka: {
			open: func(ctx context.Context, w wiring) (stream.Stream, error) {
				c, err := kafkaStream(w)
				if err != nil {
					return nil, err
				}
				return kafka.Open(ctx, c, w.log)
			},
			topic:  topicName,
			grants: kafkaGrants,
			doctor: kafkaDoctor,
			drop:   kafkaDrop,
		},
		config.Direct: {
			open:  func(_ context.Context, w wiring) (stream.Stream, error) { return direct.New(directStream(w)), nil },
			topic: func(wiring, *change.Table) string { return "" },
		},
	}
}

func directStream(w wiring) direct.Config {
	s := &w.pipeline.Stream
	return direct.Config{SourceID: w.pipeline.Source.ID, Sinks: sinkNames(w), MemoryBytes: directShare(w), AheadBytes: 2 * batchBytes(w),
		Atomic: s.Atomic, Lanes: s.Lanes, Log: w.log}
}

func kafkaStream(w wiring) (kafka.Config, error) {
	s := &w.pipeline.Stream
	compression, err := kafka.ParseCompression(s.Compression)
	if err != nil {
		return kafka.Config{}, fmt.Errorf("stream: %w", err)
	}
	secure, err := clientTLS(s.TLS)
	if err != nil {
		return kafka.Config{}, fmt.Errorf("stream.tls: %w: %w", err, change.ErrPreflight)
	}
	format, err := codec.ParseFormat(s.Format)
	if err != nil {
		return kafka.Config{}, fmt.Errorf("stream: %w: %w", err, change.ErrPreflight)
	}
	c := kafka.Config{
		Format:      format,
		SourceID:    w.pipeline.Source.ID,
		Brokers:     s.Brokers,
		TLS:         secure,
		Prefix:      s.Prefix,
		Topic:       s.Topic,
		Partitions:  s.Partitions,
		Replication: max(0, s.Replication), // the config's -1, the broker's default, is 0 there
		Retention:   durationOf(s.Retention),
		MaxRecord:   int(s.MaxRecord),
		Compression: compression,
		Unset:       codec.UnsetOmit,
		Tombstones:  s.Tombstones,
		Database:    databaseOf(w.pipeline.Source.URL),
		MemoryBytes: kafkaShare(w),
	}
	if s.Unset == "placeholder" {
		c.Unset = codec.UnsetDebezium
	}
	if format == codec.Avro {
		c.AsText = textColumns(s.TextColumns)
		r := &s.Registry
		secure, err := clientTLS(r.TLS)
		if err != nil {
			return kafka.Config{}, fmt.Errorf("stream.registry.tls: %w: %w", err, change.ErrPreflight)
		}
		c.Registry = &kafka.Registry{URL: r.URL, User: r.User, Password: r.Password.Reveal(), TLS: secure}
	}
	if c.SASL, err = mechanism(s.SASL); err != nil {
		return kafka.Config{}, fmt.Errorf("stream.sasl: %w: %w", err, change.ErrPreflight)
	}
	return c, nil
}

// textColumns says whether a column's name matches one of patterns of schema.table.column; a table's name may have dots.
func textColumns(patterns []string) func(t *change.Table, c *change.Column) bool {
	slashes := strings.NewReplacer("/", "\x00") // the one character that path.Match keeps apart
	match := func(pattern, name string) bool {
		yes, _ := path.Match(slashes.Replace(pattern), slashes.Replace(name)) // an error only for a bad pattern, which matches nothing
		return yes
	}
	return func(t *change.Table, c *change.Column) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			schema, rest, _ := strings.Cut(p, ".")
			dot := strings.LastIndexByte(rest, '.')
			return dot > 0 && match(schema, t.Schema) && match(rest[:dot], t.Name) && match(rest[dot+1:], c.Name)
		})
	}
}

// mechanism is how we say to a broker who we are; nil: we don't.
func mechanism(s config.SASL) (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "plain":
		return plain.Mechanism{Username: s.User, Password: s.Password.Reveal()}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, s.User, s.Password.Reveal())
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, s.User, s.Password.Reveal())
	}
	return nil, nil
}

func databaseOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.Trim(u.Path, "/")
}

// topicName is the topic of a table, for labels; empty where the table can have none, which the stream itself refuses.
func topicName(w wiring, t *change.Table) string {
	s := &w.pipeline.Stream
	name, err := kafka.TopicName(kafka.Config{Prefix: s.Prefix, Topic: s.Topic}, t.Schema, t.Name)
	if err != nil {
		return ""
	}
	return name
}

func kafkaGrants(w wiring) (string, error) {
	c, err := kafkaStream(w)
	if err != nil {
		return "", err
	}
	return kafka.ACLs(c), nil
}

func kafkaDoctor(ctx context.Context, w wiring) []preflight.Finding {
	c, err := kafkaStream(w)
	if err != nil {
		return []preflight.Finding{badSettings("kafka", err)}
	}
	return kafka.Doctor(ctx, c)
}

func kafkaDrop(ctx context.Context, w wiring) ([]string, error) {
	c, err := kafkaStream(w)
	if err != nil {
		return nil, err
	}
	names := sinkNames(w)
	stay, err := kafka.Drop(ctx, c, names, w.log)
	var said []string
	if err == nil {
		for _, n := range names {
			said = append(said, "consumer group of sink "+n+" deleted")
		}
	}
	for _, topic := range stay {
		said = append(said, "topic "+topic+" stays: others may read it")
	}
	return said, err
}

func sinkNames(w wiring) []string {
	names := make([]string, len(w.pipeline.Sinks))
	for i := range w.pipeline.Sinks {
		names[i] = w.pipeline.Sinks[i].Name
	}
	return names
}

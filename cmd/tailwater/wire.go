package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/segmentio/kafka-go/sasl/plain"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/checkpoint/file"
	"github.com/tailwater-cdc/tailwater/connectors"
	sourcepg "github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/sinks"
	sinkpg "github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// wiring is one pipeline's part of the configuration on its way to the rooms.
type wiring struct {
	pipeline *config.Pipeline
	memory   int // bytes that the pipeline's queues may hold together
	log      *slog.Logger
}

// sourceEngine is what a connector offers.
type sourceEngine struct {
	open   func(w wiring) connectors.Open
	grants func(w wiring) (string, error)
	doctor func(ctx context.Context, w wiring) []preflight.Finding
	drop   func(ctx context.Context, w wiring) ([]string, error)
	// lag is how many bytes of log lie between two Positions.
	lag func(head, read change.Position) int64
	// address is a Position as the server writes places in its log.
	address func(p change.Position) string
}

// sinkEngine is what a sink offers.
type sinkEngine struct {
	open   func(ctx context.Context, w wiring, s *config.Sink) (keptSink, error)
	grants func(w wiring, s *config.Sink) (string, error)
	doctor func(ctx context.Context, w wiring, s *config.Sink) []preflight.Finding
}

// keptSink is a sink that can say what it has parked, and forget a source.
type keptSink interface {
	sinks.MarkSink
	ListParked(ctx context.Context) ([]sinks.Parked, error)
	Drop(ctx context.Context) error
}

// streamEngine is what a stream offers.
type streamEngine struct {
	open   func(ctx context.Context, w wiring) (stream.Stream, error)
	topic  func(w wiring, t *change.Table) string
	grants func(w wiring) (string, error) // nil: nothing to grant, to check or to drop
	doctor func(ctx context.Context, w wiring) []preflight.Finding
	drop   func(ctx context.Context, w wiring) ([]string, error)
}

// sourceEngines are the connectors by the config's source.type.
func sourceEngines() map[string]sourceEngine {
	return map[string]sourceEngine{
		"postgres": {
			open:   func(w wiring) connectors.Open { return sourcepg.Open(postgresSource(w)) },
			grants: func(w wiring) (string, error) { return sourcepg.Grants(postgresSource(w)) },
			doctor: func(ctx context.Context, w wiring) []preflight.Finding {
				return sourcepg.Doctor(ctx, postgresSource(w))
			},
			drop: func(ctx context.Context, w wiring) ([]string, error) { return sourcepg.Drop(ctx, postgresSource(w)) },
			lag: func(head, read change.Position) int64 {
				if head.Commit < read.Commit {
					return 0
				}
				return int64(head.Commit - read.Commit)
			},
			address: func(p change.Position) string { return fmt.Sprintf("%X/%X", p.Commit>>32, uint32(p.Commit)) },
		},
	}
}

// sinkEngines are the sinks by the config's sinks[].type.
func sinkEngines() map[string]sinkEngine {
	return map[string]sinkEngine{
		"postgres": {
			open: func(ctx context.Context, w wiring, s *config.Sink) (keptSink, error) {
				return sinkpg.Open(ctx, postgresSink(w, s), w.log.With("sink", s.Name))
			},
			grants: func(w wiring, s *config.Sink) (string, error) { return sinkpg.Grants(postgresSink(w, s)) },
			doctor: func(ctx context.Context, w wiring, s *config.Sink) []preflight.Finding {
				return sinkpg.Doctor(ctx, postgresSink(w, s))
			},
		},
	}
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

// openStore locks the state folder and opens the checkpoints in it.
func openStore(dir string) (checkpoint.Store, error) { return file.Open(dir) }

// A pipeline's memory goes to what a stream keeps of unacknowledged and of fetched batches, by a quarter each, and to a direct stream's
// one queue by half. The source's queue only bridges the time of one Read: measured, an eighth carries as much as a half, in 90 MB less.
func sourceShare(w wiring) int { return w.memory / 8 }
func kafkaShare(w wiring) int  { return w.memory / 4 }
func directShare(w wiring) int { return w.memory / 2 }

func postgresSource(w wiring) sourcepg.Config {
	s := &w.pipeline.Source
	return sourcepg.Config{
		SourceID:     s.ID,
		URL:          postgresURL(s.URL, s.TLS),
		Password:     s.Password.Reveal(),
		Slot:         sourcepg.Object{Name: s.Slot.Name, Create: s.Slot.Create},
		Publication:  sourcepg.Object{Name: s.Publication.Name, Create: s.Publication.Create},
		Include:      s.Tables.Include,
		Exclude:      s.Tables.Exclude,
		MaxRowBytes:  int(s.MaxRowBytes),
		MemoryBytes:  sourceShare(w),
		SnapshotMode: sourcepg.SnapshotMode(s.Snapshot.Mode),
		Logger:       w.log,
	}
}

func postgresSink(w wiring, s *config.Sink) sinkpg.Config {
	return sinkpg.Config{
		SourceID:     w.pipeline.Source.ID,
		SinkName:     s.Name,
		URL:          postgresURL(s.URL, s.TLS),
		Password:     s.Password.Reveal(),
		Schema:       s.Schema,
		Mode:         sinkpg.Mode(s.Mode),
		CreateTables: s.CreateTables,
		MaxConns:     lanesAtOnce(w),
	}
}

// maxLanes is how many lanes a sink applies at once at most: each takes a connection of the target, and a core there.
const maxLanes = 8

// lanesAtOnce is how many lanes there are, as far as the config tells, up to maxLanes.
func lanesAtOnce(w wiring) int {
	s := &w.pipeline.Stream
	if s.Type == config.Direct {
		if s.Atomic {
			return 1
		}
		return min(maxLanes, s.Lanes)
	}
	tables := len(w.pipeline.Source.Tables.Include)
	if strings.ContainsAny(strings.Join(w.pipeline.Source.Tables.Include, ""), `*?[\`) {
		return maxLanes
	}
	return min(maxLanes, tables*s.Partitions)
}

// postgresURL puts the TLS settings back into a url, where the driver looks for them.
func postgresURL(address string, t config.TLS) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // the driver says what is wrong with it
	}
	q := u.Query()
	for name, value := range map[string]string{"sslmode": t.Mode, "sslrootcert": t.CA, "sslcert": t.Cert, "sslkey": t.Key} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func directStream(w wiring) direct.Config {
	s := &w.pipeline.Stream
	return direct.Config{SourceID: w.pipeline.Source.ID, Sinks: sinkNames(w), MemoryBytes: directShare(w), Atomic: s.Atomic, Lanes: s.Lanes, Log: w.log}
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
	c := kafka.Config{
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
	if s.SASL.Mechanism == "plain" {
		c.SASL = plain.Mechanism{Username: s.SASL.User, Password: s.SASL.Password.Reveal()}
	}
	return c, nil
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
		return []preflight.Finding{{Check: "kafka.config", Severity: preflight.Error, Summary: err.Error(), Fix: "correct the stream's settings"}}
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

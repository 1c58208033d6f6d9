package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/sasl"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// The defaults of what Config leaves zero.
const (
	DefaultTopic       = "{prefix}.{schema}.{table}"
	DefaultMaxRecord   = 8 << 20
	DefaultMemoryBytes = 64 << 20
)

// Config is one pipeline's stream.
type Config struct {
	SourceID    string         // unique per cluster
	Brokers     []string       // host:port, at least one
	TLS         *tls.Config    // nil: plain text
	SASL        sasl.Mechanism // nil: none. kafka-go's sasl/plain and sasl/scram make one
	Prefix      string         // first part of topic names; the schema topic is {prefix}.schemas
	Topic       string         // template of a table's topic over {prefix}, {schema} and {table}; empty: DefaultTopic
	Partitions  int            // of each table's topic, pinned for its life
	Replication int            // of topics that we make; 0: the broker's default
	Retention   time.Duration  // of a table's topic; 0: for ever
	MaxRecord   int            // bytes of the largest record, and max.message.bytes of topics that we make; 0: DefaultMaxRecord
	Compression Compression    // of what is published
	Format      codec.Format   // the envelope of what is published
	Registry    *Registry      // where Avro's schemas are registered; nil: another format
	Unset       codec.Unset    // how a column that the log didn't carry is written
	Tombstones  bool           // a null record after each delete
	Database    string         // source.db in the envelope of a Postgres source
	MemoryBytes int            // of batches that are published and not acknowledged, and, apart, of changes fetched ahead; 0: DefaultMemoryBytes

	AsText func(t *change.Table, c *change.Column) bool // whether a column is text in Avro, whatever it holds; nil: none is
}

func (c *Config) schemaTopic() string        { return c.Prefix + ".schemas" }
func (c *Config) transactionalID() string    { return "tailwater." + c.SourceID }
func (c *Config) group(sink string) string   { return "tailwater." + c.SourceID + "." + sink }
func (c *Config) setting(name string) string { return "stream.kafka." + name }
func (c *Config) batchBytes() int            { return min(c.MaxRecord, batchTarget) }
func (c *Config) inflated() int              { return 2 * max(c.MaxRecord, DefaultMaxRecord) }
func (c *Config) refuse(f string, a ...any) error {
	return fmt.Errorf("%w: %w", change.ErrPreflight, fmt.Errorf(f, a...))
}

// check fills in the defaults and refuses what can't work.
func (c *Config) check() error {
	if c.Topic == "" {
		c.Topic = DefaultTopic
	}
	if c.MaxRecord == 0 {
		c.MaxRecord = DefaultMaxRecord
	}
	if c.MemoryBytes == 0 {
		c.MemoryBytes = DefaultMemoryBytes
	}
	var errs []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	require(c.SourceID != "", "no source id")
	require(len(c.Brokers) > 0, "no brokers")
	require(c.Prefix != "" && sanitize(c.Prefix) == c.Prefix, "prefix %q: want letters, digits, '.', '_' and '-'", c.Prefix)
	require(strings.Contains(c.Topic, "{table}"), "topic template %q has no {table}: it would put all tables into one topic", c.Topic)
	require(c.Partitions > 0, "partitions: %d", c.Partitions)
	require(c.Replication >= 0, "replication: %d", c.Replication)
	require(c.Retention >= 0, "retention: %s", c.Retention)
	require(c.MaxRecord >= 1<<10 && c.MaxRecord <= 1<<30, "max_record: %d, want 1 KiB to 1 GiB", c.MaxRecord)
	require(c.MemoryBytes > 0, "memory: %d", c.MemoryBytes)
	require(c.Compression >= None && c.Compression <= Zstd, "compression: %d", c.Compression)
	require((c.Format == codec.Avro) == (c.Registry != nil), "format %s: a schema registry belongs to format %s, and to no other", c.Format, codec.Avro)
	if len(errs) > 0 {
		return c.refuse("kafka: %w", errors.Join(errs...))
	}
	return nil
}

package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// checks is the ids of findings of that severity.
func checks(findings []preflight.Finding, severity preflight.Severity) []string {
	var out []string
	for _, f := range findings {
		if f.Severity == severity {
			out = append(out, f.Check)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	if f := kafka.Doctor(t.Context(), cfg); len(checks(f, preflight.OK)) != 2 || len(f) != 2 {
		t.Errorf("of a cluster without our topics: %+v", f)
	}
	broker.Topic(t, cfg.Prefix+".public.compacted", cfg.Partitions, "cleanup.policy=compact", "max.message.bytes=1000000")
	p := publisher(t, open(t, cfg), 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 1), rows(orders(cfg.SourceID, "compacted"), 1, 2, 1))
	acked(t, p, 2)
	closed(t, p)
	cfg.Partitions, cfg.Replication = 5, 2
	findings := kafka.Doctor(t.Context(), cfg)
	if got := fmt.Sprint(checks(findings, preflight.Error)); got != "[kafka.cleanup_policy kafka.max_message_bytes kafka.partitions]" {
		t.Errorf("errors: %s in %+v", got, findings)
	}
	if got := fmt.Sprint(checks(findings, preflight.Warn)); got != "[kafka.replication]" {
		t.Errorf("warnings: %s in %+v", got, findings)
	}
	for _, f := range findings {
		if f.Severity != preflight.OK && f.Fix == "" {
			t.Errorf("%s names no fix", f.Check)
		}
	}
	cfg.Brokers = []string{"127.0.0.1:1"}
	if got := fmt.Sprint(checks(kafka.Doctor(t.Context(), cfg), preflight.Error)); got != "[kafka.reachable]" {
		t.Errorf("where nobody listens: %s", got)
	}
	if _, err := kafka.Open(t.Context(), cfg, quiet()); !errors.Is(err, change.ErrUnreachable) {
		t.Errorf("open where nobody listens: %v, want ErrUnreachable", err)
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	s := open(t, cfg)
	p := publisher(t, s, 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 3))
	acked(t, p, 1)
	closed(t, p)
	fetch(t, s, 3) // makes the group of the sink "reader"
	stay, err := kafka.Drop(t.Context(), cfg, []string{"reader", "never there"}, quiet())
	if want := fmt.Sprintf("[%s.public.orders %s.schemas]", cfg.Prefix, cfg.Prefix); err != nil || fmt.Sprint(stay) != want {
		t.Fatalf("dropped, %v stay, %v; want %s", stay, err, want)
	}
	if got := len(fetch(t, s, 3)); got != 3 { // without its offsets the sink begins anew
		t.Errorf("after the drop the sink read %d changes", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := kafka.Config{SourceID: "s", Brokers: []string{"b:9092"}, Prefix: "p", Partitions: 1}
	cases := []struct {
		name   string
		change func(c *kafka.Config)
		says   string
	}{
		{"no source id", func(c *kafka.Config) { c.SourceID = "" }, "source id"},
		{"no brokers", func(c *kafka.Config) { c.Brokers = nil }, "brokers"},
		{"a prefix that Kafka doesn't take", func(c *kafka.Config) { c.Prefix = "a b" }, "prefix"},
		{"one topic for all tables", func(c *kafka.Config) { c.Topic = "{prefix}.{schema}" }, "{table}"},
		{"no partitions", func(c *kafka.Config) { c.Partitions = 0 }, "partitions"},
		{"a tiny record", func(c *kafka.Config) { c.MaxRecord = 10 }, "max_record"},
		{"an unknown compression", func(c *kafka.Config) { c.Compression = 9 }, "compression"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			c.change(&cfg)
			if _, err := kafka.Open(t.Context(), cfg, quiet()); !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("open: %v, want ErrPreflight that says %q", err, c.says)
			}
		})
	}
	for _, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		if c, err := kafka.ParseCompression(name); err != nil || c.String() != name {
			t.Errorf("compression %s is %v, %v", name, c, err)
		}
	}
	if _, err := kafka.ParseCompression("zip"); err == nil {
		t.Error("compression zip was taken")
	}
	if got := kafka.ACLs(good); strings.Count(got, "kafka-acls.sh") != 3 || !strings.Contains(got, "--transactional-id tailwater.s") {
		t.Errorf("ACLs:\n%s", got)
	}
}

package kafka_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTopicsOfWaitingBatchesAreOpenedTogether: a backlog over many tables doesn't wait for the fence of one after the other.
func TestTopicsOfWaitingBatchesAreOpenedTogether(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	var said bytes.Buffer // read once the publisher has ended
	s, err := kafka.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	p := publisher(t, s, 1)
	const tables = 40
	for i := range tables {
		publish(t, p, rows(orders(cfg.SourceID, fmt.Sprintf("orders%d", i)), 1, uint64(i+1), 5))
	}
	acked(t, p, tables)
	closed(t, p)
	if n := strings.Count(said.String(), `msg="topics open"`); n == 0 || n > 10 {
		t.Errorf("%d openings for %d tables whose batches waited, want a few", n, tables)
	}
	if got := len(fetch(t, open(t, cfg), tables*5)); got != tables*5 {
		t.Errorf("%d rows came, want %d", got, tables*5)
	}
}

// TestARefusedTableWaitsItsTurn: what is wrong with a table is no reason to hold back what was committed before it.
func TestARefusedTableWaitsItsTurn(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	p := publisher(t, open(t, cfg), 1)
	const before = 20
	for i := range before {
		publish(t, p, rows(orders(cfg.SourceID, fmt.Sprintf("orders%d", i)), 1, uint64(i+1), 1))
	}
	publish(t, p, rows(orders("another", "orders"), 1, before+1, 1))
	for range p.Acked() {
	}
	if err := p.Close(); !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "another") {
		t.Errorf("the publisher ended with %v, want ErrHalt that names the source", err)
	}
	m, err := client(t, broker).Metadata(t.Context(), &kafkago.MetadataRequest{Topics: []string{fmt.Sprintf("%s.public.orders%d", cfg.Prefix, before-1)}})
	if err != nil {
		t.Fatal(err)
	}
	if m.Topics[0].Error != nil {
		t.Errorf("the table before the refused one has no topic: %v", m.Topics[0].Error)
	}
}

// TestManyVersionsOfATable: routes are forgotten beyond a number of them, never one that the batch at hand needs.
func TestManyVersionsOfATable(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	p := publisher(t, open(t, cfg), 1)
	first := orders(cfg.SourceID, "orders")
	many := rows(first, 1, 1, kafka.MaxRoutes+1)
	for i := range many.Changes {
		version := *first
		many.Changes[i].Table = &version
	}
	many.Changes[0].Table = first
	publish(t, p, many)
	next := rows(orders(cfg.SourceID, "items"), 1, 2, 2) // its first row's table is new, the second's is routed
	next.Changes[1].Table = first
	publish(t, p, next)
	acked(t, p, 2)
	closed(t, p)
}

package kafka_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRebalancesAreShort, where a group without members makes the first one wait for 3 s, as brokers do by default: a member that has died
// holds up the next one for no longer than rebalanceTimeout, and a new table costs no wait.
func TestRebalancesAreShort(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t, "group.initial.rebalance.delay.ms=3000")
	cfg := config(broker.Broker, broker.Prefix(t))
	s := open(t, cfg)
	p := publisher(t, s, 1)
	defer closed(t, p)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 5))
	acked(t, p, 1)
	deadMember(t, broker.Addr, "tailwater."+cfg.SourceID+".sink", cfg.Prefix+".public.orders")

	began := time.Now()
	sub := subscriber(t, s, "sink")
	defer closed(t, sub)
	read(t, sub, 5)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the lanes of a dead member came after %s", took)
	}
	began = time.Now()
	publish(t, p, rows(orders(cfg.SourceID, "invoices"), 1, 2, 5))
	read(t, sub, 5)
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("the lanes of a new table came after %s", took)
	}
}

// read fetches and commits n changes.
func read(t testing.TB, sub stream.Subscriber, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for n > 0 {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch with %d changes to go: %v", n, err)
		}
		n -= len(d.Changes)
		if err := sub.Commit(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
}

// deadMember joins the group and is cut off from the network once it has lanes.
func deadMember(t testing.TB, addr, group, topic string) {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	dead := false
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return nil, errors.New("dead")
		}
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		conns = append(conns, c)
		return c, err
	}
	g, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{ID: group, Brokers: []string{addr}, Topics: []string{topic},
		GroupBalancers: []kafkago.GroupBalancer{kafka.ByTopic}, Dialer: &kafkago.Dialer{DialFunc: dial},
		SessionTimeout: kafka.SessionTimeout, RebalanceTimeout: kafka.RebalanceTimeout, JoinGroupBackoff: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, err = g.Next(ctx); err != nil; _, err = g.Next(ctx) {
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	dead = true
	for _, c := range conns {
		_ = c.Close() // it may be closed already
	}
	mu.Unlock()
	_ = g.Close() // it can't leave
}

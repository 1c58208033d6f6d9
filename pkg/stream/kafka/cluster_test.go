package kafka_test

import (
	"fmt"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestLeaderMoves: the broker that leads a partition is killed while we publish, and comes back; then another one. Nothing is lost,
// nothing is there twice, and the order holds.
func TestLeaderMoves(t *testing.T) {
	t.Parallel()
	cluster := testenv.StartKafkaCluster(t)
	cfg := config(cluster.Nodes[0].Broker, "moves")
	cfg.Brokers, cfg.Replication = cluster.Addrs(), 3
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	topic := cfg.Prefix + ".public.orders"
	publish(t, p, rows(table, 1, 1, 7))
	acked(t, p, 1)
	const rounds, each = 2, 400
	n := uint64(1)
	for range rounds {
		leader := cluster.Leader(t, topic, 0)
		for i := range each {
			n++
			publish(t, p, rows(table, 1, n, 7))
			if i == each/2 {
				leader.Kill()
			}
		}
		acked(t, p, n) // two of three are left
		leader.Start()
	}
	cluster.Leader(t, topic, 0)
	closed(t, p)
	inOrder(t, cfg, fetch(t, s, int(n)*7), int(n)*7)
	total := int64(0)
	for i := range cfg.Partitions {
		total += ends(t, cluster.Nodes[0].Broker, topic, i) - 1 // the fence's control batch
	}
	if total != int64(n)*7 {
		t.Errorf("the topic holds %d records, published were %d", total, n*7)
	}

	if got := fmt.Sprint(checks(kafka.Doctor(t.Context(), cfg), preflight.OK)); got != "[kafka.reachable kafka.topics]" {
		t.Errorf("of a cluster that is as configured: %s", got)
	}
	doctorWithOneCopy(t, cluster, cfg)
}

// doctorWithOneCopy: a topic with fewer copies than are configured, and fewer than it wants in sync.
func doctorWithOneCopy(t testing.TB, cluster *testenv.KafkaCluster, cfg kafka.Config) {
	t.Helper()
	cfg.Prefix, cfg.SourceID = "single", "singles"
	cluster.Nodes[0].Topic(t, cfg.Prefix+".public.orders", cfg.Partitions, "min.insync.replicas=1", "max.message.bytes=8388608")
	p := publisher(t, open(t, cfg), 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 1, 7))
	acked(t, p, 1)
	closed(t, p)
	findings := kafka.Doctor(t.Context(), cfg)
	if got := fmt.Sprint(checks(findings, preflight.Warn)); got != "[kafka.replication]" {
		t.Errorf("warnings: %s in %+v", got, findings)
	}
	c := client(t, cluster.Nodes[0].Broker)
	r, err := c.IncrementalAlterConfigs(t.Context(), &kafkago.IncrementalAlterConfigsRequest{Resources: []kafkago.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafkago.ResourceTypeTopic, ResourceName: cfg.Prefix + ".public.orders",
		Configs: []kafkago.IncrementalAlterConfigsRequestConfig{{Name: "min.insync.replicas", Value: "2", ConfigOperation: kafkago.ConfigOperationSet}}}}})
	if err != nil || r.Resources[0].Error != nil {
		t.Fatal(err, r)
	}
	testenv.Wait(t, "the doctor sees that nothing can be written", func() bool {
		return fmt.Sprint(checks(kafka.Doctor(t.Context(), cfg), preflight.Error)) == "[kafka.min_insync]"
	})
}

// inOrder says that seen has n changes, in order within each lane and none twice.
func inOrder(t testing.TB, cfg kafka.Config, seen []change.Change, n int) {
	t.Helper()
	if len(seen) != n {
		t.Errorf("the topic holds %d changes, published were %d", len(seen), n)
	}
	last := map[int32]change.Position{}
	for i := range seen {
		key, err := change.AppendLaneKey(nil, seen[i].Table, seen[i].Row())
		if err != nil {
			t.Fatal(err)
		}
		lane := change.LaneOf(key, int32(cfg.Partitions))
		if !last[lane].Less(seen[i].Pos) {
			t.Fatalf("lane %d: %s stands behind %s", lane, seen[i].Pos, last[lane])
		}
		last[lane] = seen[i].Pos
	}
}

// ends is a partition's end offset.
func ends(t testing.TB, broker *testenv.Broker, topic string, partition int) int64 {
	t.Helper()
	r, err := client(t, broker).ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{
		topic: {kafkago.LastOffsetOf(partition)}}})
	if err != nil || len(r.Topics[topic]) != 1 || r.Topics[topic][0].Error != nil {
		t.Fatal(err, r)
	}
	return r.Topics[topic][0].LastOffset
}

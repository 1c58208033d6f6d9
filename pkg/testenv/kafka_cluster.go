package testenv

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// KafkaCluster is several brokers of one test, each a controller too. Topics keep three copies and take records while two are in sync.
type KafkaCluster struct {
	Nodes []*KafkaServer // node i has the id i+1
}

const (
	clusterNodes = 3
	clusterLimit = 3 * time.Minute // a broker that comes back copies what it lacks; on two busy cores three JVMs take their time
)

// StartKafkaCluster makes and starts three brokers for this test alone, ended at cleanup. It takes about ten seconds and 900 MB.
func StartKafkaCluster(t testing.TB) *KafkaCluster {
	t.Helper()
	c := &KafkaCluster{}
	var ports, voters []string
	for i := range clusterNodes {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, strconv.Itoa(port))
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, port))
		c.Nodes = append(c.Nodes, newKafkaServer(t, []string{"-Xmx256m", "default.replication.factor=3", "min.insync.replicas=2",
			"offsets.topic.replication.factor=3", "transaction.state.log.replication.factor=3", "transaction.state.log.min.isr=2",
			"controller.quorum.election.timeout.ms=500", "controller.quorum.fetch.timeout.ms=1000"}))
	}
	errs := make([]error, clusterNodes)
	var wg sync.WaitGroup
	for i, s := range c.Nodes { // none is ready before two of them are there
		wg.Go(func() {
			errs[i] = s.begin(func(p *Process) error {
				s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port))
				return p.run("prepare", p.Dir, strconv.Itoa(p.Port), ports[i], strconv.Itoa(i+1), strings.Join(voters, ","))
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return c
}

// Addrs is every broker's address.
func (c *KafkaCluster) Addrs() []string {
	var out []string
	for _, s := range c.Nodes {
		out = append(out, s.Addr)
	}
	return out
}

// Leader waits until a partition has a leader that runs and all copies are in sync, and returns it.
func (c *KafkaCluster) Leader(t testing.TB, topic string, partition int) *KafkaServer {
	t.Helper()
	var leader *KafkaServer
	WaitFor(t, clusterLimit, fmt.Sprintf("the copies of %s/%d are in sync", topic, partition), func() bool {
		leader = nil
		for _, s := range c.Nodes {
			if !s.Running() {
				continue
			}
			client, done := s.client()
			m, err := client.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic}})
			done()
			if err != nil || len(m.Topics) != 1 || partition >= len(m.Topics[0].Partitions) {
				return false
			}
			p := m.Topics[0].Partitions[partition]
			if len(p.Isr) != clusterNodes || p.Leader.ID < 1 || p.Leader.ID > clusterNodes {
				return false
			}
			leader = c.Nodes[p.Leader.ID-1]
			return leader.Running()
		}
		return false
	})
	return leader
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const clientID = "tailwater"

const (
	requestTimeout = 15 * time.Second // for a broker's answer; then the same request goes out on another connection
	metadataTTL    = time.Second      // how soon the transport sees a new or moved broker; it asks for our schema topic only
	backOffFirst   = 20 * time.Millisecond
	backOffLast    = 2 * time.Second
)

var (
	errOldBroker = errors.New("the broker is older than Kafka 2.4")
	errNoLeader  = errors.New("no leader")
)

// client is the one way to the cluster. It keeps the partitions' leaders itself and asks for them again whenever a broker says that
// they have moved: the transport's own cache is only as fresh as its TTL.
type client struct {
	addr      net.Addr
	transport *kafkago.Transport
	api       *kafkago.Client
	sockets   *sockets
	timeout   time.Duration

	mu      sync.Mutex
	leaders map[string][]int32 // topic -> partition -> broker, -1 where there is none now
}

func newClient(cfg *Config) *client {
	s := &sockets{open: map[*socket]struct{}{}}
	t := &kafkago.Transport{
		Dial: s.dial, DialTimeout: dialTimeout, MetadataTTL: metadataTTL, MetadataTopics: []string{cfg.schemaTopic()},
		ClientID: clientID, TLS: cfg.TLS, SASL: cfg.SASL,
	}
	addr := kafkago.TCP(cfg.Brokers...)
	return &client{addr: addr, transport: t, api: &kafkago.Client{Addr: addr, Timeout: requestTimeout, Transport: t}, sockets: s,
		timeout: requestTimeout, leaders: map[string][]int32{}}
}

func (c *client) close() {
	c.transport.CloseIdleConnections()
	c.sockets.close()
}

// brokerOf is the broker with that id, or, for -1, whichever the transport likes.
func brokerOf(cluster protocol.Cluster, id int32) (protocol.Broker, error) {
	if id < 0 {
		return protocol.Broker{ID: -1}, nil
	}
	b, ok := cluster.Brokers[id]
	if !ok {
		return b, fmt.Errorf("broker %d: %w", id, kafkago.BrokerNotAvailable)
	}
	return b, nil
}

// direct sends a request of kafka-go's to one broker as it is: not from the transport's cache, not split up, and without
// the transport's own conclusions from the answer.
type direct struct {
	broker   int32
	request  protocol.Message
	version  int16
	response protocol.Message
}

// ApiKey is protocol.Message.
func (d *direct) ApiKey() protocol.ApiKey { return d.request.ApiKey() }

// Broker is protocol.BrokerMessage.
func (d *direct) Broker(c protocol.Cluster) (protocol.Broker, error) { return brokerOf(c, d.broker) }

// Required is protocol.RawExchanger.
func (d *direct) Required(versions map[protocol.ApiKey]int16) bool {
	d.version = versions[d.request.ApiKey()]
	return true
}

// RawExchange is protocol.RawExchanger.
func (d *direct) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	m, err := protocol.RoundTrip(rw, d.version, correlation, clientID, d.request)
	d.response = m
	return d, err
}

func (c *client) direct(ctx context.Context, broker int32, m protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	d := &direct{broker: broker, request: m}
	if _, err := c.transport.RoundTrip(ctx, c.addr, d); err != nil {
		return nil, err
	}
	return d.response, nil
}

// topics asks the cluster for topics as they are now, all of them if none is named, and remembers their leaders. Topics that don't exist are
// absent from the answer.
func (c *client) topics(ctx context.Context, names ...string) (map[string]metadata.ResponseTopic, error) {
	m, err := c.direct(ctx, -1, &metadata.Request{TopicNames: names})
	if err != nil {
		return nil, fmt.Errorf("ask for topics: %w", unreachable(err))
	}
	out := map[string]metadata.ResponseTopic{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range m.(*metadata.Response).Topics {
		switch code := kafkago.Error(t.ErrorCode); code {
		case 0, kafkago.LeaderNotAvailable:
		case kafkago.UnknownTopicOrPartition:
			delete(c.leaders, t.Name)
			continue
		default:
			return nil, fmt.Errorf("ask for topic %s: %w", t.Name, classify(code))
		}
		leaders := make([]int32, len(t.Partitions))
		for _, p := range t.Partitions {
			if int(p.PartitionIndex) >= len(leaders) || p.PartitionIndex < 0 {
				return nil, fmt.Errorf("ask for topic %s: partition %d of %d", t.Name, p.PartitionIndex, len(leaders))
			}
			leaders[p.PartitionIndex] = p.LeaderID
		}
		c.leaders[t.Name] = leaders
		out[t.Name] = t
	}
	return out, nil
}

// leader is the broker to ask for a lane as far as known; -1: unknown, ask for the topic again.
func (c *client) leader(l change.Lane) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if leaders := c.leaders[l.Stream]; int(l.N) < len(leaders) {
		return leaders[l.N]
	}
	return -1
}

// byLeader groups lanes by the broker that leads them, having asked again where that isn't known.
func (c *client) byLeader(ctx context.Context, lanes []change.Lane) (map[int32][]change.Lane, error) {
	out, err := c.leadersOf(ctx, lanes)
	if err == nil && len(out[-1]) > 0 {
		err = fmt.Errorf("topics %v: %w", topicsOf(out[-1]), errNoLeader)
	}
	return out, err
}

// leadersOf is byLeader where lanes without a leader stand under -1.
func (c *client) leadersOf(ctx context.Context, lanes []change.Lane) (map[int32][]change.Lane, error) {
	group := func() map[int32][]change.Lane {
		out := map[int32][]change.Lane{}
		for _, l := range lanes {
			b := max(c.leader(l), -1)
			out[b] = append(out[b], l)
		}
		return out
	}
	out := group()
	if len(out[-1]) == 0 {
		return out, nil
	}
	if _, err := c.topics(ctx, topicsOf(out[-1])...); err != nil {
		return nil, err
	}
	return group(), nil
}

func topicsOf(lanes []change.Lane) []string {
	names := map[string]bool{}
	for _, l := range lanes {
		names[l.Stream] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// offsets asks for one offset of every lane: kafkago.FirstOffset or kafkago.LastOffset (the high watermark). It retries until ctx ends
// where a leader has moved or is away.
func (c *client) offsets(ctx context.Context, lanes []change.Lane, which int64) (map[change.Lane]int64, error) {
	var out map[change.Lane]int64
	err := c.retry(ctx, func() (err error) {
		out, err = c.offsetsOnce(ctx, lanes, which)
		return err
	})
	return out, err
}

func (c *client) offsetsOnce(ctx context.Context, lanes []change.Lane, which int64) (map[change.Lane]int64, error) {
	groups, err := c.byLeader(ctx, lanes)
	if err != nil {
		return nil, err
	}
	out := make(map[change.Lane]int64, len(lanes))
	for broker, group := range groups {
		req := &listoffsets.Request{ReplicaID: -1}
		for _, l := range group {
			if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != l.Stream {
				req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: l.Stream})
			}
			t := &req.Topics[len(req.Topics)-1]
			t.Partitions = append(t.Partitions, listoffsets.RequestPartition{Partition: l.N, CurrentLeaderEpoch: -1, Timestamp: which})
		}
		m, err := c.direct(ctx, broker, req)
		if err != nil {
			return nil, fmt.Errorf("ask broker %d for offsets: %w", broker, err)
		}
		for _, t := range m.(*listoffsets.Response).Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					c.forget(t.Topic)
					return nil, fmt.Errorf("offsets of %s/%d: %w", t.Topic, p.Partition, classify(kafkago.Error(p.ErrorCode)))
				}
				out[change.Lane{Stream: t.Topic, N: p.Partition}] = p.Offset
			}
		}
	}
	if len(out) != len(lanes) {
		return nil, fmt.Errorf("offsets of %d lanes: %d came", len(lanes), len(out))
	}
	return out, nil
}

// forget makes the next use of the topic ask for its leaders.
func (c *client) forget(topic string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.leaders, topic)
}

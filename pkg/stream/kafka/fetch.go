package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// fetchMax is how much one response may carry, in bytes, beyond a first batch that is larger. fetchLimit bounds what we read of it.
const (
	fetchMax   = 32 << 20
	fetchLimit = fetchMax + 1<<30
)

// fetchLane asks for one lane's batches from an offset on.
type fetchLane struct {
	lane     change.Lane
	offset   int64
	maxBytes int32
}

// fetched is what came for one lane. records belongs to whoever gets it.
type fetched struct {
	lane     change.Lane
	code     kafkago.Error
	end      int64 // high watermark
	logStart int64
	records  []byte // whole record batches, the last one perhaps cut off; the first may begin below the offset asked for
}

// fetch asks one broker for the lanes that it leads, without a session: each request says all. The broker answers as soon as it has
// anything, or after wait.
type fetch struct {
	broker int32
	wait   time.Duration
	lanes  []fetchLane

	usable bool
	out    []fetched
}

// ApiKey is protocol.Message.
func (f *fetch) ApiKey() protocol.ApiKey { return protocol.Fetch }

// Broker is protocol.BrokerMessage.
func (f *fetch) Broker(c protocol.Cluster) (protocol.Broker, error) { return brokerOf(c, f.broker) }

// Required is protocol.RawExchanger.
func (f *fetch) Required(versions map[protocol.ApiKey]int16) bool {
	f.usable = versions[protocol.Fetch] >= fetchVersion
	return true
}

// RawExchange is protocol.RawExchanger.
func (f *fetch) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if !f.usable {
		return nil, errOldBroker
	}
	if _, err := rw.Write(f.request()); err != nil {
		return nil, fmt.Errorf("write a fetch request: %w", err)
	}
	body, err := readResponse(rw, nil, fetchLimit, correlation)
	if err != nil {
		return nil, err
	}
	f.out, err = parseFetch(body)
	return f, err
}

func (f *fetch) request() []byte {
	be := binary.BigEndian
	b := appendRequestHeader(make([]byte, 0, 128+64*len(f.lanes)), protocol.Fetch, fetchVersion, correlation)
	b = be.AppendUint32(b, 0xffffffff) // replica: none, a client
	b = be.AppendUint32(b, uint32(f.wait.Milliseconds()))
	b = be.AppendUint32(b, 1) // as soon as there is one byte
	b = be.AppendUint32(b, fetchMax)
	b = append(b, 0)                   // read uncommitted: nothing of ours is in a transaction
	b = be.AppendUint32(b, 0)          // no session
	b = be.AppendUint32(b, 0xffffffff) // final epoch
	b = be.AppendUint32(b, uint32(len(f.lanes)))
	for _, l := range f.lanes { // a topic may stand more than once; lanes keep the order in which they are to be served
		b = appendText(b, l.lane.Stream)
		b = be.AppendUint32(b, 1)
		b = be.AppendUint32(b, uint32(l.lane.N))
		b = be.AppendUint32(b, 0xffffffff) // leader epoch unknown
		b = be.AppendUint64(b, uint64(l.offset))
		b = be.AppendUint64(b, ^uint64(0)) // log start: for followers
		b = be.AppendUint32(b, uint32(l.maxBytes))
	}
	b = be.AppendUint32(b, 0) // forgotten topics
	b = appendText(b, "")     // rack
	be.PutUint32(b, uint32(len(b)-4))
	return b
}

// parseFetch takes a fetch response apart; the records are parts of body.
func parseFetch(body []byte) ([]fetched, error) {
	r := wireReader{b: body}
	r.int32() // throttle
	if code := kafkago.Error(r.int16()); code != 0 {
		return nil, fmt.Errorf("fetch: %w", code)
	}
	r.int32() // session
	var out []fetched
	for range r.count(6) {
		topic := r.text()
		for range r.count(38) {
			f := fetched{lane: change.Lane{Stream: topic, N: r.int32()}, code: kafkago.Error(r.int16()), end: r.int64()}
			r.int64() // last stable offset
			f.logStart = r.int64()
			for range r.count(16) {
				r.int64()
				r.int64()
			}
			r.int32() // preferred replica
			f.records = r.bytes()
			out = append(out, f)
		}
	}
	if r.bad {
		return nil, fmt.Errorf("fetch: %w", errShort)
	}
	return out, nil
}

// fetch asks broker for lanes. Its error is of the connection; those of lanes stand in what it returns.
func (c *client) fetch(ctx context.Context, broker int32, lanes []fetchLane, wait time.Duration) ([]fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+wait)
	defer cancel()
	f := &fetch{broker: broker, wait: wait, lanes: lanes}
	m, err := c.transport.RoundTrip(ctx, c.addr, f)
	if err != nil {
		return nil, fmt.Errorf("fetch %d lanes from broker %d: %w", len(lanes), broker, err)
	}
	return m.(*fetch).out, nil
}

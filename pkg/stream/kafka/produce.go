package kafka

import (
	"encoding/binary"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// The versions of the two requests that we write ourselves. Both are the highest that kafka-go negotiates and inside what brokers from 2.4
// to 4.x take.
const (
	produceVersion = 8
	fetchVersion   = 11
)

// produceLimit bounds the answer to a produce request of one partition, in bytes.
const produceLimit = 1 << 20

// coalesce is up to which size a batch is copied behind its request's header, so that both leave in one write.
const coalesce = 64 << 10

// produce sends one record batch to one partition with acks=all. It reads batch only; its outcome is unknown after an error of the round
// trip.
type produce struct {
	broker  int32
	topic   string
	n       int32
	timeout int32 // milliseconds that the broker may wait for its replicas
	batch   []byte

	usable bool
	code   kafkago.Error
	reason string
}

// ApiKey is protocol.Message.
func (p *produce) ApiKey() protocol.ApiKey { return protocol.Produce }

// Broker is protocol.BrokerMessage.
func (p *produce) Broker(c protocol.Cluster) (protocol.Broker, error) { return brokerOf(c, p.broker) }

// Required is protocol.RawExchanger.
func (p *produce) Required(versions map[protocol.ApiKey]int16) bool {
	p.usable = versions[protocol.Produce] >= produceVersion
	return true
}

// RawExchange is protocol.RawExchanger.
func (p *produce) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if !p.usable {
		return nil, errOldBroker
	}
	head := appendRequestHeader(make([]byte, 0, 128+len(p.topic)), protocol.Produce, produceVersion)
	head = append(head, 0xff, 0xff) // no transaction
	head = append(head, 0xff, 0xff) // acks: all in-sync replicas
	head = binary.BigEndian.AppendUint32(head, uint32(p.timeout))
	head = binary.BigEndian.AppendUint32(head, 1)
	head = appendText(head, p.topic)
	head = binary.BigEndian.AppendUint32(head, 1)
	head = binary.BigEndian.AppendUint32(head, uint32(p.n))
	head = binary.BigEndian.AppendUint32(head, uint32(len(p.batch)))
	binary.BigEndian.PutUint32(head, uint32(len(head)+len(p.batch)-4))
	rest := p.batch
	if len(rest) <= coalesce {
		head, rest = append(head, rest...), nil
	}
	for _, b := range [][]byte{head, rest} {
		if len(b) == 0 {
			continue
		}
		if _, err := rw.Write(b); err != nil {
			return nil, fmt.Errorf("write a produce request: %w", err)
		}
	}
	body, err := readResponse(rw, nil, produceLimit)
	if err != nil {
		return nil, err
	}
	return p, p.parse(body)
}

func (p *produce) parse(body []byte) error {
	r := wireReader{b: body}
	if r.count(1) != 1 || r.text() != p.topic || r.count(1) != 1 || r.int32() != p.n {
		return fmt.Errorf("produce to %s/%d: the response is of something else", p.topic, p.n)
	}
	p.code = kafkago.Error(r.int16())
	r.int64() // base offset
	r.int64() // append time
	r.int64() // log start
	for range r.count(6) {
		r.int32()
		if reason := r.text(); p.reason == "" {
			p.reason = reason
		}
	}
	if reason := r.text(); reason != "" {
		p.reason = reason
	}
	if r.bad {
		return fmt.Errorf("produce to %s/%d: %w", p.topic, p.n, errShort)
	}
	return nil
}

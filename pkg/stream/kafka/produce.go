package kafka

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

// The versions of the two requests that we write ourselves. Both are the highest that kafka-go negotiates and inside what brokers from 2.4
// to 4.x take.
const (
	produceVersion = 8
	fetchVersion   = 11
)

// produceLimit bounds the answer to a produce request, in bytes.
const produceLimit = 4 << 20

// coalesce is up to which size a batch is copied behind what precedes it, so that both leave in one write.
const coalesce = 64 << 10

// flight is one produce request: a record batch each to some partitions of one broker, with acks=all.
type flight struct {
	id    uint32
	parts []part // by topic and partition once sorted
}

// part is a flight's batch of one lane, and what the broker says of it.
type part struct {
	lane     *lane
	chunk    *chunk
	answered bool
	code     kafkago.Error
	base     int64 // offset of the batch's first record
	reason   string
}

func (p *part) compare(topic string, n int32) int {
	return cmp.Or(strings.Compare(p.lane.id.Stream, topic), cmp.Compare(p.lane.id.N, n))
}

func (f *flight) sort() {
	slices.SortFunc(f.parts, func(a, b part) int { return a.compare(b.lane.id.Stream, b.lane.id.N) })
}

// topicLen is how many parts from i on are of one topic.
func (f *flight) topicLen(i int) int {
	n := i + 1
	for n < len(f.parts) && f.parts[n].lane.id.Stream == f.parts[i].lane.id.Stream {
		n++
	}
	return n - i
}

// send writes the request. b is room for it, and returned to be used again.
func (f *flight) send(w io.Writer, b []byte, timeout time.Duration) ([]byte, error) {
	be := binary.BigEndian
	b = appendRequestHeader(b[:0], protocol.Produce, produceVersion, f.id)
	b = append(b, 0xff, 0xff) // no transaction
	b = append(b, 0xff, 0xff) // acks: all in-sync replicas
	b = be.AppendUint32(b, uint32(timeout.Milliseconds()))
	size, topics := len(b)+4-4, 0 // the topics' count comes in, the size itself doesn't count
	for i := 0; i < len(f.parts); i += f.topicLen(i) {
		topics++
		size += 2 + len(f.parts[i].lane.id.Stream) + 4
	}
	for i := range f.parts {
		size += 8 + len(f.parts[i].chunk.wire)
	}
	be.PutUint32(b, uint32(size))
	b = be.AppendUint32(b, uint32(topics))
	for i, left := 0, 0; i < len(f.parts); i, left = i+1, left-1 {
		id, wire := f.parts[i].lane.id, f.parts[i].chunk.wire
		if left == 0 {
			left = f.topicLen(i)
			b = appendText(b, id.Stream)
			b = be.AppendUint32(b, uint32(left))
		}
		b = be.AppendUint32(b, uint32(id.N))
		b = be.AppendUint32(b, uint32(len(wire)))
		if len(wire) <= coalesce {
			b = append(b, wire...)
			continue
		}
		for _, piece := range [][]byte{b, wire} {
			if _, err := w.Write(piece); err != nil {
				return b, fmt.Errorf("write a produce request: %w", err)
			}
		}
		b = b[:0]
	}
	if len(b) > 0 {
		if _, err := w.Write(b); err != nil {
			return b, fmt.Errorf("write a produce request: %w", err)
		}
	}
	return b, nil
}

// parse reads the response: every part's answer, none of anything else.
func (f *flight) parse(body []byte) error {
	r := wireReader{b: body}
	answers := 0
	for range r.count(6) {
		topic := r.text()
		for range r.count(36) {
			n := r.int32()
			i, ok := slices.BinarySearchFunc(f.parts, n, func(p part, n int32) int { return p.compare(topic, n) })
			if !ok || f.parts[i].answered {
				return fmt.Errorf("produce: the response is of something else: %.249q/%d", topic, n)
			}
			f.parts[i].read(&r)
			answers++
		}
	}
	if r.bad {
		return fmt.Errorf("produce: %w", errShort)
	}
	if answers != len(f.parts) {
		return fmt.Errorf("produce to %d partitions: %d answers came", len(f.parts), answers)
	}
	return nil
}

func (p *part) read(r *wireReader) {
	p.answered = true
	p.code = kafkago.Error(r.int16())
	p.base = r.int64()
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
}

// lost says that the connection broke: whether the broker has the batches is not known.
func (f *flight) lost(err error) {
	for i := range f.parts {
		f.parts[i].lane.settle(f.parts[i].chunk, err)
	}
}

// settle tells the lane what the broker has answered.
func (p *part) settle() {
	l, c := p.lane, p.chunk
	switch p.code {
	case 0:
		fault.Point("publish.sent")
		l.settle(c, l.follows(c, p.base))
	case kafkago.DuplicateSequenceNumber: // an earlier try of these bytes has arrived
		l.settle(c, nil)
	case kafkago.MessageSizeTooLarge, kafkago.RecordListTooLarge:
		l.settle(c, fmt.Errorf("%w: %d bytes are more than the topic's max.message.bytes; set that to at least %d, which is %s: %w",
			change.ErrHalt, len(c.wire), l.p.s.cfg.MaxRecord, l.p.s.cfg.setting("max_record"), p.code))
	case kafkago.InvalidRecord:
		l.settle(c, fmt.Errorf("%w: %w: %s", change.ErrHalt, p.code, p.reason))
	default:
		l.settle(c, classify(p.code))
	}
}

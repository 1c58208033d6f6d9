package kafka

import (
	"context"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// Requests is how many produce requests the publisher has begun to send.
func Requests(p stream.Publisher) uint64 { return p.(*publisher).requests.Load() }

// MostInFlight is how many requests have been under way to one broker at a time.
func MostInFlight(p stream.Publisher) int { return int(p.(*publisher).inFlight.Load()) }

// Rotate uses the producer id of s up, from whatever epoch it has, and says which it was and which it is.
func Rotate(ctx context.Context, s *Stream) (was, is int64, err error) {
	p, err := s.openProducer(ctx)
	if err != nil {
		return 0, 0, err
	}
	next, err := s.rotate(ctx, p, 0)
	return p.id, next.id, err
}

// Skipped is how many records the tails held already. All that was published is acknowledged.
func Skipped(p stream.Publisher) uint64 { return p.(*publisher).skipped }

// ByTopic and the timeouts are what members of our groups have.
var ByTopic = byTopic{}

const (
	SessionTimeout   = sessionTimeout
	RebalanceTimeout = rebalanceTimeout
)

// MaxRoutes is how many table versions are remembered.
const MaxRoutes = maxRoutes

// Ahead says of the subscriber's lanes how many bytes of changes the fullest holds, how many of batches that are not decoded, and whether each
// has as much as it may have and nobody is decoding.
func Ahead(u stream.Subscriber) (changes, packed int, full bool) {
	s := u.(*subscriber)
	s.mu.Lock()
	defer s.mu.Unlock()
	full = s.current != nil
	if !full {
		return 0, 0, false
	}
	for _, l := range s.current.lanes {
		changes, packed = max(changes, l.bytes), max(packed, l.packed)
		full = full && !l.decoding && l.bytes >= s.current.share && len(l.batches) > 0
	}
	return changes, packed, full
}

// PublishPart publishes what a crash may leave of a batch: its markers in partition 0 only, and those of its rows that go there. Nothing else has been
// published yet.
func PublishPart(ctx context.Context, u stream.Publisher, changes ...change.Change) error {
	p := u.(*publisher)
	if err := p.openTopics(changes); err != nil { // the encoder is idle
		return err
	}
	index := p.acks.begin(0)
	for i := range changes {
		c := &changes[i]
		p.route = p.routes[c.Table]
		first := p.route.lanes[0]
		key, err := p.encoder.AppendKey(nil, c)
		if err != nil {
			return err
		}
		var value []byte
		if !c.Op.IsMarker() {
			p.rec.key = key
			l, err := p.laneOf(c)
			if err != nil {
				return err
			}
			if l != first {
				continue
			}
			if value, err = p.encoder.AppendValue(nil, c); err != nil {
				return err
			}
		}
		headers, err := p.encoder.Headers(new(codec.Headers), c)
		if err != nil {
			return err
		}
		first.add(index, record{key: key, value: value, headers: headers})
		first.kick()
	}
	p.release(index)
	select {
	case <-p.acks.out:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forget is what a failed request about a topic does.
func Forget(s *Stream, topic string) { s.client.forget(topic) }

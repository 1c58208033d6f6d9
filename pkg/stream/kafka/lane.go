package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

// lane is one partition as the publisher sees it. Its order is the order in which add is called (invariant 2): one request is on its way
// at a time, and what can't be sent is sent again, the same bytes under the same sequence, before anything after it.
type lane struct {
	p    *publisher
	id   change.Lane
	tail change.Position // the last record's when we fenced the partition

	mu      sync.Mutex
	open    *chunk   // being filled
	full    []*chunk // waiting to be sent, oldest first
	sending bool     // a goroutine sends what there is
	kicked  bool     // among the publisher's kicked

	sequence int32 // of the next batch; the sender's
}

// add appends records, which stay together in one batch, for the published batch index.
func (l *lane) add(index uint64, records ...record) {
	size := 0
	for i := range records {
		size += records[i].size()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil && len(l.open.buf)+size > l.p.s.cfg.batchBytes() {
		l.full = append(l.full, l.open)
		l.open = nil
	}
	if l.open == nil {
		l.open = l.p.chunks.Get().(*chunk)
	}
	c := l.open
	if n := len(c.batches); n == 0 || c.batches[n-1] != index {
		c.batches = append(c.batches, index)
		l.p.acks.hold(index)
	}
	for i := range records {
		c.add(&records[i])
	}
}

// kick sees to it that somebody sends what the lane holds.
func (l *lane) kick() {
	l.kicked = false
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sending {
		l.sending = true
		l.p.wg.Go(l.send)
	}
}

// next takes the oldest chunk; all that has come while the last request was on its way leaves together. nil: there is nothing, and whoever
// puts something in starts a new sender.
func (l *lane) next() *chunk {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.full) > 0 {
		c := l.full[0]
		l.full[0] = nil
		l.full = l.full[1:]
		return c
	}
	c := l.open
	l.open = nil
	l.sending = c != nil
	return c
}

// send sends the lane's chunks until there are none or the publisher has ended.
func (l *lane) send() {
	for c := l.next(); c != nil; c = l.next() {
		if err := l.deliver(l.p.ctx, c); err != nil {
			l.p.fail(err)
			return
		}
		l.p.release(c.batches...)
		fault.Point("publish.acked")
		if !c.dirty {
			c.reset()
			l.p.chunks.Put(c)
		}
	}
}

// deliver sends one chunk until the partition has it, however long that takes, or it is clear that it never will.
func (l *lane) deliver(ctx context.Context, c *chunk) error {
	s := l.p.s
	if err := c.seal(l.p.producer, l.sequence, s.cfg.Compression, s.z); err != nil {
		return fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
	}
	fault.Point("publish.before")
	var pause backOff
	var missing time.Time // since when the topic is not there
	for try := 1; ; try++ {
		err := l.produce(ctx, c)
		if err == nil {
			fault.Point("publish.sent")
			l.sequence = (l.sequence + c.count) & sequenceMask
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, kafkago.UnknownTopicOrPartition) {
			missing = time.Time{}
		} else if missing.IsZero() {
			missing = time.Now()
		}
		if !passing(err) || !missing.IsZero() && time.Since(missing) > retryFor {
			return fmt.Errorf("publish to %s/%d: %w", l.id.Stream, l.id.N, err)
		}
		if try == warnAfter {
			l.p.log.Warn("a batch is not acknowledged; it is sent again until it is", "topic", l.id.Stream, "partition", l.id.N, "error", err)
		}
		s.client.forget(l.id.Stream)
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// warnAfter is at which failed try a batch is worth a line in the log: earlier ones happen when a broker restarts.
const warnAfter = 5

// produce sends the chunk once. Its outcome is unknown after an error that isn't a broker's code.
func (l *lane) produce(ctx context.Context, c *chunk) error {
	client := l.p.s.client
	groups, err := client.byLeader(ctx, []change.Lane{l.id})
	if err != nil {
		return err
	}
	var broker int32
	for b := range groups {
		broker = b
	}
	ctx, cancel := context.WithTimeout(ctx, client.timeout)
	defer cancel()
	req := &produce{broker: broker, topic: l.id.Stream, n: l.id.N, timeout: int32(client.timeout.Milliseconds()), batch: c.wire}
	l.p.requests.Add(1)
	if _, err := client.transport.RoundTrip(ctx, client.addr, req); err != nil {
		c.dirty = true // the transport may be reading it still
		return fmt.Errorf("broker %d: %w", broker, err)
	}
	switch req.code {
	case 0, kafkago.DuplicateSequenceNumber: // the second: an earlier try of these bytes has arrived
		return nil
	case kafkago.MessageSizeTooLarge, kafkago.RecordListTooLarge:
		return fmt.Errorf("%w: %d bytes are more than the topic's max.message.bytes; set that to at least %d, which is %s: %w",
			change.ErrHalt, len(c.wire), l.p.s.cfg.MaxRecord, l.p.s.cfg.setting("max_record"), req.code)
	case kafkago.InvalidRecord:
		return fmt.Errorf("%w: %w: %s", change.ErrHalt, req.code, req.reason)
	}
	return classify(req.code)
}

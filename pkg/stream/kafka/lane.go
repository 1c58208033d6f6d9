package kafka

import (
	"errors"
	"fmt"
	"sync"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

// lane is one partition as the publisher sees it. Its order is the order in which add is called (invariant 2): batches are numbered when they
// are first taken to be sent, and what can't be sent is sent again, the same bytes under the same sequence, before anything after it. A
// broker refuses a batch whose predecessor it lacks, so several may be under way.
type lane struct {
	p    *publisher
	id   change.Lane
	tail change.Position // the last record's when we fenced the partition

	mu       sync.Mutex
	open     *chunk   // being filled
	full     []*chunk // waiting to be sent, oldest first
	again    []*chunk // to be sent again before those, oldest first
	flying   []*chunk // sent and not answered, oldest first
	failed   []*chunk // those that came back with an error: they wait for the answers to all that is flying
	broken   bool     // nothing is sent until the leader has been looked for
	sequence int32    // of the next batch
	next     int64    // what the next batch's first offset can't be below
	acked    bool     // something that the lane holds has been acknowledged
	link     *link    // to the leader as it was last seen
	turn     uint64   // of the ticket at link
	waiting  bool     // that ticket is valid
	boarding bool     // a request that is being put together has a batch of ours; it takes one of each lane
	finding  bool     // somebody looks for the leader
	tries    int      // that failed since the last success

	kicked bool    // among the publisher's kicked; the encoder's, like replay
	replay *replay // what comes again after a change of server
}

// add appends records, which stay together in one batch, for the published batch index. It returns the chunk that this has closed, if any.
func (l *lane) add(index uint64, records ...record) (full *chunk) {
	size := 0
	for i := range records {
		size += records[i].size()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil && len(l.open.buf)+size > l.p.s.cfg.batchBytes() {
		full = l.open
		full.queued.Store(true)
		l.full = append(l.full, full)
		l.open = nil
	}
	if l.open == nil {
		l.open = l.p.chunks.get()
	}
	c := l.open
	if n := len(c.batches); n == 0 || c.batches[n-1] != index {
		c.batches = append(c.batches, index)
		l.p.acks.hold(index)
	}
	for i := range records {
		c.add(&records[i])
	}
	return full
}

// deliver sends one chunk and waits until the partition has it, however long that takes, or the publisher has ended.
func (l *lane) deliver(c *chunk) error {
	c.sent = make(chan struct{})
	l.mu.Lock()
	l.full = append(l.full, c)
	l.mu.Unlock()
	l.kick()
	select {
	case <-c.sent:
		return nil
	case <-l.p.ctx.Done():
		return l.p.ctx.Err()
	}
}

// kick sees to it that what the lane holds is sent.
func (l *lane) kick() {
	l.kicked = false
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue()
}

// queue takes a ticket if there is something to send and none is valid. l.mu is held.
func (l *lane) queue() {
	if l.waiting || l.boarding || l.broken || len(l.again)+len(l.full) == 0 && l.open == nil {
		return
	}
	if l.link == nil {
		broker := l.p.s.client.leader(l.id)
		if broker < 0 {
			l.interrupt()
			return
		}
		l.link = l.p.link(broker)
	}
	l.waiting = true
	l.turn++
	l.link.add(ticket{l, l.turn})
}

// take is the next chunk to send; nil where the ticket has become void. All that has come while the window was full leaves together.
func (l *lane) take(turn uint64) *chunk {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.waiting || turn != l.turn {
		return nil
	}
	l.waiting, l.boarding = false, true
	var c *chunk
	switch {
	case len(l.again) > 0:
		c, l.again = l.again[0], l.again[1:]
	case len(l.full) > 0:
		c, l.full[0] = l.full[0], nil
		l.full = l.full[1:]
	default:
		c, l.open = l.open, nil
	}
	if c.wire == nil {
		c.first = l.sequence
		l.sequence = (l.sequence + c.count) & sequenceMask
	}
	l.flying = append(l.flying, c)
	return c
}

// boarded says that the request is put together; what the lane has besides goes into the next one.
func (l *lane) boarded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.boarding = false
	l.queue()
}

// seal makes the chunk's bytes, once.
func (l *lane) seal(c *chunk) error {
	if c.wire != nil {
		return nil
	}
	fault.Point("publish.before")
	if err := l.p.packer.pack(c); err != nil {
		err = fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
		l.p.fail(err)
		return err
	}
	c.seal(l.p.producer)
	return nil
}

// settle says what has become of c, the oldest chunk of flying without an answer.
func (l *lane) settle(c *chunk, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying = l.flying[1:]
	// What follows a batch that was refused is out of order. Where it is the first one that is so, the broker has lost what it had
	// acknowledged, and nothing can be proved any more.
	follows := len(l.failed) > 0 && errors.Is(err, kafkago.OutOfOrderSequenceNumber)
	switch {
	case err == nil:
		l.tries, l.acked = 0, true
		l.p.acknowledged(c)
		if l.broken {
			l.interrupt()
		}
	case c.before != 0 && errors.Is(err, kafkago.OutOfOrderSequenceNumber):
		l.p.fail(gone(l.id, "has a batch without the one before it"))
	case passing(err) || follows:
		if c.before == 0 {
			c.after = l.next
		}
		l.failed = append(l.failed, c)
		l.interrupt()
		l.log(err)
	default:
		l.p.fail(fmt.Errorf("publish to %s/%d: %w", l.id.Stream, l.id.N, err))
	}
}

// lost says that the link has broken before the ticket's turn came.
func (l *lane) lost(turn uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting && turn == l.turn {
		l.interrupt()
		l.log(err)
	}
}

// warnAfter is at which failed try in a row a batch is worth a line in the log: earlier ones happen when a broker restarts.
const warnAfter = 5

// log counts a failed try. l.mu is held.
func (l *lane) log(err error) {
	l.tries++
	if l.tries == warnAfter {
		l.p.log.Warn("a batch is not acknowledged; it is sent again until it is", "topic", l.id.Stream, "partition", l.id.N, "error", err)
	}
}

// interrupt stops the sending, and looks for the leader once everything that flies has been answered. l.mu is held.
func (l *lane) interrupt() {
	l.broken, l.waiting = true, false
	if len(l.flying) == 0 && !l.finding {
		l.finding = true
		l.p.wg.Go(l.find)
	}
}

// find asks for the lane's leader until there is one; then what has failed goes out again, in its order and before all else.
func (l *lane) find() {
	pause := backOff{last: backOffFirst / 4 << min(l.failures(), 8)}
	for absent := (absence{}); ; {
		if pause.wait(l.p.ctx) != nil {
			return
		}
		broker, err := l.p.s.client.leaderNow(l.p.ctx, l.id)
		if err == nil {
			l.goOn(broker)
			return
		}
		over := absent.over(err)
		if over && l.acked {
			err = gone(l.id, "is not there any more")
		}
		if over || !passing(err) { // without an acknowledgement: the next opening makes it anew
			l.p.fail(fmt.Errorf("publish to %s/%d: %w", l.id.Stream, l.id.N, err))
			return
		}
	}
}

func (l *lane) failures() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tries
}

func (l *lane) goOn(broker int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again = append(l.failed, l.again...)
	l.failed, l.broken, l.finding = nil, false, false
	l.link = l.p.link(broker)
	l.queue()
}

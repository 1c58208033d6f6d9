package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/semaphore"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

const (
	queueLength = 1024 // bounds how many batches wait for the encoder; their bytes are bounded apart
	packAhead   = 2    // how many full chunks wait to be compressed: the encoder waits for them, whose room it fills again
)

// publisher encodes batches on one goroutine and sends the lanes' records over one link to each broker.
type publisher struct {
	s         *Stream
	log       *slog.Logger
	epoch     uint32
	saved     change.Position // as stream.Start has it
	producer  producer
	announced map[string]string // as stream.Start has it
	encoder   *codec.Encoder
	chunks    chunkPool
	packer    packer

	queue chan queued
	ahead []queued            // of the encoding goroutine: taken from the queue while topics were opened
	full  chan *chunk         // for the packing goroutine
	room  *semaphore.Weighted // bytes of batches that are not acknowledged
	acks  *acks

	topics  map[string]*topic        // of the encoding goroutine, like all below
	routes  map[*change.Table]*topic // where a table's changes go; its shape is written
	last    *change.Table
	route   *topic
	meta    *lane // the schema topic's
	rec     room
	kicked  []*lane // lanes that the batch has put records into
	skipped uint64  // records that the tails held already

	ctx      context.Context // ends with the publisher: the one that its goroutines run under
	stop     context.CancelFunc
	requests atomic.Uint64 // produce requests begun
	inFlight atomic.Int64  // the most of them that were under way to one broker at a time

	mu    sync.Mutex
	links map[int32]*link // by broker

	wg   sync.WaitGroup
	once sync.Once
	err  error // set before stop
}

// room is what one record is put together in.
type room struct {
	key, lane, value []byte
	headers          codec.Headers
}

type queued struct {
	batch change.Batch
	size  int64
}

type topic struct {
	name  string
	lanes []*lane
}

// Publisher opens the source's one publisher: it takes over the transactional id, which fences every older one from each partition that it
// comes to use, and reads the schema topic.
func (s *Stream) Publisher(ctx context.Context, start stream.Start) (stream.Publisher, error) {
	if start.Epoch == 0 {
		return nil, fmt.Errorf("kafka publisher: %w: epoch 0 is none", change.ErrHalt)
	}
	p := &publisher{s: s, log: s.log, epoch: start.Epoch, saved: start.Saved, announced: start.Announced, queue: make(chan queued, queueLength), full: make(chan *chunk, packAhead), acks: newAcks(),
		room: semaphore.NewWeighted(int64(s.cfg.MemoryBytes)), topics: map[string]*topic{}, routes: map[*change.Table]*topic{},
		links: map[int32]*link{}}
	p.packer = packer{by: s.cfg.Compression, z: s.z, pool: &p.chunks}
	p.encoder = codec.NewEncoder(p.encoding())
	if err := p.open(ctx); err != nil {
		return nil, fmt.Errorf("kafka publisher: %w", err)
	}
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.wg.Go(p.encode)
	p.wg.Go(p.pack)
	p.wg.Go(p.keepAlive)
	return p, nil
}

func (p *publisher) open(ctx context.Context) (err error) {
	if err = p.s.checkRegistry(ctx); err != nil {
		return err
	}
	if err = p.s.ensureTopics(ctx, []topicSpec{p.s.cfg.schemaSpec()}); err != nil {
		if errors.Is(err, kafkago.InvalidReplicationFactor) { // for all of retryFor
			return p.s.cfg.refuse("%w; lower %s or start more brokers", err, p.s.cfg.setting("replication"))
		}
		return err
	}
	if p.producer, err = p.s.openProducer(ctx); err != nil {
		return err
	}
	if p.producer, err = p.s.rotate(ctx, p.producer, rotateFrom); err != nil {
		return fmt.Errorf("go on to another producer id: %w", err)
	}
	p.meta = &lane{p: p, id: p.s.shapes.lane}
	if _, err = p.s.fence(ctx, p.producer, []change.Lane{p.meta.id}); err != nil {
		return err
	}
	if err = p.s.shapes.refresh(ctx); err != nil {
		return err
	}
	p.log.Info("publisher open", "transactional_id", p.s.cfg.transactionalID(), "producer_epoch", p.producer.epoch, "epoch", p.epoch)
	return nil
}

// Publish queues b. It blocks while the batches that are not acknowledged take more than the configured memory; one that is larger than
// all of it waits until it is alone.
func (p *publisher) Publish(ctx context.Context, b change.Batch) error {
	if p.ctx.Err() != nil {
		return p.refused(ctx)
	}
	size := min(int64(b.Size()), int64(p.s.cfg.MemoryBytes))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	if err := p.room.Acquire(ctx, size); err != nil {
		return p.refused(ctx)
	}
	select {
	case p.queue <- queued{batch: b, size: size}:
		return nil
	case <-ctx.Done():
		p.room.Release(size)
		return p.refused(ctx)
	}
}

func (p *publisher) refused(ctx context.Context) error {
	if p.ctx.Err() == nil {
		return ctx.Err()
	}
	if p.err != nil {
		return p.err
	}
	return errClosed
}

// Acked is stream.Publisher's.
func (p *publisher) Acked() <-chan uint64 { return p.acks.out }

// Close is stream.Publisher's.
func (p *publisher) Close() error {
	p.fail(nil)
	p.wg.Wait()
	if p.skipped > 0 {
		p.log.Info("records that the topics held already were not published again", "records", p.skipped)
		p.skipped = 0
	}
	return p.err
}

// fail ends the publisher, with an error if it isn't nil. The first call counts.
func (p *publisher) fail(err error) {
	p.once.Do(func() {
		if err != nil {
			p.err = fmt.Errorf("kafka publisher: %w", err)
		}
		p.stop()
		p.acks.close()
	})
}

// keepAliveEvery is far below the seven days after which a coordinator forgets a transactional id that begins no transaction. A
// forgotten one would come back as another producer id, and that fences nobody.
const keepAliveEvery = 12 * time.Hour

// keepAlive keeps our transactional id known, and learns that we have been fenced even where nothing is published.
func (p *publisher) keepAlive() {
	t := time.NewTicker(keepAliveEvery)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
		}
		err := p.s.emptyTransaction(p.ctx, p.producer, []change.Lane{p.meta.id})
		if errors.Is(err, change.ErrFenced) {
			p.fail(err)
			return
		}
		if err != nil && p.ctx.Err() == nil {
			p.log.Warn("could not keep the transactional id alive", "transactional_id", p.s.cfg.transactionalID(), "error", err)
		}
	}
}

// encode is the encoding goroutine.
func (p *publisher) encode() {
	for {
		q, ok := p.next()
		if !ok {
			return
		}
		if err := p.take(q); err != nil {
			p.fail(err)
			return
		}
	}
}

// next waits for the next batch.
func (p *publisher) next() (q queued, ok bool) {
	if len(p.ahead) > 0 {
		q = p.ahead[0]
		p.ahead[0] = queued{}
		if p.ahead = p.ahead[1:]; len(p.ahead) == 0 {
			p.ahead = nil
		}
		return q, p.ctx.Err() == nil
	}
	select {
	case <-p.ctx.Done():
		return q, false
	case q = <-p.queue:
		return q, true
	}
}

// pack is the packing goroutine: it compresses what is full while the encoder goes on, so that few chunks ever lie about uncompressed.
func (p *publisher) pack() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case c := <-p.full:
			if err := p.packer.pack(c); err != nil {
				p.fail(err)
				return
			}
			c.queued.Store(false)
		}
	}
}

// take puts one batch's records into their lanes and sets those going.
func (p *publisher) take(q queued) error {
	index := p.acks.begin(q.size)
	var pause backOff
	for err := p.openTopics(q.batch.Changes); err != nil; err = p.openTopics(q.batch.Changes) {
		if errors.Is(err, change.ErrPreflight) {
			return fmt.Errorf("%w: %w", err, change.ErrHalt) // to try again would change nothing
		}
		if p.ctx.Err() != nil || !passing(err) {
			return err
		}
		p.log.Warn("new topics can't be opened yet; it is tried again until they can", "error", err)
		if err := pause.wait(p.ctx); err != nil {
			return err
		}
	}
	for i := range q.batch.Changes {
		if err := p.put(&q.batch.Changes[i], index); err != nil {
			return err
		}
	}
	for _, l := range p.kicked {
		l.kick()
	}
	p.kicked = p.kicked[:0]
	p.release(index)
	return nil
}

// acknowledged says that a partition has c, and takes its room back.
func (p *publisher) acknowledged(c *chunk) {
	p.release(c.batches...)
	fault.Point("publish.acked")
	if c.sent != nil {
		close(c.sent)
		return
	}
	p.chunks.put(c)
}

// release says that a part of each of the batches is acknowledged.
func (p *publisher) release(indices ...uint64) {
	if freed := p.acks.done(indices...); freed > 0 {
		p.room.Release(freed)
	}
}

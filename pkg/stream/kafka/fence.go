package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// transactionTimeout is how long a coordinator would leave a transaction open whose end it never sees. Ours are empty and last
// milliseconds.
const transactionTimeout = time.Minute

// openProducer takes over our transactional id: the same producer id as every publisher of this source before, with the next epoch.
func (s *Stream) openProducer(ctx context.Context) (producer, error) {
	var p producer
	err := s.client.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
		defer cancel()
		r, err := s.client.api.InitProducerID(ctx, &kafkago.InitProducerIDRequest{TransactionalID: s.cfg.transactionalID(),
			TransactionTimeoutMs: int(transactionTimeout.Milliseconds()), ProducerID: -1, ProducerEpoch: -1})
		if err != nil {
			return unreachable(err)
		}
		if code, ok := errors.AsType[kafkago.Error](r.Error); ok {
			return classify(code)
		}
		// A broker that has just started may answer without an id. Producing with -1 would silently be without sequence and fence.
		if r.Producer.ProducerID < 0 {
			return kafkago.GroupCoordinatorNotAvailable
		}
		p = producer{id: int64(r.Producer.ProducerID), epoch: int16(r.Producer.ProducerEpoch)}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("take over transactional id %s: %w", s.cfg.transactionalID(), err)
	}
	return p, nil
}

// rotateFrom is the producer epoch from which on an opening uses its producer id up. After epoch 32,766 InitProducerID answers with another
// id (seen on Kafka 4.3.0), and a control marker of that one fences nobody who has the old id.
const rotateFrom = 32_700

// rotate goes on to the next producer id before the present one has published its last: it fences all that the source has ever published to
// under an epoch that publishes nothing, and then calls for epochs until the id changes.
func (s *Stream) rotate(ctx context.Context, p producer, from int16) (producer, error) {
	if p.epoch < from {
		return p, nil
	}
	if err := s.shapes.refresh(ctx); err != nil {
		return p, err
	}
	lanes, err := s.lanes(ctx, append(s.shapes.topics(), s.cfg.schemaTopic()))
	if err != nil {
		return p, err
	}
	if _, err := s.fence(ctx, p, lanes); err != nil {
		return p, err
	}
	old := p
	for p.id == old.id {
		if p, err = s.openProducer(ctx); err != nil {
			return p, err
		}
	}
	s.log.Info("producer id used up; all partitions are fenced for it", "was", old.id, "is", p.id, "partitions", len(lanes))
	return p, nil
}

// laneEnd is where a lane ends: its last record's Position, and the offset behind all that it holds.
type laneEnd struct {
	tail change.Position
	next int64
}

// fence closes lanes to every older epoch of p, and returns each lane's end as it stands from then on.
//
// Publisher fence: an empty, aborted transaction of the new epoch leaves a control marker in each partition, and a partition that holds it
// refuses batches of older epochs: what a frozen broker still has in a socket, and a thawed twin. EndTxn returns before the marker
// stands in the log, so the tail is believed only once the marker shows.
func (s *Stream) fence(ctx context.Context, p producer, lanes []change.Lane) (map[change.Lane]laneEnd, error) {
	before, err := s.client.offsets(ctx, lanes, kafkago.LastOffset)
	if err != nil {
		return nil, fmt.Errorf("fence: %w", err)
	}
	if err := s.emptyTransaction(ctx, p, lanes); err != nil {
		return nil, fmt.Errorf("fence: %w", err)
	}
	watch := make([]*tailWatch, len(lanes))
	for i, l := range lanes {
		watch[i] = &tailWatch{lane: l, next: before[l], producer: p}
	}
	if err := s.awaitMarkers(ctx, watch); err != nil {
		return nil, fmt.Errorf("fence: %w", err)
	}
	starts, err := s.client.offsets(ctx, lanes, kafkago.FirstOffset)
	if err != nil {
		return nil, fmt.Errorf("fence: %w", err)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(tailReaders)
	for _, w := range watch {
		if w.found || before[w.lane] <= starts[w.lane] { // records came between before and the marker, or there is none below
			continue
		}
		group.Go(func() (err error) {
			w.tail, err = s.tailBelow(groupCtx, w.lane, before[w.lane])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("fence: %w", err)
	}
	ends := make(map[change.Lane]laneEnd, len(lanes))
	for _, w := range watch {
		ends[w.lane] = laneEnd{tail: w.tail, next: w.next}
	}
	return ends, nil
}

// tailReaders is how many lanes' tails are read beside each other.
const tailReaders = 8

// emptyTransaction begins a transaction of p over lanes and aborts it.
func (s *Stream) emptyTransaction(ctx context.Context, p producer, lanes []change.Lane) error {
	topics := map[string][]kafkago.AddPartitionToTxn{}
	for _, l := range lanes {
		topics[l.Stream] = append(topics[l.Stream], kafkago.AddPartitionToTxn{Partition: int(l.N)})
	}
	err := s.client.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
		defer cancel()
		r, err := s.client.api.AddPartitionsToTxn(ctx, &kafkago.AddPartitionsToTxnRequest{TransactionalID: s.cfg.transactionalID(),
			ProducerID: int(p.id), ProducerEpoch: int(p.epoch), Topics: topics})
		if err != nil {
			return unreachable(err)
		}
		return firstError(r.Topics)
	})
	if err != nil {
		return fmt.Errorf("begin a transaction over %d partitions: %w", len(lanes), err)
	}
	err = s.client.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
		defer cancel()
		r, err := s.client.api.EndTxn(ctx, &kafkago.EndTxnRequest{TransactionalID: s.cfg.transactionalID(),
			ProducerID: int(p.id), ProducerEpoch: int(p.epoch)})
		if err != nil {
			return unreachable(err)
		}
		if code, ok := errors.AsType[kafkago.Error](r.Error); ok {
			return classify(code)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("abort the transaction over %d partitions: %w", len(lanes), err)
	}
	return nil
}

// operationNotAttempted is what a broker says of the other partitions where one was refused.
const operationNotAttempted = kafkago.Error(55)

func firstError(topics map[string][]kafkago.AddPartitionToTxnPartition) error {
	var first error
	for name, partitions := range topics {
		for _, p := range partitions {
			code, ok := errors.AsType[kafkago.Error](p.Error)
			if !ok {
				continue
			}
			err := fmt.Errorf("%s/%d: %w", name, p.Partition, classify(code))
			if code != operationNotAttempted {
				return err
			}
			first = err
		}
	}
	return first
}

// awaitMarkers reads on until every lane has shown its producer's control batch.
func (s *Stream) awaitMarkers(ctx context.Context, watch []*tailWatch) error {
	var pause backOff
	end := time.Now().Add(retryFor)
	for {
		byLane := map[change.Lane]*tailWatch{}
		var lanes []change.Lane
		for _, w := range watch {
			if !w.done {
				byLane[w.lane] = w
				lanes = append(lanes, w.lane)
			}
		}
		if len(lanes) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		progress, err := s.readMarkers(ctx, lanes, byLane)
		switch {
		case err != nil && !passing(err):
			return err
		case progress:
			end = time.Now().Add(retryFor)
			continue
		case time.Now().After(end):
			return fmt.Errorf("%d partitions show no control marker, %s/%d first: %w", len(lanes), lanes[0].Stream, lanes[0].N,
				errors.Join(kafkago.RequestTimedOut, err))
		case err != nil:
			if err := pause.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// markerWait is how long one look for a marker waits at the broker.
const markerWait = 100 * time.Millisecond

func (s *Stream) readMarkers(ctx context.Context, lanes []change.Lane, byLane map[change.Lane]*tailWatch) (progress bool, err error) {
	groups, err := s.client.byLeader(ctx, lanes)
	if err != nil {
		return false, err
	}
	for broker, group := range groups {
		req := make([]fetchLane, len(group))
		for i, l := range group {
			req[i] = fetchLane{lane: l, offset: byLane[l].next, maxBytes: 1 << 20}
		}
		out, err := s.client.fetch(ctx, broker, req, markerWait)
		if err != nil {
			for _, l := range group {
				s.client.forget(l.Stream)
			}
			return progress, err
		}
		for _, f := range out {
			w := byLane[f.lane]
			if w == nil || f.code != 0 {
				s.client.forget(f.lane.Stream)
				if err := classify(f.code); !passing(err) {
					return progress, fmt.Errorf("read %s/%d: %w", f.lane.Stream, f.lane.N, err)
				}
				continue
			}
			moved, err := w.take(f.records, s)
			if err != nil {
				return progress, err
			}
			progress = progress || moved
		}
	}
	return progress, nil
}

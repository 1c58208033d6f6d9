package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// tailWatch follows one lane's end until the control batch of a producer shows, and keeps the last record's Position on the way.
type tailWatch struct {
	lane     change.Lane
	next     int64
	producer producer
	done     bool
	found    bool
	tail     change.Position
}

// take reads fetched records; moved says that there were any.
func (w *tailWatch) take(b []byte, s *Stream) (moved bool, err error) {
	for !w.done {
		batch, rest, ok, err := nextBatch(b)
		if err != nil {
			return moved, fmt.Errorf("%s/%d: %w", w.lane.Stream, w.lane.N, err)
		}
		if !ok {
			return moved, nil
		}
		b = rest
		if batch.next <= w.next {
			continue
		}
		moved = true
		w.next = batch.next
		if batch.control() {
			w.done = batch.producer == w.producer
			continue
		}
		last, _, ok, err := s.lastPosition(w.lane, &batch, batch.next)
		if err != nil {
			return moved, err
		}
		if ok {
			w.tail, w.found = last, true
		}
	}
	return moved, nil
}

// lastPosition is the Position of batch's last record below the offset below, and that record's offset. Records are ours, or it is
// change.ErrHalt: where somebody else writes into our topic, nobody can say what its order means. The schema topic's
// records have no Position; they are passed over.
func (s *Stream) lastPosition(lane change.Lane, batch *parsedBatch, below int64) (pos change.Position, at int64, ok bool, err error) {
	if lane.Stream == s.cfg.schemaTopic() {
		return pos, 0, false, nil
	}
	err = s.eachRecord(lane, batch, func(offset int64, m *codec.Meta) bool {
		if offset < below {
			pos, at, ok = m.Position, offset, true
		}
		return offset < below
	})
	return pos, at, ok, err
}

// eachRecord calls f with every record's offset and what its headers say, valid until f returns, in order, until f returns false.
func (s *Stream) eachRecord(lane change.Lane, batch *parsedBatch, f func(at int64, m *codec.Meta) bool) error {
	var r recordReader
	if err := r.open(batch, s.z); err != nil {
		return fmt.Errorf("%s/%d: %w", lane.Stream, lane.N, err)
	}
	for {
		rec, offset, more, err := r.read()
		if err != nil {
			return fmt.Errorf("%s/%d: %w", lane.Stream, lane.N, err)
		}
		if !more {
			return nil
		}
		m, err := s.metaOf(lane, offset, rec.Headers)
		if err != nil {
			return err
		}
		if !f(offset, &m) {
			return nil
		}
	}
}

// metaOf is what a record's headers say.
func (s *Stream) metaOf(lane change.Lane, offset int64, headers []codec.Header) (codec.Meta, error) {
	meta, err := codec.ParseHeaders(headers)
	if err != nil && !errors.Is(err, codec.ErrForeign) {
		return meta, fmt.Errorf("%s/%d offset %d: %w", lane.Stream, lane.N, offset, err)
	}
	if err != nil || string(meta.Source) != s.cfg.SourceID {
		return meta, s.foreign(lane, offset, string(meta.Source))
	}
	return meta, nil
}

func (s *Stream) foreign(lane change.Lane, offset int64, source string) error {
	who := "a producer that is not tailwater"
	if source != "" {
		who = "source " + source
	}
	return fmt.Errorf("%w: topic %s partition %d offset %d was written by %s; a table's topic belongs to one source: stop that producer and take a new snapshot into a new topic",
		change.ErrHalt, lane.Stream, lane.N, offset, who)
}

// below is what stands below an offset of a lane: its last record, if there is one, and who wrote the last batch, control batches among them.
type below struct {
	pos change.Position
	at  int64
	ok  bool
	by  producer
}

// tailBelow is the Position of the lane's last record below end; zero where it holds none.
func (s *Stream) tailBelow(ctx context.Context, lane change.Lane, end int64) (change.Position, error) {
	b, err := s.recordBelow(ctx, lane, end)
	return b.pos, err
}

// recordBelow finds the lane's last record below end, walking back over control batches and compaction holes, however wide.
func (s *Stream) recordBelow(ctx context.Context, lane change.Lane, end int64) (out below, err error) {
	err = s.client.retry(ctx, func() error {
		out = below{}
		starts, err := s.client.offsets(ctx, []change.Lane{lane}, kafkago.FirstOffset)
		if err != nil {
			return err
		}
		start := starts[lane]
		for upper, step := end, int64(1); upper > start; step *= 2 {
			from := max(start, upper-step)
			part, err := s.lastBetween(ctx, lane, from, upper)
			if out.by != (producer{}) {
				part.by = out.by // of a batch further up
			}
			if out = part; out.ok || err != nil {
				return err
			}
			upper = from
		}
		return nil
	})
	return out, err
}

// lastBetween is recordBelow's for from <= offset < end.
func (s *Stream) lastBetween(ctx context.Context, lane change.Lane, from, end int64) (out below, err error) {
	if lane.Stream == s.cfg.schemaTopic() {
		return out, nil // its records have no Position
	}
	_, err = s.walk(ctx, span{lane: lane, from: from, end: end, batch: func(b *parsedBatch) { out.by = b.producer }}, func(offset int64, m *codec.Meta) bool {
		out.pos, out.at, out.ok = m.Position, offset, true
		return true
	})
	return out, err
}

// span is the records of a lane with from <= offset < end.
type span struct {
	lane      change.Lane
	from, end int64
	batch     func(*parsedBatch) // if not nil, called with every batch that has offsets in it
}

// walk calls f with every record of w, in order, until f returns false. holes says that offsets of what it has passed hold
// nothing: compaction or retention has taken what stood there. Control batches are none.
func (s *Stream) walk(ctx context.Context, w span, f func(at int64, m *codec.Meta) bool) (holes bool, err error) {
	for from := w.from; from < w.end; {
		got, err := s.client.fetchOne(ctx, fetchLane{lane: w.lane, offset: from, maxBytes: 256 << 10}, 0)
		if err != nil {
			return holes, err
		}
		if got.code == kafkago.OffsetOutOfRange && got.logStart > from { // retention runs on
			from, holes = got.logStart, true
			continue
		}
		if got.code != 0 {
			s.client.forget(w.lane.Stream)
			return holes, fmt.Errorf("read %s/%d at %d: %w", w.lane.Stream, w.lane.N, from, classify(got.code))
		}
		next, gone, more, err := s.walkBatches(got.records, span{w.lane, from, w.end, w.batch}, f)
		holes = holes || gone
		if err != nil || !more {
			return holes, err
		}
		if next == from { // nothing between here and end but what compaction took
			return true, nil
		}
		from = next
	}
	return holes, nil
}

// walkBatches is walk over the batches of one response; next is the first offset behind them, more that f has not stopped it.
func (s *Stream) walkBatches(b []byte, w span, f func(at int64, m *codec.Meta) bool) (next int64, holes, more bool, err error) {
	next, more = w.from, true
	for next < w.end && more {
		batch, rest, whole, err := nextBatch(b)
		if err != nil {
			return next, holes, false, fmt.Errorf("%s/%d: %w", w.lane.Stream, w.lane.N, err)
		}
		if !whole {
			break
		}
		b = rest
		if w.batch != nil && batch.next > w.from && batch.base < w.end {
			w.batch(&batch)
		}
		holes = holes || batch.base > next
		if !batch.control() {
			err = s.eachRecord(w.lane, &batch, func(at int64, m *codec.Meta) bool {
				if at < w.from {
					return true
				}
				holes = holes || at > max(next, batch.base)
				next = at + 1
				more = at < w.end && f(at, m)
				return more
			})
			if err != nil {
				return next, holes, false, err
			}
			holes = holes || more && next < batch.next
		}
		next = max(next, batch.next)
	}
	return next, holes, more && next < w.end, nil
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

const (
	fetchWait     = 500 * time.Millisecond // a request may wait at the broker; it answers as soon as there is anything
	fetchWaitFull = 20 * time.Millisecond  // the same while a lane has no room: it may have some in a moment, and can't join a request
	fetchLaneMax  = 1 << 20                // of one lane in one response, in bytes; the first batch comes whole whatever its size
)

// spread starts a fetcher for every broker that leads one of our lanes, and again after leaders have moved. It returns when all fetchers that
// it is to start are running.
func (a *assignment) spread(ctx context.Context) {
	lanes := make([]change.Lane, 0, len(a.lanes))
	for l := range a.lanes {
		lanes = append(lanes, l)
	}
	var pause backOff
	for ctx.Err() == nil && len(lanes) > 0 {
		groups, err := a.u.s.client.byLeader(ctx, lanes)
		if err != nil {
			_ = pause.wait(ctx) // the loop's condition sees it
			continue
		}
		a.u.mu.Lock()
		defer a.u.mu.Unlock()
		for broker := range groups {
			if !a.fetchers[broker] {
				a.fetchers[broker] = true
				a.wg.Go(func() { a.fetch(ctx, broker) })
			}
		}
		return
	}
}

// fetch asks one broker for its lanes until it leads none or ctx ends.
func (a *assignment) fetch(ctx context.Context, broker int32) {
	var pause backOff
	for ctx.Err() == nil {
		lanes, wait, changed := a.want(broker)
		if len(lanes) == 0 {
			if changed == nil {
				a.move(ctx, broker)
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		out, err := a.u.s.client.fetch(ctx, broker, lanes, wait)
		moved := err != nil
		if err == nil {
			moved, err = a.takeIn(ctx, out)
		}
		a.release(lanes)
		switch {
		case ctx.Err() != nil:
		case err != nil && !passing(err):
			a.u.fail(err)
			return
		case moved: // a leader is elsewhere, or the connection broke: where the lanes are now is to be asked
			for _, l := range lanes {
				a.u.s.client.forget(l.lane.Stream)
			}
			_ = pause.wait(ctx) // the loop's condition sees it
			a.move(ctx, broker)
			return
		default:
			pause = backOff{}
		}
	}
}

// move ends broker's fetcher and looks where its lanes are now; that may be here.
func (a *assignment) move(ctx context.Context, broker int32) {
	a.u.mu.Lock()
	a.fetchers[broker] = false
	a.u.mu.Unlock()
	a.spread(ctx)
}

// want picks the broker's lanes that have room, longest waiting first, and marks them busy. No lanes: changed is closed when to look
// again, or is nil where the broker leads none of them.
func (a *assignment) want(broker int32) (lanes []fetchLane, wait time.Duration, changed <-chan struct{}) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	wait = fetchWait
	for _, l := range a.order {
		if a.u.s.client.leader(l.id) != broker {
			continue
		}
		changed = a.u.changed
		switch {
		case l.busy:
		case l.bytes >= a.share:
			wait = fetchWaitFull
		default:
			l.busy = true
			lanes = append(lanes, fetchLane{lane: l.id, offset: l.end, maxBytes: int32(min(fetchLaneMax, max(a.share/4, minShare)))})
		}
	}
	return lanes, wait, changed
}

// release makes lanes free for the next request, behind those that were not in this one.
func (a *assignment) release(lanes []fetchLane) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	for _, f := range lanes {
		a.lanes[f.lane].busy = false
	}
	if len(lanes) > 1 {
		// A response that is full ends inside some lane: the next one begins with another.
		a.order = slices.Concat(a.order[1:], a.order[:1])
	}
}

// takeIn decodes what has come. moved says that some lane is led by another broker by now.
func (a *assignment) takeIn(ctx context.Context, out []fetched) (moved bool, err error) {
	for i := range out {
		f := &out[i]
		l := a.lanes[f.lane]
		if l == nil {
			return false, fmt.Errorf("fetch: lane %s/%d was not asked for", f.lane.Stream, f.lane.N)
		}
		switch {
		case f.code == 0:
		case f.code == kafkago.OffsetOutOfRange:
			return false, fmt.Errorf("%w: %s/%d: offset %d is not in the topic (it begins at %d and ends at %d): retention has passed us, or the topic was made anew; take a new snapshot of the table",
				change.ErrGap, l.id.Stream, l.id.N, l.end, f.logStart, f.end)
		case f.code == kafkago.UnknownTopicOrPartition: // deleted, perhaps made anew: all its marks are to be proved again
			a.u.s.client.forget(f.lane.Stream)
			a.rejoin()
			return true, nil
		case passing(classify(f.code)):
			moved = true
			continue
		default:
			return false, fmt.Errorf("fetch %s/%d: %w", l.id.Stream, l.id.N, classify(f.code))
		}
		if err := a.decode(ctx, l, f.records); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// decode turns fetched batches into entries of l, of which the calling fetcher has the decoder.
func (a *assignment) decode(ctx context.Context, l *inLane, b []byte) error {
	var entries []entry
	end, size := l.end, 0
	for {
		batch, rest, ok, err := nextBatch(b)
		if err != nil {
			return fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
		}
		if !ok {
			break
		}
		b = rest
		if batch.next <= end { // a response may begin with the batch before
			continue
		}
		if !batch.control() {
			if entries, err = a.decodeBatch(ctx, l, &batch, entries); err != nil {
				return err
			}
		}
		end = batch.next // not the last record's: what compaction has taken behind it is passed as well
	}
	if end == l.end {
		return nil
	}
	for i := range entries {
		size += entries[i].size
	}
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	l.entries = append(l.entries, entries...)
	l.bytes += size
	l.end = end
	a.u.wakeLocked()
	return nil
}

func (a *assignment) decodeBatch(ctx context.Context, l *inLane, batch *parsedBatch, entries []entry) ([]entry, error) {
	if err := l.records.open(batch, a.u.s.z); err != nil {
		return entries, fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
	}
	entries = slices.Grow(entries, int(min(batch.count, int32(len(l.records.b)/8))))
	for {
		rec, offset, ok, err := l.records.read()
		if err != nil {
			return entries, fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
		}
		if !ok {
			return entries, nil
		}
		if offset < l.end {
			continue
		}
		c, isChange, err := a.decodeRecord(ctx, l, offset, rec)
		if err != nil {
			return entries, err
		}
		if isChange {
			entries = append(entries, entry{c: c, next: offset + 1, size: c.Size()})
		} else if n := len(entries); n > 0 { // a tombstone belongs to its delete
			entries[n-1].next = offset + 1
		}
	}
}

func (a *assignment) decodeRecord(ctx context.Context, l *inLane, offset int64, rec codec.Record) (c change.Change, ok bool, err error) {
	c, ok, err = l.decoder.Decode(rec)
	if errors.Is(err, codec.ErrUnknownShape) {
		// Its shape was written before it: it stands in what the schema topic holds by now, or nowhere.
		if err := a.u.s.shapes.refresh(ctx); err != nil {
			return c, false, err
		}
		if c, ok, err = l.decoder.Decode(rec); errors.Is(err, codec.ErrUnknownShape) {
			err = fmt.Errorf("%w: %w; take a new snapshot of the table", change.ErrHalt, err)
		}
	}
	if errors.Is(err, codec.ErrForeign) {
		source := ""
		if meta, err := codec.ParseHeaders(rec.Headers); err == nil {
			source = string(meta.Source)
		}
		return c, false, a.u.s.foreign(l.id, offset, source)
	}
	if err != nil {
		return c, false, fmt.Errorf("%s/%d offset %d: %w", l.id.Stream, l.id.N, offset, err)
	}
	return c, ok, nil
}

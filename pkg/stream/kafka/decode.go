package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// roomMax is the largest room that is kept, in bytes: a few batches, but no single record of hundreds of MiB.
const roomMax = 4 * batchTarget

// packedShare is how many bytes of batches a lane may hold that are not decoded: they take several times that once they are.
func (a *assignment) packedShare() int { return max(a.share/4, minShare) }

// decode sees to it that l's batches are decoded while there is room for what is in them. u.mu is held.
func (a *assignment) decode(l *inLane) {
	if l.decoding || a.ended || !a.due(l) {
		return
	}
	l.decoding = true
	a.wg.Go(func() { a.decodeAll(a.ctx, l) })
}

func (a *assignment) due(l *inLane) bool { return len(l.batches) > 0 && l.bytes < a.share }

// decodeAll turns l's batches into entries, one after the other, as many lanes at a time as there are cores.
func (a *assignment) decodeAll(ctx context.Context, l *inLane) {
	var pause backOff
	for {
		batch, ok := a.next(ctx, l)
		if !ok {
			return
		}
		var room []byte
		select {
		case room = <-a.cores:
		case <-ctx.Done():
			continue
		}
		l.records.room = &room
		entries, err := a.decodeBatch(ctx, l, &batch)
		if cap(room) > roomMax {
			room = nil
		}
		a.cores <- room
		switch {
		case ctx.Err() != nil:
		case err != nil && !passing(err):
			a.u.fail(err)
		case err != nil: // a shape can't be read yet
			_ = pause.wait(ctx) // next sees it
		default:
			pause = backOff{}
			a.decoded(l, &batch, entries)
		}
	}
}

// next is l's next batch to decode; false ends the decoding.
func (a *assignment) next(ctx context.Context, l *inLane) (parsedBatch, bool) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	if !a.due(l) || ctx.Err() != nil || a.u.err != nil {
		l.decoding = false
		return parsedBatch{}, false
	}
	for l.batches[0].control() && len(l.batches) > 1 { // what follows passes it too
		l.drop()
	}
	return l.batches[0], true
}

// drop takes the first batch away.
func (l *inLane) drop() {
	l.packed -= len(l.batches[0].payload)
	l.batches[0] = parsedBatch{}
	l.batches = l.batches[1:]
}

// decoded puts a batch's entries behind those that l has.
func (a *assignment) decoded(l *inLane, batch *parsedBatch, entries []entry) {
	size := 0
	for i := range entries {
		size += entries[i].size
	}
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	if l.entries == nil {
		l.entries = entries
	} else {
		l.entries = append(l.entries, entries...)
	}
	l.bytes, l.end, l.seen = l.bytes+size, batch.next, batch.producer
	if l.drop(); len(l.batches) == 0 {
		l.batches = nil
	}
	a.u.wakeLocked()
}

func (a *assignment) decodeBatch(ctx context.Context, l *inLane, batch *parsedBatch) (entries []entry, err error) {
	if batch.control() {
		return nil, nil
	}
	if err := l.records.open(batch, a.u.s.z); err != nil {
		return nil, fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
	}
	entries = slices.Grow(entries, int(min(batch.count, int32(len(l.records.b)/8))))
	for {
		rec, offset, ok, err := l.records.read()
		if err != nil {
			return nil, fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
		}
		if !ok {
			return entries, nil
		}
		if offset < l.end {
			continue
		}
		c, isChange, err := a.decodeRecord(ctx, l, offset, rec)
		if err != nil {
			return nil, err
		}
		if isChange {
			entries = append(entries, entry{c: c, next: offset + 1, size: c.Size(), by: batch.producer})
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

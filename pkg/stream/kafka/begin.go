package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// place finds where each lane begins: at the sink's mark, else at the group's offset, else at its first record. It proves that the topic goes
// on from there, or the assignment is change.ErrGap (invariant 5).
func (a *assignment) place(ctx context.Context) error {
	lanes := make([]change.Lane, len(a.order))
	for i, l := range a.order {
		lanes[i] = l.id
	}
	if len(lanes) == 0 {
		return nil
	}
	given, err := a.u.begin(ctx, lanes)
	if err != nil {
		return fmt.Errorf("%w: begin: %w", errBegin, err)
	}
	marks := map[change.Lane]change.Mark{}
	for _, m := range given {
		marks[m.Lane] = m
	}
	client := a.u.s.client
	offsets, err := a.u.groupOffsets(ctx, lanes)
	if err != nil {
		return err
	}
	first, err := client.offsets(ctx, lanes, kafkago.FirstOffset)
	if err != nil {
		return err
	}
	last, err := client.offsets(ctx, lanes, kafkago.LastOffset)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tailReaders)
	for _, l := range a.order {
		mark, marked := marks[l.id]
		b := beginning{lane: l.id, mark: mark, marked: marked, offset: offsets[l.id], first: first[l.id], last: last[l.id]}
		if marked && mark.Next == 0 && mark.Pos.IsZero() { // the target has nothing of the lane, whatever the group remembers of it
			b.marked, b.offset = false, -1
		}
		group.Go(func() (err error) {
			l.from, err = b.prove(ctx, a.u.s)
			l.end, l.fetched, l.seen = l.from.Next, l.from.Next, b.by
			return err
		})
	}
	return group.Wait()
}

// errBegin: the sink couldn't say where to begin, which ends the subscriber.
var errBegin = errors.New("the sink has no answer")

// groupOffsets is what the group has committed, -1 where nothing.
func (u *subscriber) groupOffsets(ctx context.Context, lanes []change.Lane) (map[change.Lane]int64, error) {
	topics := map[string][]int{}
	for _, l := range lanes {
		topics[l.Stream] = append(topics[l.Stream], int(l.N))
	}
	out := map[change.Lane]int64{}
	err := u.s.client.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, u.s.client.timeout)
		defer cancel()
		r, err := u.s.client.api.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{GroupID: u.group, Topics: topics})
		if err != nil {
			return err
		}
		if code, ok := errors.AsType[kafkago.Error](r.Error); ok {
			return classify(code)
		}
		for topic, partitions := range r.Topics {
			for _, p := range partitions {
				if code, ok := errors.AsType[kafkago.Error](p.Error); ok {
					return classify(code)
				}
				out[change.Lane{Stream: topic, N: int32(p.Partition)}] = p.CommittedOffset
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the offsets of group %s: %w", u.group, err)
	}
	for _, l := range lanes {
		if _, ok := out[l]; !ok {
			return nil, fmt.Errorf("ask for the offsets of group %s: none came for %s/%d", u.group, l.Stream, l.N)
		}
	}
	return out, nil
}

// beginning is what is known of a lane before its first fetch.
type beginning struct {
	lane        change.Lane
	mark        change.Mark
	marked      bool
	offset      int64    // the group's; below zero: none
	first, last int64    // what the partition holds: first <= offset < last
	by          producer // set by prove: who wrote the batch below where it goes on
}

// prove returns the mark from which the lane goes on, or change.ErrGap (invariant 5).
func (b *beginning) prove(ctx context.Context, s *Stream) (change.Mark, error) {
	from := change.Mark{Lane: b.lane, Next: b.first}
	switch {
	case b.marked:
		from = b.mark
	case b.offset >= 0:
		from.Next = b.offset
	case b.first > 0:
		return from, b.gap("it begins at offset %d: rows that have not changed since are not in it, and this sink has never read it", b.first)
	}
	switch {
	case from.Next < b.first:
		return from, b.gap("it begins at offset %d, the sink has read up to %d: retention has passed it", b.first, from.Next)
	case from.Next > b.last:
		return from, b.gap("it ends at offset %d, the sink has read up to %d: the topic was made anew or has lost its end", b.last, from.Next)
	}
	var last below
	if from.Next > b.first {
		var err error
		if last, err = s.recordBelow(ctx, b.lane, from.Next); err != nil {
			return from, err
		}
	}
	pos, at, ok := last.pos, last.at, last.ok
	b.by = last.by
	switch {
	case !b.marked:
		from.Pos = pos
		return from, nil
	case b.mark.Pos.Less(pos):
		return from, b.gap("offset %d holds %s, which stands above the sink's mark %s: the topic is not the one that it has read", at, pos, b.mark.Pos)
	case pos == b.mark.Pos, !ok && b.first > 0: // retention has taken all that the sink has read
		return from, nil
	case !ok:
		at = -1
	}
	found, err := b.witness(ctx, s, at)
	if err == nil && !found {
		err = b.gap("no record at the sink's mark %s is near offset %d: the topic is not the one that it has read", b.mark.Pos, b.mark.Next)
	}
	return from, err
}

// witnessRange bounds, in offsets each way, how far a record with a mark's Position is looked for.
const witnessRange = 1 << 20

// witness looks for the record that the mark's Position is of, where the last one below the mark, at offset at (-1: none), stands lower.
//
// A mark says: all below Next is applied, and everything at or below Pos. Pos is the highest Position applied, which is mostly that of
// the record just below Next, but not always. A sink that waits for order has applied the beginning of a delivery without moving
// Next: then the record stands at or above Next, ahead of all that are above Pos. A SnapshotRow, or what was replayed, may follow a higher record:
// then that one stands further below. Neither there: the topic is another one, whatever its length, and its rows would be dropped as
// old. Only where compaction has taken records just below Next or ahead of those above Pos may the one that is missing be
// among them.
func (b *beginning) witness(ctx context.Context, s *Stream, at int64) (found bool, err error) {
	above := false
	is := func(_ int64, m *codec.Meta) bool {
		found, above = m.Position == b.mark.Pos, b.mark.Pos.Less(m.Position)
		return !found && !above
	}
	walk := func(from, end int64) (holes bool, err error) {
		err = s.client.retry(ctx, func() error {
			holes, err = s.walk(ctx, span{lane: b.lane, from: from, end: end}, is)
			return err
		})
		return holes, err
	}
	ahead, err := walk(b.mark.Next, min(b.last, b.mark.Next+witnessRange))
	if err != nil || found || ahead {
		return true, err
	}
	behind, err := walk(at+1, b.mark.Next)
	if err != nil || behind {
		return true, err
	}
	least := max(b.first, at-witnessRange)
	above = false
	for upper, step := at, int64(1<<10); upper > least && !found && !above && err == nil; step *= 2 {
		from := max(least, upper-step)
		_, err = walk(from, upper)
		upper = from
	}
	return found, err
}

func (b *beginning) gap(format string, args ...any) error {
	return fmt.Errorf("%w: topic %s partition %d: %w; take a new snapshot of its table for this sink, or set the group's offset by hand",
		change.ErrGap, b.lane.Stream, b.lane.N, fmt.Errorf(format, args...))
}

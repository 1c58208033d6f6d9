package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/tailwater-cdc/tailwater/pkg/change"
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
		b := beginning{lane: l.id, mark: mark, marked: marked && (mark.Next > 0 || !mark.Pos.IsZero()), offset: offsets[l.id], first: first[l.id], last: last[l.id]}
		group.Go(func() (err error) {
			l.from, err = b.prove(ctx, a.u.s)
			l.end = l.from.Next
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
	offset      int64 // the group's; below zero: none
	first, last int64 // what the partition holds: first <= offset < last
}

// prove returns the mark from which the lane goes on. The last record below it must be the one that the mark speaks of.
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
	case from.Next == b.first:
		return from, nil
	}
	pos, at, ok, err := s.recordBelow(ctx, b.lane, from.Next)
	if err != nil {
		return from, err
	}
	if !ok {
		return from, nil
	}
	if b.marked && (b.mark.Pos.Less(pos) || at == from.Next-1 && pos != b.mark.Pos) {
		return from, b.gap("offset %d holds %s, the sink's mark says %s: the topic is not the one that it has read", at, pos, b.mark.Pos)
	}
	from.Pos = pos
	if b.marked {
		from.Pos = b.mark.Pos
	}
	return from, nil
}

func (b *beginning) gap(format string, args ...any) error {
	return fmt.Errorf("%w: topic %s partition %d: %w; take a new snapshot of its table for this sink, or set the group's offset by hand",
		change.ErrGap, b.lane.Stream, b.lane.N, fmt.Errorf(format, args...))
}

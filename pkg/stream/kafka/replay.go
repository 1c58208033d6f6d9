package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// replay is what a lane holds above the saved Position, published under an earlier Epoch: how many changes of each source transaction, and
// how many NewShapes of each fingerprint. After a change of server the same transactions come again, at other Positions, and only their
// names tell that they are there already. nil: nothing.
type replay struct {
	txns, shapes map[string]int
}

// replays finds what lanes hold above saved of epochs before ours.
func (p *publisher) replays(ctx context.Context, ends map[change.Lane]laneEnd) (map[change.Lane]*replay, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tailReaders)
	found := map[change.Lane]*replay{}
	for lane, end := range ends {
		if p.saved.Epoch == 0 || p.saved.Epoch == p.epoch || !p.saved.Less(end.tail) {
			continue
		}
		group.Go(func() error {
			r, err := p.above(ctx, lane, end.next)
			if err != nil {
				return fmt.Errorf("look what %s/%d holds above %s: %w", lane.Stream, lane.N, p.saved, err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			found[lane] = r
			return nil
		})
	}
	return found, group.Wait()
}

// above counts what a lane holds above saved, from its end back to the first record that isn't. Positions don't fall within a lane, so what
// stands before that one is saved too; what retention has taken was published so long ago that it is. nil: an earlier opening in this Epoch
// has published rows there, so it was past all of that, and the tail tells the rest. A shape says nothing of the kind: it comes in front of rows.
func (p *publisher) above(ctx context.Context, lane change.Lane, end int64) (r *replay, err error) {
	err = p.s.client.retry(ctx, func() error {
		starts, err := p.s.client.offsets(ctx, []change.Lane{lane}, kafkago.FirstOffset)
		if err != nil {
			return err
		}
		r = &replay{txns: map[string]int{}, shapes: map[string]int{}}
		reached, past := false, false
		var next change.Position // of the span above
		for upper, step := end, int64(1<<10); upper > starts[lane] && !reached; step *= 2 {
			from := max(starts[lane], upper-step)
			var first, before change.Position
			_, err := p.s.walk(ctx, span{lane: lane, from: from, end: upper}, func(_ int64, m *codec.Meta) bool {
				if !p.saved.Less(m.Position) {
					reached = true
				} else if m.Position.Epoch == p.epoch {
					past = past || m.HasTxn && m.Position.Seq&seqKind != change.SeqShape
				} else if m.HasTxn && m.Position != before && m.Position != next { // equal: a delete and its tombstone
					r.count(m)
				}
				if first == (change.Position{}) {
					first = m.Position
				}
				before = m.Position
				return true
			})
			if err != nil {
				return err
			}
			if past {
				r = nil
				return nil
			}
			upper = from
			if first != (change.Position{}) {
				next = first
			}
		}
		return nil
	})
	return r, err
}

func (r *replay) count(m *codec.Meta) {
	if m.Position.Seq&seqKind == change.SeqShape {
		r.shapes[string(m.Shape)]++
		return
	}
	r.txns[string(m.TxnID)]++
}

// seqKind is the part of a Position's Seq that says what stands there.
const seqKind = 3

// holds says that c is one of what the lane holds, and takes it off. Where something else comes while a transaction is still expected,
// the new server has never had that: change.ErrGap.
func (r *replay) holds(c *change.Change, fingerprint string) (bool, error) {
	counts, key := r.txns, ""
	switch {
	case c.Txn == nil:
		return false, nil
	case c.Op == change.NewShape:
		counts, key = r.shapes, fingerprint
	default:
		key = c.Txn.ID
	}
	if n := counts[key]; n > 1 {
		counts[key] = n - 1
		return true, nil
	} else if n == 1 {
		delete(counts, key)
		return true, nil
	}
	if len(r.txns) == 0 || c.Op == change.NewShape {
		return false, nil
	}
	missing := slices.Sorted(maps.Keys(r.txns))
	return false, fmt.Errorf("%w: transaction %s at %s follows, but the topic holds rows of %d transactions that the server has not sent again, %.100s first: it was published from another server and is lost on this one; begin anew: tailwater drop the pipeline, empty its target tables, delete its topics, start (docs/continuity.md)",
		change.ErrGap, c.Txn.ID, c.Pos, len(missing), missing[0])
}

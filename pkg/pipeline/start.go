package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// opening is what one life of the capture loop works on.
type opening struct {
	rec       checkpoint.Record // as saved
	source    connectors.Source
	begin     change.Position // all at or below it was handed over before the source was opened
	publisher stream.Publisher
}

// sinkMarks is where one sink stands in a direct stream; no marks: it has applied nothing yet.
type sinkMarks struct {
	sink  string
	marks []change.Mark
}

// open opens source and publisher at the saved place, or saves the place where a new source begins. The store's lock is held by
// then, so a second instance is refused by the lock or the slot before it can fence the first.
func (c *capture) open(ctx context.Context) (opening, error) {
	rec, err := c.cfg.Store.Load(ctx, c.cfg.Name)
	fresh := errors.Is(err, checkpoint.ErrNotFound)
	switch {
	case errors.Is(err, checkpoint.ErrCorrupt):
		return opening{}, fmt.Errorf("%w: %w; restore the state directory, or remove this checkpoint and start with --new-epoch and a snapshot", err, change.ErrGap)
	case err != nil && !fresh:
		return opening{}, fmt.Errorf("load checkpoint: %w", err)
	case !fresh && c.cfg.NewEpoch && !c.anew:
		return opening{}, fmt.Errorf("--new-epoch begins anew where the checkpoint is lost, but there is one of %s, of epoch %d at %s: leave the flag away to go on from it; "+
			"to begin anew, tailwater drop the pipeline, empty its target tables, delete its topics, and start without the flag (docs/continuity.md): %w",
			c.cfg.Name, rec.Epoch, rec.Upto, change.ErrPreflight)
	}
	c.anew = fresh || c.anew
	stand, err := c.stand(ctx)
	if err != nil {
		return opening{}, err
	}
	known, err := c.known(ctx, stand)
	if err != nil {
		return opening{}, err
	}
	start, err := c.place(rec, fresh, known, stand)
	if err != nil {
		return opening{}, err
	}
	opened, err := c.cfg.Source(ctx, start)
	if err != nil {
		return opening{}, fmt.Errorf("open source: %w", err)
	}
	o := opening{rec: rec, source: opened.Source, begin: opened.Upto}
	switch {
	case fresh:
		o.rec, err = c.first(ctx, start.Epoch, opened)
	case opened.Identity != rec.Identity:
		o, err = c.newIdentity(ctx, o, newLog{identity: opened.Identity, start: start, known: known, stand: stand})
	}
	if err == nil {
		o.publisher, err = c.cfg.Stream.Publisher(ctx, stream.Start{Epoch: o.rec.Epoch, Saved: max2(start.Upto, o.rec.ReleasedUpto), Announced: o.rec.Announced})
		if err != nil {
			err = fmt.Errorf("open publisher: %w", err)
		}
	}
	if err != nil {
		if o.source != nil {
			err = errors.Join(err, o.source.Close())
		}
		return opening{}, err
	}
	return o, nil
}

func max2(p, q change.Position) change.Position {
	if p.Less(q) {
		return q
	}
	return p
}

// place is where the source is to be opened. The refusals here are invariant 5: continuity that can't be proved.
func (c *capture) place(rec checkpoint.Record, fresh bool, known uint32, stand []sinkMarks) (connectors.Start, error) {
	if fresh {
		if known != 0 && !c.cfg.NewEpoch {
			return connectors.Start{}, fmt.Errorf("no checkpoint of %s, but epoch %d of source %s has been published or applied; restore the state directory, or start with --new-epoch, which empties the targets' tables and reads all rows again: %w",
				c.cfg.Name, known, c.cfg.SourceID, change.ErrGap)
		}
		return connectors.Start{Epoch: known + 1, Anew: known != 0}, nil
	}
	if known > rec.Epoch {
		return connectors.Start{}, fmt.Errorf("the checkpoint is of epoch %d, but epoch %d of source %s has been published or applied: the state directory is an old one; restore the newer one, or remove it and start with --new-epoch: %w",
			rec.Epoch, known, c.cfg.SourceID, change.ErrGap)
	}
	start := connectors.Start{Epoch: rec.Epoch, Resume: rec.Resume, Upto: rec.Upto, Snapshot: rec.Snapshot}
	if !c.cfg.Direct {
		return start, nil
	}
	behind, err := c.behind(rec, stand)
	if behind {
		start.Resume, start.Upto = rec.Released, rec.ReleasedUpto
	}
	return start, err
}

// behind says that a target of a direct stream stands below the checkpoint, where the log is still to be had. A Record that has
// been saved once only is the start itself: nothing has been acknowledged under it, so a target may have no marks yet, or an earlier epoch's.
func (c *capture) behind(rec checkpoint.Record, stand []sinkMarks) (bool, error) {
	behind := false
	for _, s := range stand {
		if len(s.marks) == 0 && rec.Generation > 1 {
			return false, fmt.Errorf("sink %s has no marks of source %s, which stands at %s: the log before it is gone; "+
				"remove the checkpoint and start with --new-epoch, which empties the tables and reads all rows again: %w",
				s.sink, c.cfg.SourceID, rec.Upto, change.ErrGap)
		}
		for _, m := range s.marks {
			if rec.Generation == 1 && m.Pos.Epoch < rec.Epoch {
				continue // of an earlier life: the process died before anything of this one was applied
			}
			if m.Pos.Less(rec.ReleasedUpto) {
				return false, fmt.Errorf("sink %s stands at %s in lane %d, but the source has been allowed to forget everything up to %s: "+
					"what lies between is missing (was the target restored?); drop the pipeline, empty its tables, and start it anew: %w",
					s.sink, m.Pos, m.Lane.N, rec.ReleasedUpto, change.ErrGap)
			}
			behind = behind || m.Pos.Less(rec.Upto)
		}
	}
	return behind, nil
}

// stand asks the targets of a direct stream for their marks; a stream with a memory of its own needs none.
func (c *capture) stand(ctx context.Context) ([]sinkMarks, error) {
	if !c.cfg.Direct {
		return nil, nil
	}
	all := make([]sinkMarks, 0, len(c.cfg.Sinks))
	for _, s := range c.cfg.Sinks {
		target, err := s.Open(ctx)
		if err != nil {
			return nil, fmt.Errorf("open sink %s: %w", s.Name, err)
		}
		state, err := target.Load(ctx, c.cfg.SourceID)
		if err := errors.Join(err, target.Close()); err != nil {
			return nil, fmt.Errorf("load marks of sink %s: %w", s.Name, err)
		}
		all = append(all, sinkMarks{sink: s.Name, marks: state.Marks})
	}
	return all, nil
}

// known is the highest epoch of our source id that has left a trace downstream.
func (c *capture) known(ctx context.Context, stand []sinkMarks) (uint32, error) {
	known, err := c.cfg.Stream.Known(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask the stream for source %s: %w", c.cfg.SourceID, err)
	}
	for _, s := range stand {
		for _, m := range s.marks {
			known = max(known, m.Pos.Epoch)
		}
	}
	return known, nil
}

// first saves the place where a new source begins, before anything is read: whatever crashes, the log from there on, and so every
// change of a row that a snapshot reads later, is still to be had.
func (c *capture) first(ctx context.Context, epoch uint32, opened connectors.Opened) (checkpoint.Record, error) {
	if opened.Resume == "" {
		return checkpoint.Record{}, fmt.Errorf("the source names no place to resume from: %w", change.ErrHalt)
	}
	rec, err := c.cfg.Store.Save(ctx, checkpoint.Record{
		Pipeline: c.cfg.Name, Epoch: epoch, Identity: opened.Identity,
		Resume: opened.Resume, Upto: opened.Upto, Released: opened.Resume, ReleasedUpto: opened.Upto,
		Snapshot: opened.Snapshot, Announced: map[string]string{},
	})
	if err != nil {
		return rec, fmt.Errorf("save the first position: %w", err)
	}
	fault.Point("snapshot.position_saved")
	return rec, nil
}

// newLog is a log that is not the one of the Record's Epoch.
type newLog struct {
	identity string
	start    connectors.Start // as the source was opened
	known    uint32
	stand    []sinkMarks
}

// newIdentity begins a new epoch: the source has proved that another log continues ours, but its positions don't compare.
func (c *capture) newIdentity(ctx context.Context, o opening, n newLog) (opening, error) {
	for _, s := range n.stand {
		for _, m := range s.marks {
			if n.start.Upto.Less(m.Pos) {
				return o, fmt.Errorf("the log is now %s instead of %s, and sink %s has applied up to %s, beyond %s where it would begin: what it would get again can't be told from what is new: %w",
					n.identity, o.rec.Identity, s.sink, m.Pos, n.start.Upto, change.ErrGap)
			}
		}
	}
	c.log.Info("another log: a new epoch begins", "pipeline", c.cfg.Name, "was", o.rec.Identity, "is", n.identity)
	err := o.source.Close()
	o.source = nil
	if err != nil {
		return o, fmt.Errorf("close source of the old epoch: %w", err)
	}
	next := o.rec
	next.Epoch, next.Identity = max(o.rec.Epoch, n.known)+1, n.identity
	if o.rec, err = c.cfg.Store.Save(ctx, next); err != nil {
		return o, fmt.Errorf("save epoch %d: %w", next.Epoch, err)
	}
	start := n.start
	start.Epoch = o.rec.Epoch
	again, err := c.cfg.Source(ctx, start)
	if err != nil {
		return o, fmt.Errorf("open source in epoch %d: %w", start.Epoch, err)
	}
	o.source, o.begin = again.Source, again.Upto
	if again.Identity != o.rec.Identity {
		return o, fmt.Errorf("the log changed from %s to %s while it was opened", o.rec.Identity, again.Identity)
	}
	return o, nil
}

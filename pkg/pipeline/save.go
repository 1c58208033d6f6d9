package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

// settler is the half of the capture loop behind the publisher: Acked -> Save -> Release (invariant 1).
type settler struct {
	*capture
	opening
	reader   *reader
	next     checkpoint.Record // what the newest acknowledgement allows to save
	released change.Resume     // in this life; "": nothing yet
	acked    uint64
	rows     int    // acknowledged since the last Save
	progress []byte // the newest acknowledged snapshot progress; nil: as saved
	urgent   bool   // the snapshot has come on
	shapes   bool   // a shape was acknowledged since the last Save
	caught   bool   // what is acknowledged has reached the Record's place: a target may have begun below it
	timer    *time.Timer
	armed    bool
}

func newSettler(c *capture, o opening, r *reader) *settler {
	s := &settler{capture: c, opening: o, reader: r, next: o.rec, timer: time.NewTimer(time.Hour)}
	s.timer.Stop()
	return s
}

// run returns when the reader has ended and all that it published is saved and released, or on the first error.
func (s *settler) run(work context.Context) error {
	defer s.timer.Stop()
	ended := s.reader.ended
	for {
		var err error
		select {
		case n, ok := <-s.publisher.Acked():
			if !ok {
				return errPublisher
			}
			err = s.acknowledge(work, n)
		case <-s.timer.C:
			s.armed = false
			err = s.save(work)
		case err = <-ended:
			ended = nil
			if err != nil && s.unsaved() { // the next life repeats less
				err = errors.Join(err, s.save(work))
			}
		case <-work.Done():
			return fmt.Errorf("%d batches are not acknowledged: %w", s.reader.count()-s.acked, context.Cause(work))
		}
		if err != nil {
			return err
		}
		if ended == nil && s.acked == s.reader.count() {
			return s.finish(work)
		}
	}
}

// acknowledge takes in that n batches since open are durable downstream.
func (s *settler) acknowledge(work context.Context, n uint64) error {
	if n < s.acked {
		return fmt.Errorf("the publisher took back an acknowledgement: %d after %d: %w", n, s.acked, change.ErrHalt)
	}
	fault.Point("capture.acked")
	for _, p := range s.reader.take(n - s.acked) {
		s.rows += p.rows
		s.cfg.Observer.runs(s.event, StagePublished, p.runs)
		s.take(p)
	}
	more := int(n - s.acked)
	s.acked = n
	s.board.update(func(st *Status) {
		st.Published = max2(st.Published, s.next.Upto)
		if more > 0 {
			st.Unacked, st.AckedAt = st.Unacked-more, time.Now()
		}
	})
	if s.urgent || s.rows >= s.cfg.SaveRows {
		return s.save(work)
	}
	s.arm()
	return nil
}

// take moves what may be saved on by one batch. While a start below the checkpoint is being repeated, the Record stays where it is.
func (s *settler) take(p pending) {
	if p.snapshot != nil {
		s.progress = p.snapshot
	}
	if p.upto.Less(s.next.Upto) || p.resume == "" {
		return
	}
	s.caught = true
	s.next.Resume, s.next.Upto = p.resume, p.upto
	if s.progress != nil && !bytes.Equal(s.progress, s.next.Snapshot) {
		s.next.Snapshot, s.urgent = s.progress, true
	}
	if len(p.announced) == 0 {
		return
	}
	s.shapes = true
	s.next.Announced = copyOf(s.next.Announced)
	for _, a := range p.announced {
		s.next.Announced[a.table] = a.fingerprint
	}
}

// arm sees to it that what is dirty is saved within SaveEvery.
func (s *settler) arm() {
	if !s.armed && s.dirty() {
		s.timer.Reset(s.cfg.SaveEvery)
		s.armed = true
	}
}

// dirty says that a Save has something to save, or that the last Resume saved waits for a second generation to be released. Invariant 1:
// while a target below the Record catches up, the Record's own Resume is ahead of what is durable there.
func (s *settler) dirty() bool {
	return s.unsaved() || s.caught && s.released != s.rec.Resume
}

func (s *settler) unsaved() bool {
	return s.next.Upto != s.rec.Upto || s.next.Resume != s.rec.Resume || !bytes.Equal(s.next.Snapshot, s.rec.Snapshot) || s.urgent || s.shapes
}

// save saves what has been acknowledged and releases what the generation before it holds as well, so that a store that has to fall
// back by one generation still finds the log there (invariant 1). The Record says first what may have been released. Where the
// snapshot has come on, that is all of it: the progress saved belongs to this Resume, and no earlier place can be combined with it.
func (s *settler) save(work context.Context) error {
	before := s.rec
	s.next.Released, s.next.ReleasedUpto = before.Resume, before.Upto
	if !bytes.Equal(s.next.Snapshot, before.Snapshot) {
		s.next.Released, s.next.ReleasedUpto = s.next.Resume, s.next.Upto
	}
	began := time.Now()
	saved, err := s.cfg.Store.Save(work, s.next)
	if err != nil {
		return fmt.Errorf("save %s: %w", s.next.Upto, cutOff(work, err))
	}
	s.cfg.Observer.saved(s.event, time.Since(began))
	s.rec, s.next, s.rows, s.urgent, s.shapes = saved, saved, 0, false, false
	s.board.update(func(st *Status) { st.Saved, st.SavedAt = saved.Upto, time.Now() })
	if err := s.release(work, before); err != nil {
		return err
	}
	s.arm()
	return nil
}

func (s *settler) release(work context.Context, r checkpoint.Record) error {
	if r.Resume == s.released {
		return nil
	}
	fault.Point("release.before")
	if err := s.source.Release(work, r.Resume); err != nil {
		return fmt.Errorf("release %s: %w", r.Upto, cutOff(work, err))
	}
	fault.Point("release.after")
	s.released = r.Resume
	s.board.update(func(st *Status) { st.Released = r.Upto })
	return nil
}

// finish saves and releases to the last. A run in which nothing was acknowledged leaves the Record as it was.
func (s *settler) finish(work context.Context) error {
	for s.dirty() {
		if err := s.save(work); err != nil {
			return err
		}
	}
	return nil
}

// Package stream holds the contract between the capture and the apply loop: a Publisher takes batches in, Subscribers hand them out
// lane by lane. kafka and direct are below; streamtest is the suite that both pass. It imports pkg/change only.
package stream

import (
	"context"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Stream is one pipeline's way from capture to apply.
type Stream interface {
	// Known is the highest Epoch under which our source id stands in the stream, 0 where it is unknown there. A start without a
	// checkpoint refuses to go on where it is known.
	Known(ctx context.Context) (uint32, error)
	// Publisher opens the pipeline's one publisher and fences every older one.
	Publisher(ctx context.Context, start Start) (Publisher, error)
	// Subscriber opens a subscriber for one sink.
	Subscriber(ctx context.Context, s Subscription) (Subscriber, error)
	// Close frees what the stream holds; publishers and subscribers are closed before it.
	Close() error
}

// Start is what the capture loop knows when it opens a Publisher.
type Start struct {
	Epoch uint32          // the Epoch of all that will be published
	Saved change.Position // all at or below it was acknowledged before
	// Announced has a key "schema.table" for every table of which something was acknowledged before, in whatever epoch of this
	// checkpoint. Where a stream has nothing of such a table any more, its publisher ends with change.ErrGap rather than begin anew.
	Announced map[string]string
}

// Subscription says whose subscriber it is and where its lanes begin.
type Subscription struct {
	Sink string // the sink's name
	// Begin is called inside each new assignment, before its first Fetch, and returns the marks of those lanes that have one. A lane without a
	// mark begins at the group's offset, else at its first record; one with a zero Mark, of a sink that keeps marks and has none of it, at its
	// first record. Where the lane has lost its beginning by then, Fetch returns change.ErrGap: what has not changed since is in no record
	// any more. A non-nil error ends the subscriber.
	Begin func(ctx context.Context, lanes []change.Lane) ([]change.Mark, error)
	// Trouble, where it isn't nil, is told what keeps the subscriber from its lanes while it tries again, and nil once it has them. It must not block.
	Trouble func(err error)
}

// Publisher takes batches in order. One goroutine calls Publish; another may wait on Acked.
type Publisher interface {
	// Publish queues b, in order, and blocks while the publisher's bytes are full. It keeps b until it is acknowledged.
	Publish(ctx context.Context, b change.Batch) error
	// Acked carries how many batches since open are acknowledged whole, in order: only the latest count is kept, so a slow
	// reader blocks nothing. It is closed on an error, which Close then returns.
	Acked() <-chan uint64
	// Close sends nothing more, waits for the publisher's goroutines, and returns the error that closed Acked: change.ErrFenced,
	// change.ErrGap, ...; nil where there was none. After an error the caller reopens and replays.
	Close() error
}

// Delivery is a run of changes of one lane, or of all lanes of one topic where it is a marker. To stands past what the lane
// holds besides changes too: control batches and compaction holes.
type Delivery struct {
	Changes  []change.Change
	From, To []change.Mark   // one for each lane, in the same order; To[i].Pos is the highest Position delivered
	Lost     <-chan struct{} // closed when the lanes are no longer ours: what has not been committed by then must not be
}

// Subscriber hands out deliveries. Fetch and Commit may be called from several goroutines: deliveries of different lanes are applied
// beside each other.
type Subscriber interface {
	// Fetch blocks until some lane has something new and returns all that has come, up to about maxBytes; never of a lane that
	// has an uncommitted Delivery. change.ErrGap where a lane no longer holds the record at its mark.
	Fetch(ctx context.Context, maxBytes int) (Delivery, error)
	// Commit says that d is applied and frees its lanes. After a lost assignment it is change.ErrFenced.
	Commit(ctx context.Context, d Delivery) error
	// Ends is the end of every lane now: what has been published when it is called stands below it.
	Ends(ctx context.Context) ([]change.Mark, error)
	// Close leaves the stream and waits for the subscriber's goroutines.
	Close() error
}

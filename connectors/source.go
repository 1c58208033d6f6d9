// Package connectors holds the contract of a Source: whatever turns a database's own log into ordered changes. Each connector is one
// folder below; sourcetest is the suite that every one of them passes. It imports pkg/change only.
package connectors

import (
	"context"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Start is what the capture loop knows when it opens a Source. The zero Resume means that there is no saved place: the source
// begins at its log's present end and, as configured, with a snapshot.
type Start struct {
	Epoch    uint32          // for every Position that the source hands over
	Resume   change.Resume   // the saved place; the source proves that the log still continues there, or returns change.ErrGap
	Upto     change.Position // what was handed over and acknowledged with that Resume
	Snapshot []byte          // the snapshot progress saved with it
	Anew     bool            // no saved place, but targets hold what an earlier life has brought: the snapshot begins with their Truncate
}

// Opened is a Source and the place at which it begins. The capture loop saves that place before the first Read, and so before the
// first row of a snapshot is read: whatever crashes later, the log from there on is still to be had.
type Opened struct {
	Source   Source
	Identity string          // which log this is: server, database and timeline; an Epoch stands for one Identity
	Resume   change.Resume   // Start.Resume, or the place where a new source begins
	Upto     change.Position // Start.Upto, or the Position just below the first change to come
	Snapshot []byte          // what is saved with the first place, so that a crash doesn't forget Start.Anew; nil: nothing
}

// Open connects to a server and opens a Source on it. It returns change.ErrGap, ErrBusy, ErrUnreachable, ErrDenied or ErrPreflight,
// wrapped with the fix, where one of them applies.
type Open func(ctx context.Context, start Start) (Opened, error)

// Source hands over a log's committed changes in order. One goroutine calls Read; Head, Release and Snapshotter's methods may be
// called from another meanwhile. The life of a Source: Open, then Read and Release any number of times, then Close.
type Source interface {
	// Read blocks until there is something to hand over and returns all that has come, up to about maxBytes (Batch.Size);
	// always at least one change, so a single row may exceed it. A Batch may be empty with a new Upto when the log moved on
	// without us, at most once a second unless a snapshot waits for it. The Source answers its server's keepalives while nobody reads.
	Read(ctx context.Context, maxBytes int) (change.Batch, error)
	// Head is the log's end now: a Position that Upto reaches once all that was committed before the call has been read.
	Head(ctx context.Context) (change.Position, error)
	// Release tells the server that it may forget its log up to a saved Resume (invariant 1: only after Save).
	Release(ctx context.Context, upTo change.Resume) error
	// Close sends the last Release to the server and ends the connection. Nothing is handed over after it.
	Close() error
}

// Snapshotter is a Source that can snapshot tables beside its stream.
type Snapshotter interface {
	// Snapshot asks for a snapshot of one table, "schema.name", of all rows or those matching the SQL condition where. It
	// returns once the request is part of the progress that Read hands over; an unknown table is change.ErrPreflight.
	Snapshot(ctx context.Context, table, where string) error
	// Progress is how far each table of the present snapshot has come, in the order in which they are read.
	Progress() []Progress
}

// Progress is how far the snapshot of one table has come.
type Progress struct {
	Table    string // schema.name
	Rows     int64  // handed over so far
	Estimate int64  // the server's estimate of all rows, or -1
	Started  time.Time
	Done     bool
}

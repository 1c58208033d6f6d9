// Package sinks holds the contract of a Sink: whatever applies changes to a target store. Each target is one folder below; sinktest is
// the suite that every one of them passes. It imports pkg/change only.
package sinks

import (
	"context"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Sink applies changes to a target. Its methods may be called from several goroutines at once, for different lanes.
type Sink interface {
	// Apply applies c in order. On nil all of c is durable in the target; applying the whole again ends in the same state.
	// A *PartialError names the changes that the target refused; every other error may be told by ClassOf.
	Apply(ctx context.Context, c []change.Change) error
	// Close ends the sink's connections.
	Close() error
}

// Parked is a change that a target refused, or one that waits behind such a change of its key.
type Parked struct {
	Change change.Change
	Lane   change.Lane
	Code   string // the target's own code, e.g. SQLSTATE; empty: it waits behind one that has a code
	Cause  string // the target's words
}

// State is what a target keeps of one stream: how far each lane has been applied, and the changes that it refused.
type State struct {
	Marks  []change.Mark
	Parked []Parked // in the order in which they were parked
}

// MarkSink is a Sink that keeps marks and parked changes in the target itself, in the transaction that writes the rows: what it has
// applied and what it says that it has applied are never two things.
type MarkSink interface {
	Sink
	// Load returns the state of one stream: a topic, or the source id in direct mode. A new stream's State is empty.
	Load(ctx context.Context, stream string) (State, error)
	// ApplyAt is one target transaction: it locks the marks of from's lanes, compares them with from (a lane that has no mark
	// yet equals the zero Next and Pos), applies c, writes parked, and moves the marks to to. Marks that differ are
	// change.ErrFenced, and nothing has happened. On a *PartialError nothing has happened either: the caller takes the refused
	// changes and all later ones of their keys out of c, hands them in as parked, and calls again (invariant 8).
	// A SnapshotRow in c supersedes, and so removes, what earlier calls parked of its key at or below its Position; a Truncate
	// what they parked of its table, in whatever lane. A target that keeps every change as a row of its own removes nothing.
	ApplyAt(ctx context.Context, c []change.Change, parked []Parked, from, to []change.Mark) error
}

// Class says what to do about an error of a target.
type Class uint8

// The classes.
const (
	Retry  Class = iota // passing: the same call may succeed later
	Wait                // a unique or foreign-key violation: other lanes may have to come first
	Reject              // the target will never take this change
	Fatal               // the target will take nothing until somebody acts; wraps change.ErrHalt
)

var classNames = [...]string{"retry", "wait", "reject", "fatal"}

// String returns the class's name.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "invalid"
}

// Refused is one change that a target refused.
type Refused struct {
	Index int    // into the changes as passed
	Class Class  // Wait or Reject
	Code  string // the target's own code; never empty
	Cause error
}

// PartialError names exactly the changes that the target refused, in ascending order of Index; nothing of the call is durable.
type PartialError struct{ Refused []Refused }

// Error names the first refused change and how many there are.
func (e *PartialError) Error() string {
	if len(e.Refused) == 0 {
		return "no change refused"
	}
	first := e.Refused[0]
	return fmt.Sprintf("%d changes refused, first change %d (%s): %v", len(e.Refused), first.Index, first.Code, first.Cause)
}

// Error is a target's error with its Class. A sink wraps into it whatever it can tell.
type Error struct {
	Class Class
	Code  string // the target's own code, if it gave one
	Err   error
}

// Error returns the cause's words.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf tells what to do about err: the Class of the *Error that it wraps, or Retry for one that nobody has classified, because
// a lost connection says nothing about the changes.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Retry
}

// CodeRowMissing is the Code of a change with Unset columns whose row the target doesn't have (invariant 7).
const CodeRowMissing = "row_missing"

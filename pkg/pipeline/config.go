package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Role says which of a pipeline's loops run in this process.
type Role uint8

// The roles.
const (
	All Role = iota
	CaptureOnly
	ApplyOnly
)

// OnError says what becomes of a change that a target refuses.
type OnError uint8

// Park keeps it in the target with its cause, and later changes of its key behind it; Halt ends the pipeline.
const (
	Park OnError = iota
	Halt
)

// Sink is one target of a pipeline.
type Sink struct {
	Name        string
	Open        func(ctx context.Context) (sinks.MarkSink, error)
	OnError     OnError
	ParkedLimit int           // parked changes at which a lane pauses; never dropped. 0: 10000
	OrderWait   time.Duration // how long another lane must stand at its log's end before nobody waits for it. 0: 5 s
}

// Config is one pipeline. The stream and the store belong to the caller, who closes them after Run has returned.
type Config struct {
	Name     string // key of its Record
	SourceID string
	Role     Role
	Direct   bool // the stream is in this process: the sinks' marks say where capture may start
	Once     bool // end when all that was committed at the start has been applied
	NewEpoch bool // a start without a Record goes on although the stream or a target knows our source id

	Store  checkpoint.Store
	Source connectors.Open
	Stream stream.Stream
	Sinks  []Sink

	BatchBytes    int           // about how much one Read or one Fetch returns. 0: 4 MiB
	SaveEvery     time.Duration // at most so much time between an acknowledgement and its Save. 0: 1 s
	SaveRows      int           // at most so many acknowledged rows between two Saves. 0: 10000
	StartTimeout  time.Duration // how long a first start is tried again. 0: 60 s
	DrainTimeout  time.Duration // how long a stop waits for what is in flight. 0: 30 s
	Log           *slog.Logger  // nil: silent
	Observer      Observer
	maxBackoff    time.Duration
	minBackoff    time.Duration
	parkedRecheck time.Duration
}

// orDefault sets v where it is not set.
func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (c *Config) complete() error {
	orDefault(&c.SourceID, c.Name)
	orDefault(&c.BatchBytes, 4<<20)
	orDefault(&c.SaveEvery, time.Second)
	orDefault(&c.SaveRows, 10_000)
	orDefault(&c.StartTimeout, time.Minute)
	orDefault(&c.DrainTimeout, 30*time.Second)
	orDefault(&c.minBackoff, 100*time.Millisecond)
	orDefault(&c.maxBackoff, 30*time.Second)
	orDefault(&c.parkedRecheck, 5*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Sinks = append([]Sink(nil), c.Sinks...)
	for i := range c.Sinks {
		orDefault(&c.Sinks[i].ParkedLimit, 10_000)
		orDefault(&c.Sinks[i].OrderWait, 5*time.Second)
	}
	switch {
	case c.Name == "" || c.Stream == nil:
		return fmt.Errorf("pipeline %q: want a name and a stream: %w", c.Name, change.ErrPreflight)
	case c.captures() && (c.Store == nil || c.Source == nil):
		return fmt.Errorf("pipeline %s: capture needs a store and a source: %w", c.Name, change.ErrPreflight)
	case c.Direct && (c.Role != All || len(c.Sinks) == 0):
		return fmt.Errorf("pipeline %s: a direct stream runs both loops in one process and needs a sink: %w", c.Name, change.ErrPreflight)
	}
	return nil
}

func (c *Config) captures() bool { return c.Role != ApplyOnly }

func (c *Config) applies() bool { return c.Role != CaptureOnly && len(c.Sinks) > 0 }

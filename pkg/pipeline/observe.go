package pipeline

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Stage is a step on a row's way.
type Stage string

// The stages at which rows are counted.
const (
	StageRead      Stage = "read"
	StagePublished Stage = "published" // acknowledged by the stream
	StageApplied   Stage = "applied"
	StageSkipped   Stage = "skipped" // a mark covered it: it had been applied before
	StageParked    Stage = "parked"
)

// Event says where something happened. Sink is empty for capture.
type Event struct{ Pipeline, Sink string }

// Observer is told what a pipeline does; every field may be nil. Its functions are called from the loops themselves, several at
// once, and must not block.
type Observer struct {
	State   func(e Event, s State)
	Rows    func(e Event, at Stage, t *change.Table, op change.Op, n int)
	Txns    func(e Event, n int)                          // source transactions, or parts of them, read
	Saved   func(e Event, took time.Duration)             // a checkpoint was saved
	Applied func(e Event, took time.Duration)             // a target transaction was committed
	Latency func(e Event, d time.Duration, n int)         // from source commit to target commit, of n rows
	Retry   func(e Event, code string)                    // a target's passing fault
	Parked  func(e Event, n int)                          // parked changes now
	Restart func(e Event, reason string, d time.Duration) // a loop ended and starts again after d
	Gap     func(e Event, err error)                      // continuity lost
	Schema  func(e Event, c sinks.SchemaChange)           // a target has followed or ignored a change of a table; called by the sink
}

func (o *Observer) state(e Event, s State) {
	if o.State != nil {
		o.State(e, s)
	}
}

// rows counts runs of one table and operation, so that a batch of one table costs one call.
func (o *Observer) rows(e Event, at Stage, c []change.Change) {
	if o.Rows != nil {
		o.runs(e, at, runsOf(c))
	}
}

// run is so many changes of one table and operation in a row.
type run struct {
	table *change.Table
	op    change.Op
	n     int
}

func runsOf(c []change.Change) []run {
	var runs []run
	for i := 0; i < len(c); {
		j := i + 1
		for j < len(c) && c[j].Table == c[i].Table && c[j].Op == c[i].Op {
			j++
		}
		runs = append(runs, run{table: c[i].Table, op: c[i].Op, n: j - i})
		i = j
	}
	return runs
}

func (o *Observer) runs(e Event, at Stage, runs []run) {
	if o.Rows == nil {
		return
	}
	for _, r := range runs {
		o.Rows(e, at, r.table, r.op, r.n)
	}
}

// latency tells the way of each source transaction's rows.
func (o *Observer) latency(e Event, c []change.Change, now time.Time) {
	if o.Latency == nil {
		return
	}
	for i := 0; i < len(c); {
		j := i + 1
		for j < len(c) && c[j].Txn == c[i].Txn {
			j++
		}
		if c[i].Txn != nil {
			o.Latency(e, now.Sub(c[i].Txn.Committed), j-i)
		}
		i = j
	}
}

// read tells of a batch's transactions.
func (o *Observer) read(e Event, c []change.Change) {
	if o.Txns == nil {
		return
	}
	var (
		last *change.Txn
		n    int
	)
	for i := range c {
		if c[i].Txn != nil && c[i].Txn != last {
			last = c[i].Txn
			n++
		}
	}
	if n > 0 {
		o.Txns(e, n)
	}
}

func (o *Observer) saved(e Event, took time.Duration) {
	if o.Saved != nil {
		o.Saved(e, took)
	}
}

func (o *Observer) applied(e Event, took time.Duration) {
	if o.Applied != nil {
		o.Applied(e, took)
	}
}

func (o *Observer) retry(e Event, code string) {
	if o.Retry != nil {
		o.Retry(e, code)
	}
}

func (o *Observer) parked(e Event, n int) {
	if o.Parked != nil {
		o.Parked(e, n)
	}
}

func (o *Observer) restart(e Event, reason string, d time.Duration) {
	if o.Restart != nil {
		o.Restart(e, reason, d)
	}
}

func (o *Observer) gap(e Event, err error) {
	if o.Gap != nil {
		o.Gap(e, err)
	}
}

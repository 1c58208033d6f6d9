package snapshot

import (
	"context"
	"errors"
	"time"
)

// jobKind is what the worker is asked to do.
type jobKind uint8

const (
	jobLookup jobKind = iota
	jobHorizon
	jobWatermark
	jobChunk
	jobReread
	jobStale
	jobOpen
)

// job is one thing asked of the Reader, and its answer. The worker owns it from the moment it is sent until it comes back.
type job struct {
	kind     jobKind
	table    *table // nil for jobHorizon and jobWatermark
	sel      Select
	patience time.Duration // jobOpen

	batch uint64   // the batches observed when it was asked for
	ready bool     // the answer is here
	void  bool     // the answer is of no use any more
	whole []string // keys among the rows that need not be read again once these are handed over

	info    Info
	horizon string
	chunk   Chunk
	export  Export
	took    time.Duration
	err     error
}

// work answers jobs in their order until jobs is closed. It is the one goroutine that uses Reader's Select, Open and Horizon.
func work(ctx context.Context, reader Reader, jobs <-chan *job, done chan<- *job, wake chan<- struct{}) {
	for j := range jobs {
		began := time.Now()
		answer(ctx, reader, j)
		j.took = time.Since(began)
		done <- j // never blocks: it has room for every job that can be out
		signal(wake)
	}
}

func answer(ctx context.Context, reader Reader, j *job) {
	switch j.kind {
	case jobLookup:
		j.info, j.err = reader.Lookup(ctx, j.sel.Name)
	case jobHorizon:
		j.horizon, j.err = reader.Horizon(ctx)
	case jobWatermark, jobChunk, jobReread, jobStale:
		j.chunk, j.err = reader.Select(ctx, j.sel)
	case jobOpen:
		limited, cancel := context.WithTimeout(ctx, j.patience)
		defer cancel()
		j.export, j.err = reader.Open(limited, j.sel.Name, j.sel.Where)
		if j.err != nil && limited.Err() != nil && ctx.Err() == nil {
			j.err = errImpatient
		}
	}
}

var errImpatient = errors.New("transactions that run keep the table from being read at one log address")

func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

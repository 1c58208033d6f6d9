package main

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// meter is what status shows of one pipeline besides its Status. Its fields are read and written from any goroutine.
type meter struct {
	events   atomic.Int64
	rate     atomic.Uint64 // events a second, as float64 bits
	lag      atomic.Int64  // ns
	known    atomic.Bool   // lag has been told
	bytes    atomic.Int64  // lag in bytes
	measured atomic.Bool   // bytes has been measured
}

// observer is o with the meter's own ears added.
func (m *meter) observer(o pipeline.Observer) pipeline.Observer {
	rows, lag := o.Rows, o.Lag
	o.Rows = func(e pipeline.Event, at pipeline.Stage, t *change.Table, op change.Op, n int) {
		if at == pipeline.StageRead {
			m.events.Add(int64(n))
		}
		if rows != nil {
			rows(e, at, t, op, n)
		}
	}
	o.Lag = func(e pipeline.Event, d time.Duration) {
		m.lag.Store(int64(d))
		m.known.Store(true)
		if lag != nil {
			lag(e, d)
		}
	}
	return o
}

// How often rates are taken and a source is asked for its log's end, and how long it may take to answer.
const (
	rateEvery   = time.Second
	headTimeout = 3 * time.Second
)

// measure takes every pipeline's rate and lag until ctx ends.
func (f *fleet) measure(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, m := range f.members {
		wg.Go(func() { m.measure(ctx) })
	}
}

func (m *member) measure(ctx context.Context) {
	ticker := time.NewTicker(rateEvery)
	defer ticker.Stop()
	last, at := int64(0), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now() // the tick may be older: the last answer took its time
			n := m.meter.events.Load()
			m.meter.rate.Store(math.Float64bits(float64(n-last) / now.Sub(at).Seconds()))
			last, at = n, now
			m.measureLag(ctx)
		}
	}
}

// measureLag asks a running source for its log's end. One that doesn't answer has no lag in bytes until it does.
func (m *member) measureLag(ctx context.Context) {
	source, state := m.current(), m.pipeline.Status().State
	if source == nil || state != pipeline.Running && state != pipeline.Snapshotting {
		m.meter.measured.Store(false)
		return
	}
	asked, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	head, err := source.Head(asked)
	lag, known := int64(0), false
	if err == nil {
		lag, known = sourceEngines()[m.wiring.pipeline.Source.Type].lag(asked, source, head, m.pipeline.Status().Read)
	}
	m.meter.bytes.Store(lag)
	m.meter.measured.Store(known)
}

// lagBytes is how far a pipeline stands behind its source's log.
func (f *fleet) lagBytes(name string) (int64, bool) {
	m := f.members[name]
	if m == nil || !m.meter.measured.Load() {
		return 0, false
	}
	return m.meter.bytes.Load(), true
}

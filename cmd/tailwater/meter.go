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
	bytes    atomic.Int64  // lag in bytes
	measured atomic.Bool   // bytes has been measured

	mu      sync.Mutex
	current time.Time // all that was committed by then has been read
	end     logEnd    // the one that is to be read up to next
	atEnd   bool      // the last look found nothing unread
}

// logEnd is a log's end and when it was asked for.
type logEnd struct {
	pos change.Position
	at  time.Time
}

// look takes in a log's end. A log that moves on is never read up to its end, but in time up to every end that it had.
func (m *meter) look(end logEnd, read change.Position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.atEnd = !read.Less(end.pos)
	switch {
	case m.atEnd:
		m.current, m.end = end.at, logEnd{}
	case m.end.at.IsZero():
		m.end = end
	case !read.Less(m.end.pos):
		m.current, m.end = m.end.at, end
	}
}

// fresh is how long a look that found nothing unread counts.
const fresh = 5 * time.Second

// lag is how old what has been read is: false where nothing has been read yet, and the log's end not been reached.
func (m *meter) lag(now, committed time.Time) (time.Duration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.current
	if last.Before(committed) {
		last = committed
	}
	switch {
	case last.IsZero():
		return 0, false
	case m.atEnd && now.Sub(m.current) < fresh:
		return 0, true
	}
	return max(0, now.Sub(last)), true
}

// lag is how old what a pipeline has read is.
func (f *fleet) lag(name string) (time.Duration, bool) {
	m := f.members[name]
	if m == nil {
		return 0, false
	}
	return m.meter.lag(time.Now(), m.pipeline.Status().Committed)
}

// observer is o with the meter's own ears added.
func (m *meter) observer(o pipeline.Observer) pipeline.Observer {
	rows := o.Rows
	o.Rows = func(e pipeline.Event, at pipeline.Stage, t *change.Table, op change.Op, n int) {
		if at == pipeline.StageRead {
			m.events.Add(int64(n))
		}
		if rows != nil {
			rows(e, at, t, op, n)
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
	at := time.Now()
	head, err := source.Head(asked)
	lag, known := int64(0), false
	if err == nil {
		read := m.pipeline.Status().Read
		m.meter.look(logEnd{pos: head, at: at}, read)
		lag, known = sourceEngines()[m.wiring.pipeline.Source.Type].lag(asked, source, head, read)
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

package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// fleet is the running pipelines with all that belongs to them.
type fleet struct {
	cfg     *config.Config
	run     pipeline.Fleet
	members map[string]*member
	order   []string
}

// member is one running pipeline and what is known of it besides its Status.
type member struct {
	wiring   wiring
	pipeline *pipeline.Pipeline
	stream   stream.Stream
	meter    meter

	mu     sync.Mutex
	source connectors.Source // the one that was opened last; it may be closed
}

// options are what the run verb adds to the config.
type options struct {
	role     pipeline.Role
	once     bool
	newEpoch bool
	store    checkpoint.Store // nil where nothing captures
	observer pipeline.Observer
	log      *slog.Logger
}

// newFleet makes the pipelines. Nothing is connected before they run.
func newFleet(cfg *config.Config, chosen []*config.Pipeline, o options) (*fleet, error) {
	f := &fleet{cfg: cfg, members: map[string]*member{}}
	for _, p := range chosen {
		m, err := newMember(cfg, p, o)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.members[p.Name] = m
		f.order = append(f.order, p.Name)
		f.run = append(f.run, m.pipeline)
	}
	return f, nil
}

// queueShare is which part of memory_limit the queues of all pipelines get together.
const queueShare = 4

func newMember(cfg *config.Config, p *config.Pipeline, o options) (*member, error) {
	w := wiring{pipeline: p, memory: queueMemory(cfg), dir: cfg.Server.StateDir, log: o.log.With("pipeline", p.Name), observer: o.observer}
	m := &member{wiring: w}
	m.stream = &lazyStream{open: func(ctx context.Context) (stream.Stream, error) { return streamEngines()[p.Stream.Type].open(ctx, w) }}
	c := pipeline.Config{
		Name:         p.Name,
		SourceID:     p.Source.ID,
		Role:         o.role,
		Direct:       p.Stream.Type == config.Direct,
		Once:         o.once || p.Source.Snapshot.Mode == "only",
		NewEpoch:     o.newEpoch,
		Store:        o.store,
		Source:       m.remember(sourceEngines()[p.Source.Type].open(w)),
		Stream:       m.stream,
		BatchBytes:   batchBytes(w),
		StartTimeout: time.Duration(cfg.Server.StartTimeout),
		DrainTimeout: time.Duration(cfg.Server.DrainTimeout),
		Log:          o.log,
		Observer:     m.meter.observer(o.observer),
	}
	for i := range p.Sinks {
		c.Sinks = append(c.Sinks, pipelineSink(w, &p.Sinks[i]))
	}
	made, err := pipeline.New(c)
	if err != nil {
		return nil, err
	}
	m.pipeline = made
	return m, nil
}

// maxBatch is about how much one read of a source returns, in bytes; batchShare the part of a pipeline's memory that it may take.
const (
	maxBatch   = 4 << 20
	batchShare = 8
)

func batchBytes(w wiring) int { return min(maxBatch, w.memory/batchShare) }

func pipelineSink(w wiring, s *config.Sink) pipeline.Sink {
	out := pipeline.Sink{
		Name:        s.Name,
		Open:        func(ctx context.Context) (sinks.MarkSink, error) { return sinkEngines()[s.Type].open(ctx, w, s) },
		ParkedLimit: s.ParkedLimit,
		OrderWait:   time.Duration(s.OrderWait),
	}
	if s.OnError == "halt" {
		out.OnError = pipeline.Halt
	}
	return out
}

// remember keeps the source that open returns, for what is asked of it beside its loop.
func (m *member) remember(open connectors.Open) connectors.Open {
	return func(ctx context.Context, start connectors.Start) (connectors.Opened, error) {
		o, err := open(ctx, start)
		if err == nil {
			m.mu.Lock()
			m.source = o.Source
			m.mu.Unlock()
		}
		return o, err
	}
}

func (m *member) current() connectors.Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.source
}

// close ends what the pipelines held, after they have ended.
func (f *fleet) close() error {
	var errs []error
	for _, m := range f.members {
		errs = append(errs, m.stream.Close())
	}
	return errors.Join(errs...)
}

// status is every pipeline's Status in the config's order.
func (f *fleet) status() []pipeline.Status {
	out := make([]pipeline.Status, len(f.order))
	for i, name := range f.order {
		out[i] = f.members[name].pipeline.Status()
	}
	return out
}

// topic is the topic of a table, for metrics.
func (f *fleet) topic(name string, t *change.Table) string {
	m := f.members[name]
	if m == nil {
		return ""
	}
	return streamEngines()[m.wiring.pipeline.Stream.Type].topic(m.wiring, t)
}

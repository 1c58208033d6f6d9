package pipeline_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
)

// config is a direct pipeline in w for one life. lanes below 2: atomic.
func (w *world) config(l *life, lanes int) pipeline.Config {
	names := slices.Sorted(maps.Keys(w.target))
	cfg := pipeline.Config{Name: source, Direct: true, Store: w.disk.store(l), Source: w.log.open(l),
		Stream: direct.New(direct.Config{SourceID: source, Sinks: names, MemoryBytes: 1 << 20, Atomic: lanes < 2, Lanes: lanes})}
	for _, name := range names {
		cfg.Sinks = append(cfg.Sinks, pipeline.Sink{Name: name, Open: w.target[name].open(l)})
	}
	return cfg
}

// running is a pipeline under way.
type running struct {
	t      *testing.T
	p      *pipeline.Pipeline
	cancel context.CancelFunc
	done   chan error
}

func start(t *testing.T, cfg pipeline.Config) *running {
	t.Helper()
	p, err := pipeline.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, p: p, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- p.Run(ctx) }()
	return r
}

// stop asks the pipeline to stop and returns how it ended.
func (r *running) stop() error {
	r.cancel()
	return <-r.done
}

// clean stops the pipeline, which must end without an error.
func (r *running) clean() {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Errorf("stopped with %v", err)
	}
	if s := r.p.Status(); s.State != pipeline.Stopped {
		r.t.Errorf("state %s after a stop", s.State)
	}
}

// after lets virtual time pass and everything settle.
func after(d time.Duration) {
	time.Sleep(d) // the bubble's clock: it costs nothing
	synctest.Wait()
}

func (w *world) same(t *testing.T) {
	t.Helper()
	for name, target := range w.target {
		if got := target.state(); !maps.Equal(got, w.log.state) {
			t.Errorf("sink %s holds %v, the source %v", name, got, w.log.state)
		}
		if target.regress > 0 {
			t.Errorf("sink %s: %d older changes came over newer ones", name, target.regress)
		}
	}
}

func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	if got := pipeline.ExitCode(err); got != code {
		t.Errorf("ended with %v, exit code %d, want %d", err, got, code)
	}
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func pos(epoch uint32, commit uint64) change.Position {
	return change.Position{Epoch: epoch, Commit: commit, Seq: change.MaxSeq}
}

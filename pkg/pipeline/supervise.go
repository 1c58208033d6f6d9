package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Pipeline runs one pipeline. It is made by New and run once.
type Pipeline struct {
	cfg      Config
	board    *board
	entering sync.Mutex // observers see the states in order
}

// New checks a configuration; what is wrong with it is change.ErrPreflight.
func New(cfg Config) (*Pipeline, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	return &Pipeline{cfg: cfg, board: newBoard(&cfg)}, nil
}

// Name is the pipeline's name.
func (p *Pipeline) Name() string { return p.cfg.Name }

// Status is what the pipeline is doing now. It may be called from any goroutine, before, during and after Run.
func (p *Pipeline) Status() Status { return p.board.snapshot() }

// Run runs the pipeline's loops until ctx is cancelled, with Once until everything is applied, or until one of them ends for good,
// which drains the others. ExitCode tells the error's exit code.
func (p *Pipeline) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, func() { p.enter(Draining) })()
	p.enter(Starting)

	g := &loops{pipeline: p, stop: stop, captured: make(chan struct{})}
	err := g.run(ctx)
	if ctx.Err() != nil {
		p.enter(Draining) // it may have been over before AfterFunc ran
	}
	if err != nil {
		p.board.fail(err)
		p.enter(Halted)
		return fmt.Errorf("pipeline %s: %w", p.cfg.Name, err)
	}
	p.enter(Stopped)
	return nil
}

// enter changes the state. Once a pipeline has ended it stays so.
func (p *Pipeline) enter(s State) {
	p.entering.Lock()
	defer p.entering.Unlock()
	if p.board.enter(s) {
		p.cfg.Log.Info("state", "pipeline", p.cfg.Name, "state", string(s))
		p.cfg.Observer.state(Event{Pipeline: p.cfg.Name}, s)
	}
}

var errNobody = errors.New("no sink is left to acknowledge what is queued")

// loops is the running set of a pipeline's loops.
type loops struct {
	pipeline *Pipeline
	stop     context.CancelFunc
	captured chan struct{} // closed when capture has ended

	mu   sync.Mutex
	errs []error
}

// run starts every loop and waits for all.
func (g *loops) run(ctx context.Context) error {
	cfg := &g.pipeline.cfg
	hard, cutAll := lingering(ctx, context.WithoutCancel(ctx), cfg.DrainTimeout) // the end of all patience
	defer cutAll(nil)
	captureHard, cutCapture := context.WithCancelCause(hard)
	defer cutCapture(nil)
	applyCtx, endApply := context.WithCancel(ctx)
	if cfg.Direct { // its queue drains through the sinks: they go on until capture has ended
		endApply()
		applyCtx, endApply = context.WithCancel(hard)
	}
	defer endApply()

	var wg sync.WaitGroup
	if cfg.captures() {
		wg.Go(func() {
			err := g.capture(ctx, captureHard)
			if err == nil && cfg.Once {
				context.AfterFunc(ctx, endApply) // apply ends by itself, unless it is asked to stop
			} else if cfg.Direct {
				endApply()
			}
			if !errors.Is(context.Cause(captureHard), errNobody) || final(err) { // else the sink tells why
				g.ended("", err)
			}
			close(g.captured)
		})
	} else {
		close(g.captured)
	}
	if cfg.applies() {
		for i := range cfg.Sinks {
			wg.Go(func() {
				err := g.apply(applyCtx, hard, &cfg.Sinks[i])
				if err != nil && cfg.Direct {
					cutCapture(errNobody)
				}
				g.ended(cfg.Sinks[i].Name, err)
			})
		}
	}
	wg.Wait()
	return together(g.errs)
}

func (g *loops) capture(ctx, hard context.Context) error {
	cfg := &g.pipeline.cfg
	c := &capture{cfg: cfg, board: g.pipeline.board, log: cfg.Log, event: Event{Pipeline: cfg.Name}}
	return g.keep(ctx, "", func(ctx context.Context, ready func()) error { return c.run(ctx, hard, ready) })
}

func (g *loops) apply(ctx, hard context.Context, s *Sink) error {
	cfg := &g.pipeline.cfg
	a := &apply{cfg: cfg, sink: s, board: g.pipeline.board, log: cfg.Log,
		event: Event{Pipeline: cfg.Name, Sink: s.Name}, finish: g.captured}
	err := g.keep(ctx, s.Name, func(ctx context.Context, ready func()) error { return a.run(ctx, hard, ready) })
	if err != nil {
		return fmt.Errorf("sink %s: %w", s.Name, err)
	}
	return nil
}

// together is the loops' ends as one sentence.
func together(errs []error) error {
	var all error
	for _, err := range errs {
		if all == nil {
			all = err
		} else {
			all = fmt.Errorf("%w; and %w", all, err)
		}
	}
	return all
}

// ended takes in a loop's end. One that ends for good ends the pipeline; one that has done all it had to do, and has parked rows, leaves the
// others to do the same.
func (g *loops) ended(sink string, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, change.ErrGap) {
		g.pipeline.cfg.Observer.gap(Event{Pipeline: g.pipeline.cfg.Name, Sink: sink}, err)
	}
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
	if !errors.Is(err, errParked) {
		g.stop()
	}
}

// keep runs a loop, and again after a back-off while what ends it is passing.
func (g *loops) keep(ctx context.Context, name string, run func(ctx context.Context, ready func()) error) error {
	p := g.pipeline
	var (
		began     = time.Now()
		succeeded bool
		wait      = p.cfg.minBackoff
	)
	for {
		up := false
		var since time.Time
		err := run(ctx, func() {
			up, since = true, time.Now()
			p.live(name, true)
		})
		p.live(name, false)
		succeeded = succeeded || up
		switch {
		case err == nil:
			return nil
		case final(err):
			return err
		case ctx.Err() != nil && !up:
			return nil // stopped while it tried to start: nothing was in flight
		case ctx.Err() != nil && errors.Is(err, errMoved):
			return nil // stopped while it gave way: whoever has moved the marks has applied what we didn't
		case ctx.Err() != nil, errors.Is(err, errParked):
			return err
		case (!succeeded || p.cfg.Once) && startFatal(err), !succeeded && time.Since(began) >= p.cfg.StartTimeout:
			return err
		}
		if up && time.Since(since) > p.cfg.maxBackoff {
			wait = p.cfg.minBackoff
		}
		d := jittered(wait)
		wait = min(2*wait, p.cfg.maxBackoff)
		p.restarting(name, err, d)
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// final says that a restart would meet err again, or must not try.
func final(err error) bool {
	return errors.Is(err, change.ErrGap) || errors.Is(err, change.ErrFenced) || errors.Is(err, change.ErrHalt)
}

// startFatal says that err at a first start is the configuration's fault. While a process runs it may pass (a password that is just being changed, a
// server that is failing over); one that is to end by itself doesn't wait for that.
func startFatal(err error) bool {
	return errors.Is(err, change.ErrDenied) || errors.Is(err, change.ErrPreflight)
}

func (p *Pipeline) live(name string, up bool) {
	if p.board.up(name, up) {
		p.enter(Running)
	}
}

func (p *Pipeline) restarting(name string, err error, d time.Duration) {
	loop := name
	if name == "" {
		loop = "capture"
	}
	p.board.fail(fmt.Errorf("%s: %w", loop, err))
	p.board.update(func(s *Status) { s.Restarts++ })
	p.cfg.Log.Warn("loop ended; it starts again", "pipeline", p.cfg.Name, "loop", loop, "wait", d, "err", err)
	p.cfg.Observer.restart(Event{Pipeline: p.cfg.Name, Sink: name}, reason(err), d)
}

// reason is a short word for what ended a loop: a metric's label.
func reason(err error) string {
	switch {
	case errors.Is(err, change.ErrUnreachable):
		return "unreachable"
	case errors.Is(err, change.ErrBusy):
		return "busy"
	case errors.Is(err, change.ErrDenied):
		return "denied"
	case errors.Is(err, change.ErrPreflight):
		return "preflight"
	case errors.Is(err, errMoved):
		return "marks_moved"
	case errors.Is(err, errAgain):
		return "parked_changed"
	}
	return "error"
}

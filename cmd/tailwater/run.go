package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/metrics"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// roles are the values of --role.
func roles() map[string]pipeline.Role {
	return map[string]pipeline.Role{"all": pipeline.All, "capture": pipeline.CaptureOnly, "apply": pipeline.ApplyOnly}
}

func (a *app) runCommand() *cobra.Command {
	var o options
	role := "all"
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Runs the pipelines in the foreground",
		Long: "run runs the pipelines in the foreground. SIGTERM or SIGINT drains them and ends with 0; a second one ends at once with 143 or 130.\n" +
			"Otherwise it ends when all pipelines have ended, with the worst of their exit codes: 5, 4, 3, 1, 0 in that order.",
		Args: cobra.NoArgs,
		RunE: a.verb(func(ctx context.Context, _ []string) (outcome, error) {
			r, ok := roles()[role]
			if !ok {
				return outcome{}, usage(fmt.Errorf("--role %q is none", role), "choose all, capture or apply")
			}
			o.role = r
			return a.runPipelines(ctx, o)
		}),
	}
	cmd.Flags().StringVar(&role, "role", role, "which loops run in this process: all, capture or apply")
	cmd.Flags().BoolVar(&o.once, "once", false, "end when all that was committed at the start has been applied")
	cmd.Flags().BoolVar(&o.newEpoch, "new-epoch", false, "begin anew where the checkpoint is lost, although the stream or a target knows the source id: tables are emptied at the targets, and read again")
	return cmd
}

func (a *app) runPipelines(ctx context.Context, o options) (out outcome, err error) {
	cfg, err := a.load()
	if err != nil {
		return outcome{}, err
	}
	chosen, err := a.chosen(cfg)
	if err != nil {
		return outcome{}, err
	}
	if err := roleFits(chosen, o.role); err != nil {
		return outcome{}, err
	}
	memory, err := tuneCollector(int64(cfg.Server.MemoryLimit))
	if err != nil {
		return outcome{}, err
	}
	defer memory.close()
	o.log = a.logger()
	if o.role != pipeline.ApplyOnly {
		if o.store, err = lockState(ctx, cfg); err != nil {
			return outcome{}, err
		}
		defer func() { err = errors.Join(err, o.store.Close()) }()
	} else if err := os.MkdirAll(cfg.Server.StateDir, stateMode); err != nil {
		return outcome{}, fmt.Errorf("make state folder: %w", err)
	}
	return a.serve(ctx, cfg, chosen, o)
}

const stateMode = 0o700

func roleFits(chosen []*config.Pipeline, role pipeline.Role) error {
	for _, p := range chosen {
		if p.Stream.Type == config.Direct && role != pipeline.All {
			return usage(fmt.Errorf("pipeline %s: a direct stream runs both loops in one process", p.Name), "leave --role away, or name other pipelines with -p")
		}
		if role == pipeline.ApplyOnly && len(p.Sinks) == 0 {
			return usage(fmt.Errorf("pipeline %s has no sink to apply to", p.Name), "name other pipelines with -p")
		}
	}
	return nil
}

// lockState opens the checkpoints. A folder that another process holds is tried again for start_timeout.
func lockState(ctx context.Context, cfg *config.Config) (checkpoint.Store, error) {
	give := time.NewTimer(time.Duration(cfg.Server.StartTimeout))
	defer give.Stop()
	again := time.NewTicker(lockEvery)
	defer again.Stop()
	for {
		s, err := openStore(cfg.Server.StateDir)
		if err == nil || !errors.Is(err, change.ErrBusy) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-give.C:
			return nil, fmt.Errorf("after %s: %w", cfg.Server.StartTimeout, err)
		case <-again.C:
		}
	}
}

// lockEvery is how often a held lock is tried.
const lockEvery = 200 * time.Millisecond

// logger writes to standard error: state changes for people, or JSON.
func (a *app) logger() *slog.Logger {
	o := &slog.HandlerOptions{}
	if a.quiet {
		o.Level = slog.LevelWarn
	}
	if a.json {
		return slog.New(slog.NewJSONHandler(a.stderr, o))
	}
	out := a.stderr
	if a.showsProgress() && isTerminal(a.stderr) {
		out = aboveProgress{out}
	}
	return slog.New(slog.NewTextHandler(out, o))
}

// serve runs the pipelines with the API beside them until all have ended.
func (a *app) serve(ctx context.Context, cfg *config.Config, chosen []*config.Pipeline, o options) (outcome, error) {
	var f *fleet
	m := metrics.New(metrics.Options{
		Version:  version,
		Status:   func() []pipeline.Status { return f.status() },
		Topic:    func(p string, t *change.Table) string { return f.topic(p, t) },
		Lag:      func(p string) (time.Duration, bool) { return f.lag(p) },
		LagBytes: func(p string) (int64, bool) { return f.lagBytes(p) },
		Now:      time.Now,
	})
	o.observer = m.Observer()
	f, err := newFleet(cfg, chosen, o)
	if err != nil {
		return outcome{}, err
	}
	b := &backend{fleet: f, started: time.Now()}
	server, err := listen(ctx, cfg, listening{backend: b, metrics: m, log: o.log, file: addressFile(cfg, o.role)})
	if err != nil {
		return outcome{}, errors.Join(err, f.close())
	}
	beside, stop := context.WithCancel(context.WithoutCancel(ctx)) // health is to be had while the pipelines drain
	var wg sync.WaitGroup
	wg.Go(func() { f.measure(beside) })
	var serveErr error
	if server != nil {
		wg.Go(func() { serveErr = server.Run(beside) })
	}
	if a.showsProgress() {
		wg.Go(func() { a.showProgress(beside, f) })
	}
	err = f.run.Run(ctx)
	stop()
	wg.Wait()
	return a.ended(b.Status(), ctx), errors.Join(err, serveErr, f.close())
}

// ended says how the pipelines ended.
func (a *app) ended(s api.Status, ctx context.Context) outcome {
	states := map[string]int{}
	for _, p := range s.Pipelines {
		states[p.State]++
	}
	summary := fmt.Sprintf("%d pipelines ended: %d stopped, %d halted", len(s.Pipelines), states[string(pipeline.Stopped)], states[string(pipeline.Halted)])
	if cause, ok := errors.AsType[stopped](context.Cause(ctx)); ok {
		summary = cause.Error() + "; " + summary
	}
	return outcome{summary: summary, result: s, text: func(io.Writer) {
		if !a.quiet {
			fmt.Fprintln(a.stderr, summary)
		}
	}}
}

// listening is what the API serves.
type listening struct {
	backend *backend
	metrics *metrics.Metrics
	log     *slog.Logger
	file    string // where the address is written
}

// addressFile is where a running process says on which address it listens, for the verbs: the config's port may be 0. One that only applies runs
// beside the one that holds the state folder, and has a file of its own.
func addressFile(cfg *config.Config, role pipeline.Role) string {
	name := "address"
	if role == pipeline.ApplyOnly {
		name = "address.apply"
	}
	return filepath.Join(cfg.Server.StateDir, name)
}

// listen binds the API's address; nil where the config has none.
func listen(ctx context.Context, cfg *config.Config, l listening) (*api.Server, error) {
	if cfg.Server.Listen == config.ListenOff {
		if err := os.Remove(l.file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove the last address: %w", err)
		}
		return nil, nil
	}
	token, err := api.OpenToken(cfg.Server.StateDir)
	if err != nil {
		return nil, err
	}
	server, err := api.Listen(ctx, api.Options{
		Listen:  cfg.Server.Listen,
		Cert:    cfg.Server.TLS.Cert,
		Key:     cfg.Server.TLS.Key,
		Token:   token,
		Backend: l.backend,
		Metrics: l.metrics.Handler(),
		Refused: l.metrics.AuthFailed,
		Log:     l.log,
	})
	if err != nil {
		return nil, &failure{exit: exitEnvironment, code: "listen", err: err, fix: "free the address, or choose another server.listen"}
	}
	if err := writeAddress(l.file, server.Addr()); err != nil { // only now: whoever listens already is still to be found
		return nil, fmt.Errorf("write the address: %w", err)
	}
	l.log.Info("listening", "address", server.Addr())
	return server, nil
}

// writeAddress replaces the file at once, so that nobody reads half of it.
func writeAddress(path, address string) error {
	next := path + ".new"
	if err := os.WriteFile(next, []byte(address+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

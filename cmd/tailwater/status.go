package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// watchEvery is how often status -w looks.
const watchEvery = time.Second

func (a *app) statusCommand() *cobra.Command {
	watch := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Prints a line for each pipeline: state, lag, rate, snapshot, parked",
		Long:  "status asks the process that runs with this config. Where none runs it shows the checkpoints that the last one left.",
		Args:  cobra.NoArgs,
		RunE: a.verb(func(ctx context.Context, _ []string) (outcome, error) {
			cfg, err := a.load()
			if err != nil {
				return outcome{}, err
			}
			if watch {
				return outcome{}, a.watchStatus(ctx, cfg)
			}
			return a.status(ctx, cfg)
		}),
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "look again every second until interrupted")
	return cmd
}

func (a *app) watchStatus(ctx context.Context, cfg *config.Config) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		out, err := a.status(ctx, cfg)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if isTerminal(a.stdout) {
			fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
		}
		a.report("status", out, nil)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (a *app) status(ctx context.Context, cfg *config.Config) (outcome, error) {
	chosen, err := a.chosen(cfg)
	if err != nil {
		return outcome{}, err
	}
	s, err := running(ctx, cfg, pipeline.All)
	if errors.Is(err, api.ErrNotRunning) {
		s, err = running(ctx, cfg, pipeline.ApplyOnly)
	}
	if errors.Is(err, api.ErrNotRunning) {
		s, err = fromFiles(ctx, cfg)
	}
	if err != nil {
		return outcome{}, err
	}
	s.Pipelines = only(s.Pipelines, chosen)
	return outcome{
		summary: fmt.Sprintf("%d pipelines", len(s.Pipelines)),
		result:  s,
		text:    func(w io.Writer) { a.statusText(w, s) },
	}, nil
}

func running(ctx context.Context, cfg *config.Config, role pipeline.Role) (api.Status, error) {
	c, err := client(cfg, role)
	if err != nil {
		return api.Status{}, err
	}
	return c.Status(ctx)
}

func only(all []api.Pipeline, chosen []*config.Pipeline) []api.Pipeline {
	var out []api.Pipeline
	for _, c := range chosen {
		for i := range all {
			if all[i].Name == c.Name {
				out = append(out, all[i])
			}
		}
	}
	return out
}

// The states that status shows where no process answers.
const (
	notRunning = "not running"
	noAPI      = "running without an API"
)

// fromFiles is what the checkpoints say. The state folder is locked for the moment of reading, and never made.
func fromFiles(ctx context.Context, cfg *config.Config) (out api.Status, err error) {
	out.Version = version
	state := notRunning
	var store checkpoint.Store
	if _, statErr := os.Stat(cfg.Server.StateDir); statErr == nil {
		store, err = openStore(cfg.Server.StateDir)
		switch {
		case errors.Is(err, change.ErrBusy):
			state = noAPI
		case err != nil:
			return out, err
		default:
			defer func() { err = errors.Join(err, store.Close()) }()
		}
	}
	for i := range cfg.Pipelines {
		p := api.Pipeline{Name: cfg.Pipelines[i].Name, State: state}
		if store != nil && state == notRunning {
			r, err := store.Load(ctx, p.Name)
			if err != nil && !errors.Is(err, checkpoint.ErrNotFound) {
				return out, err
			}
			if err == nil {
				p.Checkpoint = &api.Checkpoint{Upto: r.Upto.String(), Address: addressOf(&cfg.Pipelines[i], r.Upto), Resume: string(r.Resume), ReleasedUpto: r.ReleasedUpto.String(), Epoch: r.Epoch, Generation: r.Generation}
			}
		}
		out.Pipelines = append(out.Pipelines, p)
	}
	return out, nil
}

func (a *app) statusText(w io.Writer, s api.Status) {
	now := time.Now()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PIPELINE\tSTATE\tLAG\tBEHIND\tRATE\tPARKED\tSAVED")
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		saved := "-"
		if p.Checkpoint != nil {
			saved = p.Checkpoint.Address
			if at := p.Checkpoint.Saved; at != nil {
				saved += ", " + ago(*at, now)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.State,
			optional(p.LagSeconds, func(v float64) string { return fmt.Sprintf("%.1fs", v) }),
			optional(p.LagBytes, bytesText),
			optional(p.EventsPerSecond, func(v float64) string { return fmt.Sprintf("%.0f/s", v) }),
			optional(p.Parked, func(v int64) string { return fmt.Sprint(v) }), saved)
	}
	_ = t.Flush() // w's own errors show in what is printed
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		if p.State == "snapshot" {
			fmt.Fprintf(w, "%s: %s\n", p.Name, snapshotLine(p.Snapshot, now))
		}
		if p.NotReady != "" {
			fmt.Fprintf(w, "%s: %s %s\n", p.Name, a.paint(yellow, "nothing moves:"), printable(p.NotReady))
		}
		for _, k := range p.Sinks {
			if says := sinkText(k); says != "" && p.State != string(pipeline.Stopped) {
				fmt.Fprintf(w, "%s: sink %s: %s\n", p.Name, k.Name, says)
			}
		}
		if p.Reason != "" {
			fmt.Fprintf(w, "%s: %s %s\n", p.Name, a.paint(yellow, "last error, "+ago(p.ReasonAt, now)+":"), printable(p.Reason))
		}
	}
}

// sinkText is what an operator should know of a sink that doesn't simply apply what comes; else empty.
func sinkText(k api.Sink) string {
	switch {
	case !k.Ready:
		return "its target or the stream is not open"
	case k.Retry != "":
		return fmt.Sprintf("tries again since %s: %s", k.Since.Format(time.TimeOnly), printable(k.Retry))
	case k.Paused:
		return fmt.Sprintf("paused, %d changes are parked and parked_limit is reached", k.Parked)
	case k.Waits > 0:
		return fmt.Sprintf("%d of %d lanes wait for the order of others", k.Waits, k.Lanes)
	case k.Lanes == 0:
		return "no lanes yet: nothing is published, or the group waits for another process"
	case k.Parked > 0:
		return fmt.Sprintf("%d changes are parked; tailwater parked list says why", k.Parked)
	}
	return ""
}

// ago is how long ago something was, in whole seconds.
func ago(at, now time.Time) string { return now.Sub(at).Round(time.Second).String() + " ago" }

// addressOf is a Position in the words of the pipeline's source; as it is where this build has no such source.
func addressOf(p *config.Pipeline, at change.Position) string {
	if e, ok := sourceEngines()[p.Source.Type]; ok {
		return e.address(at)
	}
	return at.String()
}

// optional writes what is known, and - for what isn't.
func optional[T any](v *T, write func(T) string) string {
	if v == nil {
		return "-"
	}
	return write(*v)
}

// bytesText is n with one digit after the point in the largest unit that fits.
func bytesText(n int64) string {
	const step = 1024
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v := float64(n)
	at := 0
	for v >= step && at < len(units)-1 {
		v /= step
		at++
	}
	if at == 0 {
		return fmt.Sprintf("%dB", n)
	}
	return fmt.Sprintf("%.1f%s", v, units[at])
}

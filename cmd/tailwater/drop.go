package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
)

func (a *app) dropCommand() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:   "drop PIPELINE",
		Short: "Takes a pipeline away: slot, publication if we made it, groups, marks, checkpoint; prints what stays",
		Args:  cobra.ExactArgs(1),
		RunE: a.verb(func(ctx context.Context, args []string) (outcome, error) {
			a.pipeline = args[0]
			return a.drop(ctx, yes)
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return cmd
}

func (a *app) drop(ctx context.Context, yes bool) (out outcome, err error) {
	cfg, all, err := a.wirings()
	if err != nil {
		return outcome{}, err
	}
	w := all[0]
	if !yes && !a.confirmed(w.pipeline) {
		return outcome{}, usage(errors.New("nothing was dropped"), "type the pipeline's name when asked, or give --yes")
	}
	store, err := openStore(cfg.Server.StateDir)
	if errors.Is(err, change.ErrBusy) {
		return outcome{}, &failure{exit: exitEnvironment, code: "busy", err: err, fix: "stop the running process first"}
	}
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	said, err := dropAll(ctx, w, store)
	out = outcome{summary: "pipeline " + w.pipeline.Name + " is dropped", result: said}
	if err != nil {
		out.summary = "pipeline " + w.pipeline.Name + " is not dropped whole: run it again"
	}
	out.text = func(dst io.Writer) {
		for _, s := range said {
			fmt.Fprintln(dst, s)
		}
		if !a.quiet {
			fmt.Fprintln(dst, out.summary)
		}
	}
	return out, err
}

// confirmed asks, and takes nothing but the pipeline's name for a yes.
func (a *app) confirmed(p *config.Pipeline) bool {
	fmt.Fprintf(a.stderr, "This drops what pipeline %s keeps at %s, in its stream and in its %d sinks. It can't be undone.\nType its name to go on: ", p.Name, p.Source.URL, len(p.Sinks))
	line, _ := bufio.NewReader(a.stdin).ReadString('\n') // no line is no yes
	return strings.TrimSpace(line) == p.Name
}

// dropAll takes away what stands at the source, in the stream and in the targets, and where all of that went well the checkpoint:
// as long as one of them is left, a start without a checkpoint would be refused anyway.
func dropAll(ctx context.Context, w wiring, store checkpoint.Store) ([]string, error) {
	p := w.pipeline
	said, err := sourceEngines()[p.Source.Type].drop(ctx, w)
	if s := streamEngines()[p.Stream.Type]; s.drop != nil {
		more, streamErr := s.drop(ctx, w)
		said, err = append(said, more...), errors.Join(err, streamErr)
	}
	for i := range p.Sinks {
		sinkErr := dropSink(ctx, w, &p.Sinks[i])
		if sinkErr == nil {
			said = append(said, "sink "+p.Sinks[i].Name+": marks and parked changes are gone; its tables and their rows stay")
		}
		err = errors.Join(err, sinkErr)
	}
	if err != nil {
		return said, err
	}
	if err := store.Delete(ctx, p.Name); err != nil {
		return said, err
	}
	return append(said, "checkpoint deleted"), nil
}

func dropSink(ctx context.Context, w wiring, s *config.Sink) error {
	k, err := sinkEngines()[s.Type].open(ctx, w, s)
	if err != nil {
		return err
	}
	return errors.Join(k.Drop(ctx), k.Close())
}

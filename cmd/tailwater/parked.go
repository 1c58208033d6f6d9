package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

func (a *app) parkedCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "parked",
		Short: "Changes that a target refused",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	sink := ""
	show := &cobra.Command{
		Use:   "list",
		Short: "Lists the parked changes, with the target's own words and without their values",
		Args:  cobra.NoArgs,
		RunE:  a.verb(func(ctx context.Context, _ []string) (outcome, error) { return a.listParked(ctx, sink) }),
	}
	show.Flags().StringVar(&sink, "sink", "", "only this sink")
	cmd.AddCommand(show)
	return cmd
}

// parkedRow is a parked change of one pipeline.
type parkedRow struct {
	Pipeline string `json:"pipeline"`
	api.Parked
}

func (a *app) listParked(ctx context.Context, sink string) (outcome, error) {
	_, all, err := a.wirings()
	if err != nil {
		return outcome{}, err
	}
	rows := []parkedRow{}
	for _, w := range all {
		parked, err := parkedOf(ctx, w, sink)
		if err != nil {
			return outcome{}, refused(err)
		}
		for _, p := range parked {
			rows = append(rows, parkedRow{w.pipeline.Name, p})
		}
	}
	out := outcome{summary: fmt.Sprintf("%d parked changes", len(rows)), result: rows}
	out.text = func(w io.Writer) {
		if len(rows) > 0 {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "PIPELINE\tSINK\tTABLE\tOP\tPOSITION\tCODE\tCAUSE")
			for _, r := range rows {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Pipeline, r.Sink, printable(r.Table), r.Op, r.Pos, r.Code, printable(r.Cause))
			}
			_ = t.Flush() // w's own errors show in what is printed
		}
		if !a.quiet {
			fmt.Fprintln(w, out.summary)
		}
	}
	return out, nil
}

// printable keeps what a server said on one line and away from the terminal's own commands.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// parkedOf asks a pipeline's targets for what they hold parked; one sink's where sink is not "".
func parkedOf(ctx context.Context, w wiring, sink string) (out []api.Parked, err error) {
	found := sink == ""
	for i := range w.pipeline.Sinks {
		s := &w.pipeline.Sinks[i]
		if sink != "" && sink != s.Name {
			continue
		}
		found = true
		k, err := sinkEngines()[s.Type].open(ctx, w, s)
		if err != nil {
			return nil, err
		}
		parked, err := k.ListParked(ctx)
		if err := errors.Join(err, k.Close()); err != nil {
			return nil, err
		}
		for _, p := range parked {
			out = append(out, api.Parked{Sink: s.Name, Table: p.Change.Table.String(), Op: p.Change.Op.String(), Pos: p.Change.Pos.String(),
				Lane: fmt.Sprintf("%s/%d", p.Lane.Stream, p.Lane.N), Code: p.Code, Cause: p.Cause})
		}
	}
	if !found {
		return nil, &api.Error{Status: http.StatusNotFound, Code: "sink", Message: fmt.Sprintf("pipeline %s has no sink %q", w.pipeline.Name, sink), Suggestion: "it has: " + list(sinkNames(w))}
	}
	return out, nil
}

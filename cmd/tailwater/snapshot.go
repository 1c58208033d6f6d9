package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

func (a *app) snapshotCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Snapshots beside the live stream",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var r api.SnapshotRequest
	start := &cobra.Command{
		Use:   "start --table SCHEMA.TABLE",
		Short: "Reads a table's rows again, beside the stream of the running process",
		Args:  cobra.NoArgs,
		RunE:  a.verb(func(ctx context.Context, _ []string) (outcome, error) { return a.startSnapshot(ctx, r) }),
	}
	start.Flags().StringVar(&r.Table, "table", "", "the table, schema.table")
	start.Flags().StringVar(&r.Where, "where", "", "only the rows that match this SQL condition of the source")
	_ = start.MarkFlagRequired("table") // it fails for a flag that isn't there only
	cmd.AddCommand(start)
	return cmd
}

func (a *app) startSnapshot(ctx context.Context, r api.SnapshotRequest) (outcome, error) {
	cfg, err := a.load()
	if err != nil {
		return outcome{}, err
	}
	p, err := a.one(cfg)
	if err != nil {
		return outcome{}, err
	}
	if schema, table, ok := strings.Cut(r.Table, "."); !ok || schema == "" || table == "" {
		return outcome{}, usage(fmt.Errorf("--table %q is no table", r.Table), "write it as schema.table")
	}
	c, err := client(cfg, pipeline.All)
	if err != nil {
		return outcome{}, refused(err)
	}
	done, err := c.Snapshot(ctx, p.Name, r)
	if err != nil {
		return outcome{}, refused(err)
	}
	return outcome{summary: p.Name + ": " + done.Message + "; see: tailwater status", result: done}, nil
}

// refused is an error of the running process, or of there being none, with its exit code.
func refused(err error) error {
	if errors.Is(err, api.ErrNotRunning) {
		return &failure{exit: exitEnvironment, code: "not_running", err: err, fix: "start it: tailwater run"}
	}
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		return err
	}
	f := &failure{exit: exitRuntime, code: e.Code, err: e, fix: e.Suggestion}
	switch {
	case e.Code == "preflight":
		f.exit = exitPreflight
	case e.Status == http.StatusNotFound:
		f.exit = exitUsage
	}
	return f
}

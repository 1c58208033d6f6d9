package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

func (a *app) echoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "echo",
		Short: "Prints the config as it is used: defaults filled in, secrets as ***",
		Args:  cobra.NoArgs,
		RunE:  a.verb(a.echo),
	}
}

func (a *app) echo(context.Context, []string) (outcome, error) {
	cfg, err := a.load()
	if err != nil {
		return outcome{}, err
	}
	b, err := cfg.Normal()
	if err != nil {
		return outcome{}, err
	}
	var tree any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return outcome{}, fmt.Errorf("read config again: %w", err)
	}
	return outcome{
		summary: fmt.Sprintf("%s: %d pipelines", a.file, len(cfg.Pipelines)),
		result:  tree,
		text:    func(w io.Writer) { fmt.Fprint(w, string(b)) },
	}, nil
}

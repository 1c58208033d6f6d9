package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

// defaultConfig is the file that a verb reads without -c.
const defaultConfig = "tailwater.yaml"

// app is one run of the command: where it reads and writes, and the flags that every verb has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	signals        <-chan os.Signal
	exit           func(int) // ends the process at once, on a second signal

	file     string
	pipeline string
	json     bool
	quiet    bool
	noColor  bool

	code int // what the verb ended with
}

// run executes one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	a.json = slices.Contains(args, "--json") // known before the flags are parsed, for the error that they may be
	ctx, stop := context.WithCancelCause(ctx)
	defer a.watchSignals(stop)()
	root := a.root()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil { // every verb's own error has been printed: what is left is cobra's
		if _, ok := errors.AsType[*failure](err); !ok {
			err = usage(err, "see tailwater --help")
		}
		a.code = a.report(verbOf(root, args), outcome{}, err)
	}
	return a.code
}

func verbOf(root *cobra.Command, args []string) string {
	if cmd, _, err := root.Find(args); err == nil {
		return cmd.Name()
	}
	return root.Name()
}

// root is the tree of verbs.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tailwater VERB",
		Short: "Captures a database's row changes and carries them to Kafka and to target stores",
		Long: "tailwater tails a database's own log, publishes every committed row change in order per key to Kafka topics or hands it over\n" +
			"directly, and applies it to target stores. One YAML file says what runs; see docs/configuration.md.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetIn(a.stdin)
	root.CompletionOptions.HiddenDefaultCmd = false
	f := root.PersistentFlags()
	f.StringVarP(&a.file, "config", "c", defaultConfig, "the config file")
	f.StringVarP(&a.pipeline, "pipeline", "p", "", "only this pipeline")
	f.BoolVar(&a.json, "json", a.json, "print one JSON envelope; logs are JSON too")
	f.BoolVar(&a.quiet, "quiet", false, "print errors only")
	f.BoolVar(&a.noColor, "no-color", false, "print without colour")
	root.AddCommand(a.runCommand(), a.statusCommand(), a.lintCommand(), a.echoCommand(), a.grantsCommand(), a.doctorCommand(),
		a.snapshotCommand(), a.parkedCommand(), a.dropCommand(), a.versionCommand())
	return root
}

// knownVerb refuses what stands where a verb should, with the one that was meant.
func knownVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	fix := "see tailwater --help"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		fix = "did you mean " + list(near) + "?"
	}
	return usage(fmt.Errorf("unknown command %q", args[0]), fix)
}

// verb turns a verb's function into a cobra RunE that prints what it returns.
func (a *app) verb(fn func(ctx context.Context, args []string) (outcome, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		out, err := fn(cmd.Context(), args)
		a.code = a.report(cmd.Name(), out, err)
		return nil
	}
}

// load reads the config of a verb. Warnings go to standard error.
func (a *app) load() (*config.Config, error) {
	cfg, warnings, err := config.Load(a.file)
	if err != nil {
		return nil, err
	}
	if !a.quiet && !a.json {
		for _, w := range warnings {
			fmt.Fprintln(a.stderr, "warning: "+w.String())
		}
	}
	return cfg, nil
}

// chosen returns the pipelines that -p names, or all. Those that need an engine which this build doesn't have are refused.
func (a *app) chosen(cfg *config.Config) ([]*config.Pipeline, error) {
	var out []*config.Pipeline
	for i := range cfg.Pipelines {
		if a.pipeline == "" || a.pipeline == cfg.Pipelines[i].Name {
			out = append(out, &cfg.Pipelines[i])
		}
	}
	if len(out) == 0 {
		return nil, &failure{exit: exitUsage, code: "usage", err: fmt.Errorf("%s has no pipeline %q", a.file, a.pipeline), fix: "it has: " + list(cfg.Names())}
	}
	return out, nil
}

// one returns the one pipeline that a verb works on: the one that -p names, or the only one.
func (a *app) one(cfg *config.Config) (*config.Pipeline, error) {
	all, err := a.chosen(cfg)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, &failure{exit: exitUsage, code: "usage", err: errors.New("there are several pipelines"), fix: "name one with -p: " + list(cfg.Names())}
	}
	return all[0], nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// doctorTimeout bounds all checks together, so that the verb ends within 5 s.
const doctorTimeout = 4500 * time.Millisecond

// finding is what a check found, and where.
type finding struct {
	Pipeline string `json:"pipeline,omitempty"` // "": of the host
	Of       string `json:"of"`
	preflight.Finding
}

func (a *app) doctorCommand() *cobra.Command {
	check := ""
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Checks sources, Kafka, sinks and this host; each finding with the SQL or setting that fixes it",
		Long:  "doctor looks at every server that the config names and changes nothing. It ends with 4 if run would refuse or lose something.",
		Args:  cobra.NoArgs,
		RunE:  a.verb(func(ctx context.Context, _ []string) (outcome, error) { return a.doctor(ctx, check) }),
	}
	cmd.Flags().StringVar(&check, "check", "", "only the checks whose name begins so, e.g. postgres.wal_level or host")
	return cmd
}

func (a *app) doctor(ctx context.Context, check string) (outcome, error) {
	cfg, all, err := a.wirings()
	if err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	findings := slices.DeleteFunc(examine(ctx, cfg, all), func(f finding) bool { return !strings.HasPrefix(f.Check, check) })
	if len(findings) == 0 {
		return outcome{}, usage(fmt.Errorf("there is no check %q here", check), "run doctor without --check to see their names")
	}
	count := map[preflight.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
	}
	out := outcome{
		summary: fmt.Sprintf("%d checks: %d errors, %d warnings", len(findings), count[preflight.Error], count[preflight.Warn]),
		result:  findings,
	}
	out.text = func(w io.Writer) {
		for _, f := range findings {
			a.printFinding(w, f)
		}
		if !a.quiet {
			fmt.Fprintln(w, out.summary)
		}
	}
	if n := count[preflight.Error]; n > 0 {
		return out, &failure{exit: exitPreflight, code: "preflight", err: fmt.Errorf("%d checks failed", n), fix: "each finding above says what to change"}
	}
	return out, nil
}

func (a *app) printFinding(w io.Writer, f finding) {
	if a.quiet && f.Severity == preflight.OK {
		return
	}
	paint := map[preflight.Severity]colour{preflight.OK: green, preflight.Warn: yellow, preflight.Error: red}[f.Severity]
	where := f.Of
	if f.Pipeline != "" {
		where = f.Pipeline + " " + f.Of
	}
	fmt.Fprintf(w, "%s %s: %s: %s\n", a.paint(paint, fmt.Sprintf("%-5s", f.Severity)), where, f.Check, printable(f.Summary))
	if f.Fix != "" {
		fmt.Fprintln(w, "      fix: "+strings.ReplaceAll(strings.TrimSpace(f.Fix), "\n", "\n           "))
	}
}

// examine runs every check at once and returns what they found in the config's order.
func examine(ctx context.Context, cfg *config.Config, all []wiring) []finding {
	var checks []func() []finding
	add := func(pipeline, of string, check func() []preflight.Finding) {
		checks = append(checks, func() []finding {
			var out []finding
			for _, f := range check() {
				out = append(out, finding{Pipeline: pipeline, Of: of, Finding: f})
			}
			return out
		})
	}
	add("", "host", func() []preflight.Finding { return examineHost(cfg) })
	for _, w := range all {
		p := w.pipeline
		add(p.Name, "source", func() []preflight.Finding { return sourceEngines()[p.Source.Type].doctor(ctx, w) })
		if s := streamEngines()[p.Stream.Type]; s.doctor != nil {
			add(p.Name, p.Stream.Type, func() []preflight.Finding { return s.doctor(ctx, w) })
		}
		for i := range p.Sinks {
			s := &p.Sinks[i]
			add(p.Name, "sink "+s.Name, func() []preflight.Finding { return sinkEngines()[s.Type].doctor(ctx, w, s) })
		}
	}
	found := make([][]finding, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { found[i] = check() })
	}
	wg.Wait()
	return slices.Concat(found...)
}

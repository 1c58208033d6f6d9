package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

func (a *app) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint [FILE...]",
		Short: "Checks config files and that their secrets are set; connects to nothing",
		RunE:  a.verb(a.lint),
	}
}

// lintResult is what lint found in all files.
type lintResult struct {
	Files    []string         `json:"files"`
	Problems []config.Problem `json:"problems"`
	Warnings []config.Problem `json:"warnings"`
}

func (a *app) lint(_ context.Context, files []string) (outcome, error) {
	if len(files) == 0 {
		files = []string{a.file}
	}
	r := lintResult{Files: files, Problems: []config.Problem{}, Warnings: []config.Problem{}}
	for _, f := range files {
		_, warnings, err := config.Load(f)
		r.Problems = append(r.Problems, config.Problems(err)...)
		r.Warnings = append(r.Warnings, warnings...)
	}
	out := outcome{summary: fmt.Sprintf("%d files, %d errors, %d warnings", len(files), len(r.Problems), len(r.Warnings)), result: r}
	out.text = func(w io.Writer) {
		for _, p := range r.Warnings {
			fmt.Fprintln(w, a.paint(yellow, "warning: ")+p.String())
		}
		if !a.quiet {
			fmt.Fprintln(w, out.summary)
		}
	}
	if len(r.Problems) > 0 {
		return out, &config.Error{Problems: r.Problems}
	}
	return out, nil
}

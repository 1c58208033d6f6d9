package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Prints the version",
		Args:  cobra.NoArgs,
		RunE:  a.verb(a.version),
	}
}

// versionResult is what this binary was made from.
type versionResult struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) version(context.Context, []string) (outcome, error) {
	r := versionResult{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				r.Revision = s.Value
			}
		}
	}
	summary := fmt.Sprintf("tailwater %s (%s, %s)", r.Version, r.Go, r.Platform)
	return outcome{summary: summary, result: r, text: func(w io.Writer) {
		if a.quiet {
			summary = r.Version
		}
		fmt.Fprintln(w, summary)
	}}, nil
}

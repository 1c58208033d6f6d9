package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/metrics"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// showEvery is how often the progress line is written again.
const showEvery = 500 * time.Millisecond

// showProgress keeps one line on the terminal while a snapshot runs.
func (a *app) showProgress(ctx context.Context, f *fleet) {
	ticker := time.NewTicker(showEvery)
	defer ticker.Stop()
	shown := false
	for {
		select {
		case <-ctx.Done():
			if shown {
				fmt.Fprint(a.stdout, clearLine)
			}
			return
		case now := <-ticker.C:
			var parts []string
			for _, s := range f.status() {
				if s.State == pipeline.Snapshotting {
					parts = append(parts, s.Pipeline+" "+snapshotLine(progressOf(s.Snapshot), now))
				}
			}
			if shown || len(parts) > 0 {
				fmt.Fprint(a.stdout, clearLine+strings.Join(parts, " | "))
			}
			shown = len(parts) > 0
		}
	}
}

const clearLine = "\r\x1b[K"

// aboveProgress writes each log line in the place of the progress line, which comes back below it.
type aboveProgress struct{ w io.Writer }

// Write clears the line first.
func (a aboveProgress) Write(b []byte) (int, error) {
	if _, err := io.WriteString(a.w, clearLine); err != nil {
		return 0, err
	}
	return a.w.Write(b)
}

// showsProgress says that somebody looks at the progress line.
func (a *app) showsProgress() bool { return isTerminal(a.stdout) && !a.quiet && !a.json }

// snapshotLine is a snapshot in a line: rows, share, rate, and when it will be complete.
func snapshotLine(tables []api.Progress, now time.Time) string {
	var rows, estimate int64
	var begun time.Time
	done, known := 0, true
	at := ""
	for _, p := range tables {
		rows += p.Rows
		estimate += max(p.Estimate, p.Rows)
		known = known && p.Estimate >= 0
		if !p.Started.IsZero() && (begun.IsZero() || p.Started.Before(begun)) {
			begun = p.Started
		}
		if p.Done {
			done++
		} else if at == "" {
			at = p.Table
		}
	}
	line := fmt.Sprintf("snapshot %s (%d of %d tables): %d rows", at, done, len(tables), rows)
	if ratio, ok := metrics.Ratio(connectors.Progress{Rows: rows, Estimate: estimate}); ok && known {
		line += fmt.Sprintf(", %.0f%%", ratio*100)
	}
	took := now.Sub(begun).Seconds()
	if begun.IsZero() || took <= 0 || rows == 0 {
		return line
	}
	rate := float64(rows) / took
	line += fmt.Sprintf(", %.0f rows/s", rate)
	if known && estimate > rows {
		line += ", " + time.Duration(float64(estimate-rows)/rate*float64(time.Second)).Round(time.Second).String() + " left"
	}
	return line
}

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

// snapshotLine is a snapshot in a line: rows, share, rate, and when it will be complete. The server's estimate of a table is known when
// its turn has come, so until the last has begun, share and time are those of the table in hand.
func snapshotLine(tables []api.Progress, now time.Time) string {
	var all, present api.Progress
	done, known := 0, true
	for _, p := range tables {
		all.Rows += p.Rows
		all.Estimate += max(p.Estimate, p.Rows)
		known = known && p.Estimate >= 0
		if !p.Started.IsZero() && (all.Started.IsZero() || p.Started.Before(all.Started)) {
			all.Started = p.Started
		}
		if p.Done {
			done++
		} else if present.Table == "" || present.Started.IsZero() && !p.Started.IsZero() {
			present = p
		}
	}
	line := fmt.Sprintf("snapshot %s (%d of %d tables): %d rows", present.Table, done, len(tables), all.Rows)
	of, share, left := all, "", " left"
	if !known {
		of, share, left = present, " of this table", " left in it"
	}
	if ratio, ok := metrics.Ratio(connectors.Progress{Rows: of.Rows, Estimate: of.Estimate}); ok {
		line += fmt.Sprintf(", %.0f%%%s", ratio*100, share)
	}
	took := now.Sub(of.Started).Seconds()
	if of.Started.IsZero() || took <= 0 || of.Rows == 0 {
		return line
	}
	rate := float64(of.Rows) / took
	line += fmt.Sprintf(", %.0f rows/s", rate)
	if of.Estimate > of.Rows {
		line += ", " + time.Duration(float64(of.Estimate-of.Rows)/rate*float64(time.Second)).Round(time.Second).String() + left
	}
	return line
}

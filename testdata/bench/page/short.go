package main

import (
	"fmt"
	"strings"
)

// short is the README's table: ours beside the incumbent, a line a row.
func short(results []result, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| [%s](docs/benchmarks/%s.md) | tailwater | Debezium |\n|---|---|---|\n", name, name)
	for _, r := range results {
		if r.growth() || r.idle() {
			continue // the page has them: there is no incumbent beside them
		}
		title, _ := r.title()
		ours, theirs := "-", "-"
		var our, their []string
		for _, s := range r.summaries() {
			text := fmt.Sprintf("%s rows/s", thousands(s.rate))
			if s.rss >= 0 {
				text += fmt.Sprintf(", %s, %.1f CPU s a million", unit(s.rss, "%.0f MiB"), s.cpm)
			}
			who, end, _ := strings.Cut(s.who, ", ")
			if r.latency() {
				text = fmt.Sprintf("%s %.1f / %.1f ms", end, s.p50, s.p99)
				if who != "tailwater" {
					text = fmt.Sprintf("%s: %.1f / %.1f ms", who, s.p50, s.p99)
				}
			}
			if r.start() {
				text = fmt.Sprintf("%s %.2f s", end, 1/s.rate)
			}
			switch {
			case who == "tailwater":
				our = append(our, text)
			case strings.HasPrefix(who, "debezium"):
				their = append(their, strings.TrimPrefix(who, "debezium ")+": "+strings.TrimPrefix(text, who+": "))
			}
		}
		if size := r.about["binary"]; r.start() && size != "" {
			our = append(our, "binary "+size)
		}
		if len(our) > 0 {
			ours = strings.Join(our, "; ")
		}
		if len(their) > 0 {
			theirs = strings.Join(their, "; ")
		}
		if r.latency() {
			title += ", p50 / p99"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", title, ours, theirs)
	}
	return b.String()
}

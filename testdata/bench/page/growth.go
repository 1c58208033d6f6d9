package main

import (
	"fmt"
	"strings"
)

// growthTable puts each program's shapes beside its base, which comes first.
func growthTable(all []summary) string {
	var b strings.Builder
	b.WriteString("| | rows/s | of the base | MB/s | of the base | peak memory | of the base | CPU s a million rows | runs |\n|---|---|---|---|---|---|---|---|---|\n")
	bases := map[string]summary{}
	for _, s := range all {
		who, _, _ := strings.Cut(s.who, ", ")
		base, ok := bases[who]
		if !ok {
			base, bases[who] = s, s
		}
		fmt.Fprintf(&b, "| %s | %s | %s | ", s.who, thousands(s.rate), ratio(s.rate, base.rate))
		if s.rss < 0 {
			fmt.Fprintf(&b, "- | - | - | - | - | %d |\n", s.n)
			continue
		}
		fmt.Fprintf(&b, "%.1f | %s | %s | %s | %.1f | %d |\n", s.mbps, ratio(s.mbps, base.mbps), unit(s.rss, "%.0f MiB"), ratio(s.rss, base.rss), s.cpm, s.n)
	}
	return b.String()
}

// idleTable says what pipelines without work cost.
func idleTable(all []summary) string {
	var b strings.Builder
	b.WriteString("| | memory | a pipeline | CPU of one core | runs |\n|---|---|---|---|---|\n")
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %.1f MiB | %.2f MiB | %.1f %% | %d |\n", s.who, s.rss, s.rss/s.rows, 100*s.cpu*s.rate/s.rows, s.n)
	}
	return b.String()
}

func (r *result) header() string {
	if r.growth() {
		return headerMB
	}
	return header
}

package main

import (
	"fmt"
	"html"
	"strings"
)

// plot is the row as bars: medians, with a line from the least to the most run where there is a rate.
func (r *result) plot() string {
	const left, width, step = 190, 420, 26
	all := r.summaries()
	value := func(s *summary) (v, least, most float64, label string) {
		switch {
		case r.latency():
			return s.p99, s.p99, s.p99, fmt.Sprintf("p50 %.2f, p99 %.2f ms", s.p50, s.p99)
		case r.start():
			return 1 / s.rate, 1 / s.most, 1 / s.least, fmt.Sprintf("%.2f s", 1/s.rate)
		case r.idle():
			return s.rss / s.rows, s.rss / s.rows, s.rss / s.rows, fmt.Sprintf("%.2f MiB a pipeline", s.rss/s.rows)
		default:
			return s.rate, s.least, s.most, thousands(s.rate) + " rows/s"
		}
	}
	largest := 0.0
	for i := range all {
		_, _, most, _ := value(&all[i])
		largest = max(largest, most)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", left+width+190, step*len(all)+8)
	for i := range all {
		v, least, most, label := value(&all[i])
		y := 4 + i*step
		at := func(v float64) float64 { return left + v/largest*width }
		fill := "#9aa5b1"
		if strings.HasPrefix(all[i].who, "tailwater") {
			fill = "#1f7a8c"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/>`, left-8, y+14, html.EscapeString(all[i].who), left, y, at(v)-left, fill)
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#222"/><text x="%.1f" y="%d">%s</text>`+"\n", at(least), at(most), y+9, y+9, at(max(v, most))+6, y+14, html.EscapeString(label))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

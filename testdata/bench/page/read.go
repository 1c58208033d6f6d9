package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// result is one row of the bench: all of its runs.
type result struct {
	name  string
	about map[string]string // machine, servers, command, begun
	runs  []figures
}

// figures are one run's of one program; a value below 0 is none.
type figures struct {
	run           int
	who           string
	rows, seconds float64
	rss, cpu      float64 // MiB, seconds
	p50, p99      float64 // milliseconds
	mb            float64 // what the rows' values have as text, in 10^6 bytes
}

func (f *figures) rate() float64 { return f.rows / max(f.seconds, 0.01) }

// bytesRate is below 0 where no bytes were counted.
func (f *figures) bytesRate() float64 { return f.mb / max(f.seconds, 0.01) }

func readAll(dir string) ([]result, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tsv"))
	if err != nil {
		return nil, err
	}
	var out []result
	for _, t := range titles {
		for _, f := range files {
			if strings.TrimSuffix(filepath.Base(f), ".tsv") != t.name {
				continue
			}
			r, err := read(f)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			out = append(out, r)
		}
	}
	if len(out) != len(files) || len(out) == 0 {
		return nil, fmt.Errorf("%s: %d files, of which %d are rows that are known", dir, len(files), len(out))
	}
	for _, r := range out[1:] {
		if r.about["machine"] != out[0].about["machine"] || r.about["servers"] != out[0].about["servers"] {
			return nil, fmt.Errorf("%s and %s were measured on different machines or servers: a page is of one", out[0].name, r.name)
		}
	}
	return out, nil
}

// Files of before there were rows of growth lack the last column.
const (
	header   = "run\twho\trows\tseconds\trss_mb\tcpu_s\tp50_ms\tp99_ms"
	headerMB = header + "\tmb"
)

func read(path string) (result, error) {
	r := result{name: strings.TrimSuffix(filepath.Base(path), ".tsv"), about: map[string]string{}}
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			key, value, _ := strings.Cut(rest, "\t")
			r.about[key] = value
			continue
		}
		if line == header || line == headerMB {
			continue
		}
		one, err := parse(strings.Split(line, "\t"))
		if err != nil {
			return r, fmt.Errorf("line %d: %w", n, err)
		}
		r.runs = append(r.runs, one)
	}
	return r, lines.Err()
}

func parse(fields []string) (f figures, err error) {
	if len(fields) == 8 {
		fields = append(fields, "-")
	}
	if len(fields) != 9 {
		return f, fmt.Errorf("%d fields, want 8 or 9", len(fields))
	}
	var errs []error
	number := func(s string) float64 {
		if s == "-" {
			return -1
		}
		v, err := strconv.ParseFloat(s, 64)
		errs = append(errs, err)
		return v
	}
	f = figures{run: int(number(fields[0])), who: fields[1], rows: number(fields[2]), seconds: number(fields[3]),
		rss: number(fields[4]), cpu: number(fields[5]), p50: number(fields[6]), p99: number(fields[7]), mb: number(fields[8])}
	return f, errors.Join(errs...)
}

// summary is what all runs of one program come to: medians, and the least and most of the rate.
type summary struct {
	who                     string
	n                       int
	rate, least, most       float64
	rss, cpu, p50, p99, cpm float64 // cpm: CPU seconds a million rows
	rows, mbps              float64 // mbps: 10^6 bytes of values a second
}

// summaries are in the order in which the programs ran.
func (r *result) summaries() []summary {
	by := map[string][]figures{}
	var order []string
	for _, f := range r.runs {
		if by[f.who] == nil {
			order = append(order, f.who)
		}
		by[f.who] = append(by[f.who], f)
	}
	var out []summary
	for _, who := range order {
		runs := by[who]
		of := func(get func(*figures) float64) []float64 {
			v := make([]float64, len(runs))
			for i := range runs {
				v[i] = get(&runs[i])
			}
			slices.Sort(v)
			return v
		}
		rates := of((*figures).rate)
		out = append(out, summary{who: who, n: len(runs), rate: median(rates), least: rates[0], most: rates[len(rates)-1],
			rss: median(of(func(f *figures) float64 { return f.rss })), cpu: median(of(func(f *figures) float64 { return f.cpu })),
			p50: median(of(func(f *figures) float64 { return f.p50 })), p99: median(of(func(f *figures) float64 { return f.p99 })),
			cpm:  median(of(func(f *figures) float64 { return f.cpu / f.rows * 1e6 })),
			rows: median(of(func(f *figures) float64 { return f.rows })), mbps: median(of((*figures).bytesRate))})
	}
	return out
}

// median of sorted values.
func median(v []float64) float64 {
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

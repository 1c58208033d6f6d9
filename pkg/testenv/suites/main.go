// Command suites reads the output of `go test -json`, prints what a reader needs of it, and holds the tests that ran against the
// committed list: a suite that silently runs no more is a failure, and so is a skip, unless its server is reported NOT RUN.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// servers are the path elements of a test's name that say which server it ran on.
var servers = []string{"pg15", "pg18", "kafka", "mysql97", "mariadb10", "mariadb118"}

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// run is what is known of one `go test -json`.
type run struct {
	output map[string][]string // package and test to what it printed
	ran    map[string]bool     // "package Test [server]"
	notRun map[string]bool     // the same, skipped because its server can't be had here
	passed int
	failed int
	skips  int
}

func main() {
	list := flag.String("list", "testdata/suites.txt", "the committed list")
	update := flag.Bool("update", false, "write the list instead of comparing")
	flag.Parse()
	r := &run{output: map[string][]string{}, ran: map[string]bool{}, notRun: map[string]bool{}}
	err := r.read(os.Stdin, os.Stdout)
	if err == nil && *update {
		err = os.WriteFile(*list, []byte(strings.Join(slices.Sorted(maps.Keys(r.ran)), "\n")+"\n"), 0o644)
	} else if err == nil {
		err = r.compare(*list, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		r.failed++
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skips)
	if r.failed+r.skips > 0 || r.passed == 0 {
		os.Exit(1)
	}
}

func (r *run) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // a build error, printed by go itself
			continue
		}
		r.event(e, out)
	}
	return lines.Err()
}

func (r *run) event(e event, out io.Writer) {
	id := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		r.output[id] = append(r.output[id], e.Output)
	case "pass":
		if e.Test == "" {
			fmt.Fprintf(out, "ok    %6.1fs  %s\n", e.Elapsed, e.Package)
			return
		}
		r.passed++
		r.ran[suite(e)] = true
	case "fail", "build-fail":
		r.failed++
		fmt.Fprintf(out, "FAIL  %s\n%s", id, strings.Join(r.output[id], ""))
	case "skip":
		r.skip(e, out)
	}
}

func (r *run) skip(e event, out io.Writer) {
	if e.Test == "" { // no test files
		return
	}
	id := e.Package + " " + e.Test
	said := strings.Join(r.output[id], "")
	if strings.Contains(said, "NOT RUN ") {
		r.notRun[suite(e)] = true
		return
	}
	r.skips++
	fmt.Fprintf(out, "SKIP  %s\n%s", id, said)
}

// suite is the top-level test, and the server if the name says one.
func suite(e event) string {
	parts := strings.Split(e.Test, "/")
	name := strings.TrimPrefix(e.Package, "github.com/tailwater-cdc/tailwater/") + " " + parts[0]
	for _, p := range parts[1:] {
		if slices.Contains(servers, p) {
			return name + " " + p
		}
	}
	return name
}

func (r *run) compare(list string, out io.Writer) error {
	b, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	missing := 0
	for want := range strings.Lines(string(b)) {
		want = strings.TrimSpace(want)
		if r.ran[want] || want == "" {
			delete(r.ran, want)
			continue
		}
		if r.notRun[want] || r.notRun[topLevel(want)] {
			fmt.Fprintf(out, "NOT RUN  %s\n", want)
			continue
		}
		missing++
		fmt.Fprintf(out, "MISSING  %s\n", want)
	}
	for _, extra := range slices.Sorted(maps.Keys(r.ran)) {
		missing++
		fmt.Fprintf(out, "NOT LISTED  %s\n", extra)
	}
	if missing > 0 {
		return fmt.Errorf("%d suites differ from %s; make suites writes it", missing, list)
	}
	return nil
}

func topLevel(suite string) string {
	parts := strings.Fields(suite)
	return strings.Join(parts[:min(2, len(parts))], " ")
}

package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func TestGoldenPage(t *testing.T) {
	results, err := readAll("testdata/2026-01-02-abc1234")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "page.golden.md", page(results, "2026-01-02-abc1234"))
	golden(t, "short.golden.md", short(results, "2026-01-02-abc1234"))
	golden(t, "plot.golden.svg", results[0].plot())
}

// TestOnePageIsOfOneMachine: figures of different machines or servers don't stand on one page.
func TestOnePageIsOfOneMachine(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"pg_kafka", "pg_latency"} {
		b, err := os.ReadFile(filepath.Join("testdata/2026-01-02-abc1234", name+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		if name == "pg_latency" {
			b = []byte(strings.Replace(string(b), "2 cores", "4 cores", 1))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".tsv"), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readAll(dir); err == nil || !strings.Contains(err.Error(), "a page is of one") {
		t.Errorf("two machines on one page: %v", err)
	}
}

// TestReadmeShowsWhatWasMeasured: the README's figures are those of the files of the page that it links to.
func TestReadmeShowsWhatWasMeasured(t *testing.T) {
	const root = "../../.."
	b, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\(docs/benchmarks/([^)]+)\.md\) \| tailwater`).FindStringSubmatch(string(b))
	if link == nil {
		t.Fatal("the README has no table of figures")
	}
	results, err := readAll(filepath.Join(root, "docs/benchmarks", link[1]))
	if err != nil {
		t.Fatal(err)
	}
	if want, err := between(string(b), short(results, link[1])); err != nil || want != string(b) {
		t.Errorf("the README's table is not that of %s (%v): go run ./testdata/bench/page -readme README.md docs/benchmarks/%s", link[1], err, link[1])
	}
	whole, err := os.ReadFile(filepath.Join(root, "docs/benchmarks", link[1]+".md"))
	if err != nil {
		t.Fatal(err)
	}
	if page(results, link[1]) != string(whole) {
		t.Errorf("docs/benchmarks/%s.md is not what its files say", link[1])
	}
}

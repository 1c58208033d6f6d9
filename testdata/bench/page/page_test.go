package main

import (
	"flag"
	"os"
	"path/filepath"
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

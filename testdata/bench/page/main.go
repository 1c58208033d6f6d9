// Command page makes the page of a bench from the files of its rows: medians with their spread, ratios, every run, and a plot a row.
//
//	page DIR                  prints the page and writes DIR/ROW.svg
//	page -row ROW DIR         prints one row's table
//	page -readme FILE DIR     writes the short table between FILE's marks
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	one := flag.String("row", "", "print one row's table only")
	readme := flag.String("readme", "", "write the short table into this file")
	flag.Parse()
	if err := run(flag.Arg(0), *one, *readme); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

func run(dir, one, readme string) error {
	results, err := readAll(dir)
	if err != nil {
		return err
	}
	switch {
	case one != "":
		for _, r := range results {
			if r.name == one {
				fmt.Print(r.table())
				return nil
			}
		}
		return fmt.Errorf("%s has no row %s", dir, one)
	case readme != "":
		old, err := os.ReadFile(readme)
		if err != nil {
			return err
		}
		text, err := between(string(old), short(results, filepath.Base(dir)))
		if err != nil {
			return err
		}
		return os.WriteFile(readme, []byte(text), 0o644)
	}
	for _, r := range results {
		if err := os.WriteFile(filepath.Join(dir, r.name+".svg"), []byte(r.plot()), 0o644); err != nil {
			return err
		}
	}
	fmt.Print(page(results, filepath.Base(dir)))
	return nil
}

// The marks between which the README has its table.
const (
	markBegin = "<!-- bench: made by testdata/bench/page -->\n"
	markEnd   = "<!-- /bench -->"
)

func between(text, table string) (string, error) {
	head, rest, ok := strings.Cut(text, markBegin)
	_, tail, ok2 := strings.Cut(rest, markEnd)
	if !ok || !ok2 {
		return "", errors.New("the file has no marks for the table")
	}
	return head + markBegin + table + markEnd + tail, nil
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	const passed = `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB/pg15/x"}
`
	cases := []struct {
		name, events, list, want string
		fails                    bool
	}{
		{"all ran", passed, "p TestA\np TestB pg15\n", "", false},
		{"one is gone", passed, "p TestA\np TestB pg15\np TestC\n", "MISSING  p TestC", true},
		{"one is new", passed, "p TestA\n", "NOT LISTED  p TestB pg15", true},
		{"its server can't be had", passed + `{"Action":"output","Package":"p","Test":"TestC/pg18","Output":"NOT RUN pg18: no mirror"}
{"Action":"skip","Package":"p","Test":"TestC/pg18"}
`, "p TestA\np TestB pg15\np TestC pg18\n", "NOT RUN  p TestC pg18", false},
		{"a skip", passed + `{"Action":"skip","Package":"p","Test":"TestC"}`, "p TestA\np TestB pg15\n", "SKIP  p TestC", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := filepath.Join(t.TempDir(), "list")
			if err := os.WriteFile(list, []byte(c.list), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &run{output: map[string][]string{}, ran: map[string]bool{}, notRun: map[string]bool{}}
			var out strings.Builder
			if err := r.read(strings.NewReader(c.events), &out); err != nil {
				t.Fatal(err)
			}
			err := r.compare(list, &out)
			if (err != nil) != c.fails || !strings.Contains(out.String(), c.want) {
				t.Errorf("error %v, output %q, want failure %v and %q", err, out.String(), c.fails, c.want)
			}
			if c.name == "a skip" && r.skips != 1 {
				t.Error("the skip was not counted")
			}
		})
	}
}

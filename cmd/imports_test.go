package cmd_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tailwater-cdc/tailwater/"

// contracts are the rooms that may know pkg/change and each other's tier not at all; what implements them may know them all.
var contracts = []string{"pkg/codec", "pkg/schema", "pkg/snapshot", "pkg/transform", "checkpoint", "pkg/stream", "connectors", "sinks"}

// leaves import nothing of ours and may be imported anywhere.
var leaves = []string{"pkg/change", "pkg/fault", "pkg/preflight"}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// TestImportLaw holds every import in the tree against the law of the design, section 3: who may know whom.
func TestImportLaw(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range p.Imports {
			to, ours := strings.CutPrefix(path, module)
			if ours && !allowed(from, to) {
				t.Errorf("%s may not import %s", from, to)
			}
			if !ours && from == "pkg/change" && strings.Contains(path, ".") {
				t.Errorf("pkg/change imports %s; it may import the standard library only", path)
			}
		}
		if strings.HasPrefix(from, "cmd") {
			continue
		}
		for _, path := range append(p.TestImports, p.XTestImports...) {
			if slices.Contains([]string{"pkg/config", "pkg/console", "pkg/metrics"}, strings.TrimPrefix(path, module)) && from != strings.TrimPrefix(path, module) && !aboveRooms(from) {
				t.Errorf("a test of %s imports %s", from, path)
			}
		}
	}
}

// allowed is the law.
func allowed(from, to string) bool {
	switch {
	case slices.Contains(leaves, from):
		return false
	case slices.Contains(leaves, to), room(from) == room(to):
		return true
	case strings.HasPrefix(from, "cmd/"), testOnly(from):
		return true
	case strings.Contains(to, "/internal/"): // Go's own rule says who may
		return true
	case testOnly(to):
		return false
	case aboveRooms(from):
		return to == "pkg/config" || to == "pkg/pipeline" || slices.Contains(contracts, to)
	case slices.Contains(contracts, from):
		return false
	case from == "pkg/pipeline":
		return slices.Contains(contracts, to)
	}
	return implementation(from) && slices.Contains(contracts, to) && !crossing(from, to)
}

// crossing are the pairs that stay apart though both are behind contracts.
func crossing(from, to string) bool {
	return strings.HasPrefix(from, "sinks/") && (to == "pkg/stream" || to == "connectors" || to == "checkpoint") ||
		strings.HasPrefix(from, "connectors/") && (to == "checkpoint" || to == "sinks" || to == "pkg/stream") ||
		strings.HasPrefix(from, "pkg/stream/") && (to == "connectors" || to == "sinks" || to == "checkpoint") ||
		strings.HasPrefix(from, "checkpoint/") && to != "checkpoint"
}

// room is the folder of an implementation: connectors/postgres for everything below it, the path itself for all others.
func room(path string) string {
	for _, parent := range []string{"connectors/", "sinks/", "checkpoint/", "pkg/stream/"} {
		if rest, ok := strings.CutPrefix(path, parent); ok && !strings.HasPrefix(rest, "internal/") {
			name, _, _ := strings.Cut(rest, "/")
			return parent + name
		}
	}
	return path
}

func implementation(path string) bool {
	for _, parent := range []string{"connectors/", "sinks/", "checkpoint/", "pkg/stream/"} {
		if strings.HasPrefix(path, parent) {
			return true
		}
	}
	return path == "pkg/deadletter" || path == "pkg/verify"
}

// aboveRooms are what only cmd imports: they see contracts and the pipeline, and nothing below sees them.
func aboveRooms(path string) bool {
	return slices.Contains([]string{"pkg/config", "pkg/console", "pkg/metrics", "pkg/api"}, path)
}

// testOnly packages are never part of the program.
func testOnly(path string) bool {
	last := path[strings.LastIndex(path, "/")+1:]
	return strings.HasPrefix(path, "pkg/testenv") || slices.Contains([]string{"sourcetest", "sinktest", "checkpointtest", "streamtest"}, last)
}

// TestProgramHasNoTestCode looks at everything that the binary links.
func TestProgramHasNoTestCode(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "./tailwater").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		if ours, ok := strings.CutPrefix(path, module); path == "testing" || ok && testOnly(ours) {
			t.Errorf("the program links %s", path)
		}
	}
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

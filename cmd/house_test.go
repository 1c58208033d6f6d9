package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The bar, and what may stand above it and why. An entry that is no longer needed fails the test.
const (
	maxFileLines     = 400
	maxFunctionLines = 60
	maxParameters    = 4 // besides a context
)

var exceptions = map[string]string{}

// bubbles are the folders whose tests run in testing/synctest's bubbles.
var bubbles = map[string]bool{"pkg/pipeline": true}

// topLevel is everything that may stand at the top of the repository.
var topLevel = []string{".ci", ".git", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md",
	"checkpoint", "cmd", "connectors", "deploy", "docker-compose.yml", "docs", "go.mod", "go.sum", "pkg", "sinks", "staticcheck.conf", "testdata"}

// made are folders that a build or a run leaves behind; .gitignore names them.
var made = []string{"bin", "state"}

func TestTopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(topLevel, e.Name()) && !slices.Contains(made, e.Name()) {
			t.Errorf("%s stands at the top level", e.Name())
		}
	}
}

// TestSource walks every Go file and holds it against the rules of CONTRIBUTING.md.
func TestSource(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	documented := map[string]bool{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			if d != nil && d.IsDir() && (d.Name() == ".git" || slices.Contains(made, d.Name())) {
				return filepath.SkipDir
			}
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		c := &check{t: t, fset: fset, path: strings.TrimPrefix(path, "../"), test: strings.HasSuffix(path, "_test.go"), used: used}
		c.bubble = c.test && bubbles[filepath.Dir(c.path)]
		c.file(f)
		if !c.test {
			dir := filepath.Dir(c.path)
			documented[dir] = documented[dir] || f.Doc != nil
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: the package does not say what it is", dir)
		}
	}
	for name := range exceptions {
		if !used[name] {
			t.Errorf("exception %s is no longer needed", name)
		}
	}
}

type check struct {
	t    *testing.T
	fset *token.FileSet
	path string
	test bool
	// bubble: a test of a package whose tests run in testing/synctest's bubbles, where to sleep is to wait for everybody else.
	bubble bool
	used   map[string]bool
}

func (c *check) report(name, format string, args ...any) {
	c.t.Helper()
	if _, ok := exceptions[name]; ok {
		c.used[name] = true
		return
	}
	c.t.Errorf(name+": "+format, args...)
}

func (c *check) file(f *ast.File) {
	if n := c.fset.File(f.Pos()).LineCount(); n > maxFileLines {
		c.report(c.path, "%d lines, the bar is %d", n, maxFileLines)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			c.function(fn)
		}
	}
	for _, spec := range f.Imports {
		if spec.Path.Value == `"unsafe"` && !c.test {
			c.report(c.path, "imports unsafe")
		}
		if spec.Path.Value == `"log"` {
			c.report(c.path, "imports log; pass a *slog.Logger")
		}
	}
	ast.Inspect(f, c.node)
}

func (c *check) function(fn *ast.FuncDecl) {
	name := c.path + ":" + fn.Name.Name
	lines := c.fset.Position(fn.End()).Line - c.fset.Position(fn.Pos()).Line + 1
	if lines > maxFunctionLines && !c.test {
		c.report(name, "%d lines, the bar is %d", lines, maxFunctionLines)
	}
	if n := parameters(fn); n > maxParameters && !c.test {
		c.report(name, "%d parameters, the bar is %d: pass a struct", n, maxParameters)
	}
	if fn.Name.Name == "init" && fn.Recv == nil {
		c.report(name, "no init: wiring is explicit")
	}
}

func parameters(fn *ast.FuncDecl) int {
	n := fn.Type.Params.NumFields()
	if n > 0 {
		if sel, ok := fn.Type.Params.List[0].Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Context" {
			return n - 1
		}
	}
	return n
}

// node bans calls that end the process below main or make a test guess how long something takes.
func (c *check) node(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return true
	}
	if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" && !c.test {
		c.report(c.path, "calls panic")
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return true
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return true
	}
	switch pkg.Name + "." + sel.Sel.Name {
	case "time.Sleep":
		if !c.bubble {
			c.report(c.path, "sleeps; wait for what you wait for")
		}
	case "os.Exit":
		if filepath.Base(c.path) != "main.go" && !c.test {
			c.report(c.path, "ends the process; only main may")
		}
	}
	return true
}

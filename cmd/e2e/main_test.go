package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the folder of the program, made by the first test that has its servers.
var built string

// besideEachOther is how many tests run at once, whatever the machine: they wait for servers and processes most of the time.
const besideEachOther = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", besideEachOther); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built) // a temporary folder
	}
	os.Exit(code)
}

// program builds the binary that all tests run, with the race detector: a race ends it with code 66, which no test wants.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tailwater-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "tailwater")
	if out, err := exec.Command("go", "build", "-race", "-o", path, "../tailwater").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

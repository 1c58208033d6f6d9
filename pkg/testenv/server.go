package testenv

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The names of servers in TAILWATER_REQUIRE, in the NOT RUN list and in testdata/servers.
const (
	pg15      = "pg15"
	pg18      = "pg18"
	kafkaName = "kafka"
)

// lookup returns the value of variable, or ends the test as the package comment says.
func lookup(t testing.TB, server, variable string) string {
	t.Helper()
	if value := os.Getenv(variable); value != "" {
		return value
	}
	if reason := notRun(t, server); reason != "" {
		t.Skip(reason)
	}
	if required(server) {
		t.Fatalf("TAILWATER_REQUIRE names %s, but %s is not set: testdata/servers/start, then eval \"$(testdata/servers/env)\"",
			server, variable)
	}
	t.Skipf("%s is not set (testdata/servers/env)", variable)
	return ""
}

func required(server string) bool {
	for name := range strings.SplitSeq(os.Getenv("TAILWATER_REQUIRE"), ",") {
		if strings.TrimSpace(name) == server {
			return true
		}
	}
	return false
}

// notRun returns the install's line about server, "NOT RUN name: reason", or "".
func notRun(t testing.TB, server string) string {
	t.Helper()
	path := notRunFile()
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return ""
	}
	if err != nil {
		t.Fatalf("open the list of servers that could not be had: %v", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "NOT RUN "+server+": ") {
			return lines.Text()
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return ""
}

// notRunFile is where testdata/servers/install writes, by the same rules as its lib.sh.
func notRunFile() string {
	if path := os.Getenv("TAILWATER_NOT_RUN"); path != "" {
		return path
	}
	cache := os.Getenv("TAILWATER_CACHE")
	if cache == "" {
		base := os.Getenv("XDG_CACHE_HOME")
		if base == "" {
			base = filepath.Join(os.Getenv("HOME"), ".cache")
		}
		cache = filepath.Join(base, "tailwater")
	}
	return filepath.Join(cache, "not-run")
}

// recipe returns the path of the script that prepares and runs the server, found beside the shared servers' scripts.
func recipe(t testing.TB, server string) string {
	t.Helper()
	return filepath.Join(lookup(t, server, "TAILWATER_RECIPES"), server)
}

// postgresName returns the server's name for a major version that the scripts know.
func postgresName(t testing.TB, major int) string {
	t.Helper()
	i := slices.Index([]int{15, 18}, major)
	if i < 0 {
		t.Fatalf("testenv has PostgreSQL 15 and 18, not %d", major)
	}
	return []string{pg15, pg18}[i]
}

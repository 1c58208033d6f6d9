package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

var update = flag.Bool("update", false, "write the golden files again")

// environment is what the tests' files refer to.
func environment() config.Environment {
	vars := map[string]string{"MYSQL_PASSWORD": "m", "PG_PASSWORD": "p", "CANARY": canary, "EMPTY": "", "TWO": "2", "LIST": "a, b"}
	files := map[string]string{"/run/secret": canary + "\n", "/run/two": "one\ntwo\n"}
	return config.Environment{
		Lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			if s, ok := files[path]; ok {
				return []byte(s), nil
			}
			return nil, errors.New("open " + path + ": no such file or directory")
		},
	}
}

// canary is a secret that no message may hold.
const canary = "canary-7f3a"

// golden compares got with the file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; run the test with -update and look at the difference\n--- want\n%s--- got\n%s", file, want, got)
	}
}

// TestGoldenMessages holds every message of the loader: testdata/bad/*.yaml beside what is said about each.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, warnings, err := config.Parse(filepath.Base(file), b, environment())
			var got strings.Builder
			for _, w := range warnings {
				got.WriteString("warning: " + w.String() + "\n")
			}
			if err != nil {
				got.WriteString(err.Error() + "\n")
			}
			if (cfg == nil) != (err != nil) {
				t.Errorf("config %v with error %v", cfg != nil, err)
			}
			if strings.Contains(got.String(), canary) {
				t.Errorf("a message holds the secret: %s", got.String())
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", got.String())
		})
	}
}

// TestGoldenExamples holds what each example is decoded to, and that what echo prints means the same.
func TestGoldenExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/examples/*.yaml")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			normal := parse(t, string(b))
			golden(t, filepath.Join("testdata/echo", filepath.Base(file)), normal)
			if again := parse(t, normal); again != normal {
				t.Errorf("echo of echo differs:\n%s", again)
			}
		})
	}
}

// parse returns what echo prints for a file that is right.
func parse(t *testing.T, file string) string {
	t.Helper()
	cfg, _, err := config.Parse("test.yaml", []byte(file), environment())
	if err != nil {
		t.Fatal(err)
	}
	b, err := cfg.Normal()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDefaultsAndTypes(t *testing.T) {
	t.Parallel()
	cfg, _, err := config.Parse("test.yaml", []byte(`version: 1
server: { drain_timeout: 1m30s, memory_limit: "${env:UNSET:-512MiB}" }
pipelines:
  - name: Shop-1
    source:
      type: postgres
      url: postgres://u@h/db?application_name=x&sslrootcert=/ca.pem
      password: "a$${b"
      tables: { include: ["${env:UNSET:-public}.Orders"] }
    stream: { type: kafka, brokers: [h:1], prefix: P, partitions: "${env:TWO}", tombstones: false }
    sinks:
      - { name: x, type: postgres, url: "postgresql://u@h:5433/db?sslmode=require", password: "${file:/run/two}" }
`), environment())
	if err != nil {
		t.Fatal(err)
	}
	p := cfg.Pipelines[0]
	checks := []struct {
		name      string
		got, want any
	}{
		{"listen", cfg.Server.Listen, "127.0.0.1:7300"},
		{"drain_timeout", time.Duration(cfg.Server.DrainTimeout), 90 * time.Second},
		{"memory_limit", int64(cfg.Server.MemoryLimit), int64(512 << 20)},
		{"id", p.Source.ID, "Shop-1"},
		{"slot", p.Source.Slot, config.Object{Name: "tailwater_shop_1"}},
		{"publication", p.Source.Publication, config.Object{Name: "tailwater_shop_1"}},
		{"url without tls", p.Source.URL, "postgres://u@h/db?application_name=x"},
		{"tls", p.Source.TLS, config.TLS{Mode: "verify-full", CA: "/ca.pem"}},
		{"escaped reference", p.Source.Password.Reveal(), "a${b"},
		{"name keeps its case", p.Source.Tables.Include[0], "public.Orders"},
		{"number from a reference", p.Stream.Partitions, 2},
		{"false is not the default", p.Stream.Tombstones, false},
		{"retention", time.Duration(p.Stream.Retention), 7 * 24 * time.Hour},
		{"sink tls from the url", p.Sinks[0].TLS.Mode, "require"},
		{"only the last newline of a file goes", p.Sinks[0].Password.Reveal(), "one\ntwo"},
		{"no lanes in a kafka stream", p.Stream.Lanes, 0},
	}
	for _, c := range checks {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if p := config.Problems(err); len(p) != 1 || !strings.Contains(p[0].Message, "no such file") || p[0].Suggestion == "" {
		t.Errorf("%v", err)
	}
	if config.Problems(errors.New("other")) != nil {
		t.Error("another error has problems")
	}
}

// FuzzParse: no file makes the loader crash, print a secret, or accept what it can't print and read again.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../../docs/examples/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg, _, err := config.Parse("fuzz.yaml", b, environment())
		if err != nil {
			if len(config.Problems(err)) == 0 {
				t.Errorf("an error without a problem: %v", err)
			}
			return
		}
		normal, err := cfg.Normal()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.Parse("again.yaml", normal, config.Environment{Lookup: func(string) (string, bool) { return "", false }}); err != nil && !strings.Contains(string(normal), "${") {
			t.Errorf("what echo prints is refused: %v\n%s", err, normal)
		}
	})
}

// TestGoldenReference holds docs/configuration.md to the list of keys.
func TestGoldenReference(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/configuration.md", config.Reference())
}

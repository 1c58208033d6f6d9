package typetable_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

var update = flag.Bool("update", false, "write docs/types again")

// TestGoldenPages: the pages of docs/types are what the tables say.
func TestGoldenPages(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{typetable.Postgres, typetable.MySQL, typetable.MariaDB} {
		path := filepath.Join("..", "..", "..", "docs", "types", engine+".md")
		want := typetable.Page(engine)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want {
			t.Errorf("%s is not what the tables say: make golden", path)
		}
	}
}

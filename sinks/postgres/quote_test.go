package postgres_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// FuzzQuoteIdent lets the server parse what we quote: it must read back the very name, and quote it as we do but for names that need
// no quotes.
func FuzzQuoteIdent(f *testing.F) {
	for _, s := range []string{"a", "A", `"`, `""`, "select", "a b", "ü", `\`, "'", "$1", "%I", "a;--", strings.Repeat("x", 63), strings.Repeat("ü", 32), "\x00", ""} {
		f.Add(s)
	}
	pg := testenv.Postgres(f, 15)
	conn, err := pgx.Connect(f.Context(), pg.URL)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close(f.Context()) })
	f.Fuzz(func(t *testing.T, name string) {
		err := postgres.CheckIdent(name)
		if bad := name == "" || len(name) > 63 || strings.Contains(name, "\x00") || !utf8.ValidString(name); bad != (err != nil) {
			t.Fatalf("%q: %v", name, err)
		}
		if err != nil {
			return
		}
		quoted := postgres.QuoteIdent(name)
		rows, err := conn.Query(t.Context(), "select 1 as "+quoted+", quote_ident($1)", name)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if got := rows.FieldDescriptions()[0].Name; got != name {
			t.Fatalf("%s is read as %q, want %q", quoted, got, name)
		}
		var server string
		if !rows.Next() || rows.Scan(new(int), &server) != nil || server != quoted && server != name {
			t.Fatalf("%q is quoted as %s, the server says %s", name, quoted, server)
		}
	})
}

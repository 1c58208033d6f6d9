package mysql_test

import (
	"database/sql"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// sessions are connections with the sink's own session, one a server.
func sessions(f *testing.F) map[string]*sql.Conn {
	out := make(map[string]*sql.Conn)
	for _, name := range testenv.MySQLServers() {
		my := testenv.MySQL(f, name)
		c := my.Connect()
		if _, err := c.ExecContext(f.Context(), mysql.Session(my.MariaDB)); err != nil {
			f.Fatal(err)
		}
		out[name] = c
	}
	return out
}

// FuzzLiteral lets the servers read the literals that we write: a text, bytes, a number and a decimal must come back as they are.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "'", "''", `\`, `\'`, `\\'`, "\x00", "\n\r\x1a", "%_", "é'", "😀", "\xff'", "\xc3'\xa9", "a;b--", "/*!80000 x */", strings.Repeat("'", 99)} {
		f.Add(s, 0.1)
	}
	for _, n := range []float64{0, 1, -1, 1e300, 5e-324, math.MaxFloat64, 1.0 / 3, 123456789012345678} {
		f.Add(strconv.FormatFloat(n, 'f', 3, 64), n)
	}
	servers := sessions(f)
	f.Fuzz(func(t *testing.T, s string, n float64) {
		query := "select hex(" + string(must(mysql.AppendBytes(nil, change.Bytes(s)))) + "), "
		text := utf8.ValidString(s)
		if text {
			query += "hex(" + mysql.QuoteLiteral(s) + "), "
		} else {
			query += "'', "
		}
		number, err := mysql.AppendFloat(nil, change.Float64(n))
		if err != nil {
			number = []byte("0e0")
			n = 0
		}
		decimal, err := mysql.AppendDecimal(nil, change.Decimal(s))
		exact := "1"
		if err == nil {
			exact = "cast(" + string(decimal) + " as decimal(65,30)) = cast(" + mysql.QuoteLiteral(s) + " as decimal(65,30))"
		}
		for name, c := range servers {
			var raw, chars, double, same string
			if err := c.QueryRowContext(t.Context(), query+string(number)+", "+exact).Scan(&raw, &chars, &double, &same); err != nil {
				if strings.Contains(exact, "cast") && strings.Contains(err.Error(), "1264") { // more digits than the test's own cast takes
					continue
				}
				t.Fatalf("%s: %q and %v: %v", name, s, n, err)
			}
			want := strings.ToUpper(hex.EncodeToString([]byte(s)))
			if raw != want || text && chars != want {
				t.Errorf("%s: %q came back as %s and %s, want %s", name, s, raw, chars, want)
			}
			if back, err := strconv.ParseFloat(double, 64); err != nil || back != n {
				t.Errorf("%s: %v came back as %s", name, n, double)
			}
			if same != "1" {
				t.Errorf("%s: decimal %q is written as %s, which is another number", name, s, decimal)
			}
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		return []byte(err.Error())
	}
	return b
}

// FuzzQuoteIdent lets the servers parse what we quote: they must read back the very name.
func FuzzQuoteIdent(f *testing.F) {
	for _, s := range []string{"a", "A", "`", "``", "select", "a b", "ü", `\`, "'", "$1", "%I", "a;--", strings.Repeat("x", 64), strings.Repeat("ü", 65), "\x00", "", "x ", "\v", "😀"} {
		f.Add(s)
	}
	servers := sessions(f)
	f.Fuzz(func(t *testing.T, name string) {
		if mysql.CheckIdent(name) != nil {
			return
		}
		for server, c := range servers {
			if _, err := c.ExecContext(t.Context(), "create temporary table q (x int, "+mysql.QuoteIdent(name)+" int)"); err != nil {
				if strings.EqualFold(name, "x") || strings.Contains(err.Error(), "1060") {
					continue
				}
				t.Fatalf("%s: %q: %v", server, name, err)
			}
			rows, err := c.QueryContext(t.Context(), "select * from q")
			if err != nil {
				t.Fatal(err)
			}
			names, err := rows.Columns()
			if err != nil || len(names) != 2 || names[1] != name {
				t.Errorf("%s: %q is read as %q, %v", server, name, names, err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ExecContext(t.Context(), "drop temporary table q"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestParseLabels(t *testing.T) {
	t.Parallel()
	for declared, want := range map[string]string{"enum('a')": "a", "enum('it''s','','b,c')": "it's||b,c", "set('x','''')": "x|'", "enum('a)','b')": "a)|b"} {
		if got := strings.Join(mysql.ParseLabels(declared), "|"); got != want {
			t.Errorf("%s has the labels %s, want %s", declared, got, want)
		}
	}
}

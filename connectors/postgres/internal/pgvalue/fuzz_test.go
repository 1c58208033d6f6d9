package pgvalue_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var oids = []uint32{16, 17, 20, 25, 114, 700, 701, 1082, 1083, 1114, 1184, 1186, 1560, 1700, 2950, 3802, 600}

// FuzzText parses any text as any type: it is refused by name, or the value's own text says the same value again.
func FuzzText(f *testing.F) {
	for _, s := range []string{"t", `\x00ff`, "-9223372036854775808", "NaN", "0044-03-15 BC", "24:00:00", "294276-12-31 23:59:59.999999",
		"2000-01-01 00:00:00+00", "P1Y", "1.50", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "infinity", "\xff", "2023-02-29"} {
		for i := range oids {
			f.Add(i, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, i int, text []byte) {
		if i < 0 || i >= len(oids) {
			return
		}
		column := pgvalue.Column(pgvalue.Type{OID: oids[i], Mod: -1})
		column.Name = "c"
		var row pgvalue.Row
		row.Begin(1)
		if err := row.Text(&column, text); err != nil {
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("%v doesn't halt", err)
			}
			return
		}
		v := row.Values()[0]
		if v.Kind() != column.Kind {
			t.Fatalf("%q is %s in a column of %s", text, v.Kind(), column.Kind)
		}
		own := string(change.AppendText(nil, &column, v))
		if !utf8.ValidString(own) {
			t.Fatalf("%q became %q", text, own)
		}
		again, err := change.ParseText(&column, own)
		if err != nil || again != v && own != "NaN" {
			t.Fatalf("%q is %q, which reads as %+v, %v", text, own, again, err)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		oid  uint32
		text string
	}{
		{"text of another encoding", 25, "\xe9t\xe9"},
		{"a number too large", 20, "9223372036854775808"},
		{"a date that isn't", 1082, "2023-02-29"},
		{"the year zero", 1082, "0000-01-01"},
		{"a date of another style", 1082, "31/12/2024"},
		{"a zone that isn't UTC", 1184, "2024-01-01 00:00:00+01"},
		{"a timestamp past midnight", 1114, "2024-01-01 24:00:00"},
		{"bytes in escape form", 17, `abc\000`},
		{"half a byte", 17, `\xabc`},
		{"upper-case uuid", 2950, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		{"a boolean word", 16, "true"},
		{"a decimal with a blank", 1700, "1 "},
		{"nothing", 23, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			column := pgvalue.Column(pgvalue.Type{OID: c.oid, Mod: -1})
			column.Name = "c"
			var row pgvalue.Row
			row.Begin(1)
			if err := row.Text(&column, []byte(c.text)); !errors.Is(err, change.ErrHalt) {
				t.Errorf("error %v", err)
			}
		})
	}
}

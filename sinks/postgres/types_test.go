package postgres_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// TestTypes writes values of every kind into columns that exist already, and reads them back as the server shows them.
func TestTypes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		typ    string
		column change.Column
		value  change.Value
		want   string
	}{
		{"smallint", change.Column{Kind: change.KindInt, Bits: 16}, change.Int(math.MinInt16), "-32768"},
		{"integer", change.Column{Kind: change.KindUint, Bits: 16}, change.Uint(65535), "65535"},
		{"bigint", change.Column{Kind: change.KindUint, Bits: 64}, change.Uint(math.MaxInt64), "9223372036854775807"},
		{"numeric", change.Column{Kind: change.KindUint, Bits: 64}, change.Uint(math.MaxUint64), "18446744073709551615"},
		{"numeric", change.Column{Kind: change.KindDecimal}, change.Decimal("-0001234567890123456789.10200"), "-1234567890123456789.10200"},
		{"numeric", change.Column{Kind: change.KindDecimal}, change.Decimal("NaN"), "NaN"},
		{"numeric", change.Column{Kind: change.KindDecimal}, change.Decimal("-Infinity"), "-Infinity"},
		{"numeric(6,3)", change.Column{Kind: change.KindDecimal, Precision: 6, Scale: 3}, change.Decimal("0.001"), "0.001"},
		{"real", change.Column{Kind: change.KindFloat32}, change.Float32(0.1), "0.1"},
		{"double precision", change.Column{Kind: change.KindFloat64}, change.Float64(math.Inf(-1)), "-Infinity"},
		{"boolean", change.Column{Kind: change.KindBool}, change.Bool(true), "true"},
		{"bytea", change.Column{Kind: change.KindBytes}, change.Bytes("\x00\\\xff"), `\x005cff`},
		{"uuid", change.Column{Kind: change.KindUUID}, change.UUID("00112233-4455-6677-8899-aabbccddeeff"), "00112233-4455-6677-8899-aabbccddeeff"},
		{"date", change.Column{Kind: change.KindDate}, change.Date(-2451545), "4714-11-24 BC"},
		{"date", change.Column{Kind: change.KindDate}, change.Date(change.Infinity), "infinity"},
		{"time", change.Column{Kind: change.KindTime, Precision: 6}, change.Time(86400e6), "24:00:00"},
		{"timestamp", change.Column{Kind: change.KindWallTime, Precision: 6}, change.WallTime(-1), "1999-12-31 23:59:59.999999"},
		{"timestamptz", change.Column{Kind: change.KindInstant, Precision: 6}, change.Instant(change.NegativeInfinity), "-infinity"},
		{"timestamptz", change.Column{Kind: change.KindInstant, Precision: 6},
			change.Instant((change.DaysFromCivil(294276, 12, 31)*86400+86399)*1e6 + 999999), "294276-12-31 23:59:59.999999+00"},
		{"interval", change.Column{Kind: change.KindInterval}, change.Interval("P1Y-2M3DT-4H5M6.000007S"), "10 mons 3 days -03:54:53.999993"},
		{"interval", change.Column{Kind: change.KindTime, Precision: 2}, change.Time(-838*3600e6 - 10000), "-838:00:00.01"},
		{"bit(3)", change.Column{Kind: change.KindBits, Length: 3}, change.Bits("101"), "101"},
		{"bit varying(5)", change.Column{Kind: change.KindBits, Length: 5}, change.Bits("10"), "10"},
		{"jsonb", change.Column{Kind: change.KindJSON, Native: "jsonb"}, change.JSON(`{"a": "é"}`), `{"a": "é"}`},
		{"json", change.Column{Kind: change.KindJSON}, change.JSON(`{"a":1,  "a":2}`), `{"a":1,  "a":2}`},
		{"text", change.Column{Kind: change.KindPartialDate}, change.PartialDate("0000-00-00"), "0000-00-00"},
		{"text", change.Column{Kind: change.KindInstant, Precision: 3}, change.Instant(0), "2000-01-01T00:00:00.000Z"},
		{"character(4)", change.Column{Kind: change.KindText, Length: 4}, change.Text("ab"), "ab"},
		{"integer[]", change.Column{Kind: change.KindNative}, change.Native("{{1,NULL},{2,3}}"), "{{1,NULL},{2,3}}"},
		{"point", change.Column{Kind: change.KindNative}, change.Native("(1,2)"), "(1,2)"},
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		s := open(t, config(pg))
		tab := table()
		tab.Columns = tab.Columns[:1]
		ddl := "create table t (id int primary key"
		row, null := []change.Value{change.Int(1)}, []change.Value{change.Int(2)}
		for i, c := range cases {
			c.column.Name, c.column.Nullable = fmt.Sprint("c", i), true
			tab.Columns = append(tab.Columns, c.column)
			ddl += fmt.Sprintf(", c%d %s", i, c.typ)
			row, null = append(row, c.value), append(null, change.Null())
		}
		pg.Exec(ddl + ")")
		mustApply(t, s, at(tab, 1, change.Insert, row...), at(tab, 2, change.Insert, null...))
		got := pg.Query("select * from t order by id")
		for i, c := range cases {
			want := c.want
			if c.typ == "boolean" {
				want = "t"
			}
			if text := strings.TrimRight(got[0][i+1], " "); text != want || got[1][i+1] != testenv.Null {
				t.Errorf("%s of %s became %q and NULL %q, want %q", c.typ, c.value.Kind(), text, got[1][i+1], want)
			}
		}
	})
}

// FuzzNumeric compares our binary numeric with the server's own for the same text.
func FuzzNumeric(f *testing.F) {
	for _, s := range []string{"0", "-0", "0.000", "1", "10000", "100000000", "0.0001", "0.00001", "-1234.5678", "99999.99990", "0001.10", ".5", "5.", "+7", "1e5",
		"NaN", "Infinity", "-Infinity", "", "-", "1.2.3", "123456789012345678901234567890.000000000000000000000000000000"} {
		f.Add(s)
	}
	pg := testenv.Postgres(f, 15)
	conn, err := pgx.Connect(f.Context(), pg.URL)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close(f.Context()) })
	f.Fuzz(func(t *testing.T, s string) {
		ours, err := postgres.AppendNumeric(nil, change.Decimal(s))
		if err != nil {
			return
		}
		var want []byte
		if err := conn.QueryRow(t.Context(), "select numeric_send($1::text::numeric)", s).Scan(&want); err != nil {
			t.Fatalf("%q is taken by us and not by the server: %v", s, err)
		}
		if string(ours) != string(want) {
			t.Fatalf("%q is %x, want %x", s, ours, want)
		}
	})
}

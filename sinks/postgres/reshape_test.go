package postgres_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// widths are types and what they become: each that is wider is held against the server below, with the values at the limits of the first.
var widths = []struct {
	from, to string
	wider    bool
	values   []string
}{
	{"smallint", "integer", true, []string{"-32768", "32767"}},
	{"smallint", "bigint", true, []string{"-32768", "32767"}},
	{"integer", "bigint", true, []string{"-2147483648", "2147483647"}},
	{"integer", "smallint", false, nil},
	{"smallint", "real", true, []string{"-32768", "32767"}},
	{"integer", "real", false, nil},
	{"integer", "double precision", true, []string{"-2147483648", "2147483647"}},
	{"bigint", "double precision", false, nil},
	{"real", "double precision", true, []string{"1.5", "-0.25", "NaN", "Infinity"}},
	{"double precision", "real", false, nil},
	{"integer", "numeric", true, []string{"-2147483648"}},
	{"integer", "numeric(10,0)", true, []string{"2147483647"}},
	{"integer", "numeric(11,2)", false, nil},
	{"integer", "numeric(12,2)", true, nil},
	{"bigint", "numeric(19,0)", true, []string{"-9223372036854775808", "9223372036854775807"}},
	{"bigint", "numeric(20,0)", true, []string{"9223372036854775807"}},
	{"bigint", "numeric(18,0)", false, nil},
	{"numeric(10,2)", "numeric(12,2)", true, []string{"99999999.99", "-99999999.99", "NaN"}},
	{"numeric(10,2)", "numeric(12,4)", true, nil},
	{"numeric(10,2)", "numeric(11,4)", false, nil},
	{"numeric(10,2)", "numeric(10,1)", false, nil},
	{"numeric(10,2)", "numeric", true, []string{"99999999.99"}},
	{"numeric", "numeric(10,2)", false, nil},
	{"numeric(10,2)", "double precision", false, nil},
	{"character varying(5)", "character varying(9)", true, []string{"'abcde'", "'ab   '"}},
	{"character varying(9)", "character varying(5)", false, nil},
	{"character varying(5)", "character varying", true, []string{"'ab   '"}},
	{"character varying(5)", "text", true, []string{"'ab   '"}},
	{"character varying", "text", true, []string{"'ab   '"}},
	{"text", "character varying", true, []string{"'ab   '"}},
	{"text", "character varying(5)", false, nil},
	{"character(5)", "text", false, nil},
	{"character(5)", "character(9)", false, nil},
	{"bit varying(3)", "bit varying(5)", true, []string{"B'101'"}},
	{"bit varying(3)", "bit varying", true, []string{"B'101'"}},
	{"bit(3)", "bit(5)", false, nil},
	{"timestamp(3) without time zone", "timestamp(6) without time zone", true, []string{"'2024-01-02 03:04:05.678'", "'infinity'"}},
	{"timestamp(3) without time zone", "timestamp without time zone", true, []string{"'2024-01-02 03:04:05.678'"}},
	{"timestamp without time zone", "timestamp(3) without time zone", false, nil},
	{"timestamp without time zone", "timestamp with time zone", false, nil},
	{"timestamp(0) with time zone", "timestamp with time zone", true, []string{"'2024-01-02 03:04:05+00'"}},
	{"time(3) without time zone", "time(6) without time zone", true, []string{"'03:04:05.678'"}},
	{"interval(3)", "interval", true, []string{"'1 mon 03:04:05.678'"}},
	{"interval day to second(3)", "interval", false, nil},
	{"date", "timestamp without time zone", false, nil},
	{"json", "jsonb", false, nil},
	{"integer[]", "bigint[]", false, nil},
	{"no such type", "text", false, nil},
}

// TestWider holds the table of widenings against the server: what is called wider converts without a word and keeps every value as it was.
func TestWider(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	for _, w := range widths {
		if got := postgres.Wider(w.from, w.to); got != w.wider {
			t.Errorf("%s to %s is wider: %v, want %v", w.from, w.to, got, w.wider)
		}
		if !w.wider {
			continue
		}
		pg.Exec("drop table if exists w; create table w (n serial, v " + w.from + ")")
		for _, v := range w.values {
			pg.Exec("insert into w (v) values (" + quoted(v) + ")")
		}
		pg.Exec("alter table w add column was text; update w set was = v::text")
		pg.Exec("alter table w alter column v type " + w.to)
		if n := pg.Value("select count(*) from w where v::text is distinct from was"); n != "0" {
			t.Errorf("%s to %s changes %s of %d values", w.from, w.to, n, len(w.values))
		}
	}
}

// quoted is a literal that is one already, or a number's.
func quoted(v string) string {
	if v == "NaN" || v == "Infinity" {
		return "'" + v + "'"
	}
	return v
}

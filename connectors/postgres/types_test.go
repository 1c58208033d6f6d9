package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// typed is a column type with literals of it and what they are here.
type typed struct {
	name     string
	column   change.Column  // of what is not in it: zero
	literals []string       // SQL
	values   []change.Value // what they become
}

func native(name string, c change.Column) change.Column {
	c.Native, c.Nullable = name, true
	return c
}

func texts(v func(string) change.Value, s ...string) []change.Value {
	var values []change.Value
	for _, each := range s {
		values = append(values, v(each))
	}
	return values
}

const day = 86_400_000_000

var labels = []string{"b", "a c", "ü"}

var types = []typed{
	{"smallint", change.Column{Kind: change.KindInt, Bits: 16}, []string{"-32768", "32767"}, []change.Value{change.Int(-32768), change.Int(32767)}},
	{"integer", change.Column{Kind: change.KindInt, Bits: 32}, []string{"-2147483648"}, []change.Value{change.Int(-2147483648)}},
	{"bigint", change.Column{Kind: change.KindInt, Bits: 64}, []string{"-9223372036854775808", "9223372036854775807"}, []change.Value{change.Int(-1 << 63), change.Int(1<<63 - 1)}},
	{"boolean", change.Column{Kind: change.KindBool}, []string{"true", "false"}, []change.Value{change.Bool(true), change.Bool(false)}},
	{"real", change.Column{Kind: change.KindFloat32, Equality: change.Numeric}, []string{"0.1", "1e38"}, []change.Value{change.Float32(0.1), change.Float32(1e38)}},
	{"double precision", change.Column{Kind: change.KindFloat64, Equality: change.Numeric}, []string{"0.1", "5e-324"}, []change.Value{change.Float64(0.1), change.Float64(5e-324)}},
	{"numeric", change.Column{Kind: change.KindDecimal, Equality: change.Numeric}, []string{"1.00", "NaN", "-Infinity", "123456789012345678901234567890.123456789"},
		texts(change.Decimal, "1.00", "NaN", "-Infinity", "123456789012345678901234567890.123456789")},
	{"numeric(10,2)", change.Column{Kind: change.KindDecimal, Precision: 10, Scale: 2, Equality: change.Numeric}, []string{"1"}, texts(change.Decimal, "1.00")},
	{"numeric(3,-2)", change.Column{Kind: change.KindDecimal, Precision: 3, Scale: -2, Equality: change.Numeric}, []string{"12345"}, texts(change.Decimal, "12300")},
	{"text", change.Column{Kind: change.KindText}, []string{"", "naïve \\ \" \n"}, texts(change.Text, "", "naïve \\ \" \n")},
	{"character varying(20)", change.Column{Kind: change.KindText, Length: 20}, []string{"x "}, texts(change.Text, "x ")},
	{"character(3)", change.Column{Kind: change.KindText, Length: 3}, []string{"x"}, texts(change.Text, "x  ")},
	{"name", change.Column{Kind: change.KindText}, []string{"x"}, texts(change.Text, "x")},
	{"bytea", change.Column{Kind: change.KindBytes}, []string{`\x00ff27`, `\x`}, texts(change.Bytes, "\x00\xff'", "")},
	{"json", change.Column{Kind: change.KindJSON}, []string{`{"a" : 1.0}`}, texts(change.JSON, `{"a" : 1.0}`)},
	{"jsonb", change.Column{Kind: change.KindJSON, Equality: change.Unknown}, []string{`{"a":1.0}`}, texts(change.JSON, `{"a": 1.0}`)},
	{"uuid", change.Column{Kind: change.KindUUID}, []string{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}, texts(change.UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
	{"date", change.Column{Kind: change.KindDate}, []string{"2000-01-02", "4713-01-01 BC", "5874897-12-31", "infinity", "-infinity"},
		[]change.Value{change.Date(1), change.Date(change.DaysFromCivil(-4712, 1, 1)), change.Date(change.DaysFromCivil(5874897, 12, 31)), change.Date(change.Infinity), change.Date(change.NegativeInfinity)}},
	{"time without time zone", change.Column{Kind: change.KindTime, Precision: 6}, []string{"24:00:00", "00:00:00.000001"}, []change.Value{change.Time(day), change.Time(1)}},
	{"time(3) without time zone", change.Column{Kind: change.KindTime, Precision: 3}, []string{"00:00:01.5"}, []change.Value{change.Time(1_500_000)}},
	{"timestamp without time zone", change.Column{Kind: change.KindWallTime, Precision: 6}, []string{"2000-01-02 00:00:00.5", "0001-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "infinity"},
		[]change.Value{change.WallTime(day + 500_000), change.WallTime(change.DaysFromCivil(0, 1, 1) * day), change.WallTime(change.DaysFromCivil(294277, 1, 1)*day - 1), change.WallTime(change.Infinity)}},
	{"timestamp(0) with time zone", change.Column{Kind: change.KindInstant}, []string{"2000-01-02 01:00:00+01", "-infinity"}, []change.Value{change.Instant(day), change.Instant(change.NegativeInfinity)}},
	{"interval", change.Column{Kind: change.KindInterval, Equality: change.Unknown}, []string{"1 year -2 days 03:04:05.6"}, texts(change.Interval, "P1Y-2DT3H4M5.6S")},
	{"bit(3)", change.Column{Kind: change.KindBits, Length: 3}, []string{"101"}, texts(change.Bits, "101")},
	{"bit varying", change.Column{Kind: change.KindBits}, []string{"", "10"}, texts(change.Bits, "", "10")},
	{"integer[]", change.Column{Kind: change.KindNative, Equality: change.Unknown}, []string{"{1,NULL}"}, texts(change.Native, "{1,NULL}")},
	{"inet", change.Column{Kind: change.KindNative}, []string{"10.0.0.1/8"}, texts(change.Native, "10.0.0.1/8")},
	{"money", change.Column{Kind: change.KindNative, Equality: change.Unknown}, []string{"1"}, texts(change.Native, "$1.00")},
	{"time with time zone", change.Column{Kind: change.KindNative}, []string{"01:00:00+02"}, texts(change.Native, "01:00:00+02")},
	{"mood", change.Column{Kind: change.KindText, Enum: &labels}, []string{"b", "ü"}, texts(change.Text, "b", "ü")},
}

// TestTypes reads each type from the log and finds the column and the values, with the server's own session in other styles.
func TestTypes(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create type mood as enum ('b', 'a c', 'ü'); create domain short as varchar(5) not null; create domain shorter as short;
			create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
			create table d (id int primary key, s shorter, c text collate ci, g int generated always as (id * 2) stored)`)
		pg.Exec(fmt.Sprintf(`alter database %s set datestyle = 'SQL, DMY'; alter database %[1]s set intervalstyle = 'sql_standard';
			alter database %[1]s set timezone = 'Asia/Tokyo'; alter database %[1]s set bytea_output = 'escape'; alter database %[1]s set extra_float_digits = 0`, pg.Database))
		for i, ty := range types {
			pg.Exec(fmt.Sprintf("create table t%02d (id int primary key, v %s)", i, ty.name))
		}
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into d values (1, 'x', 'y')")
		domain := r.all()
		want(t, domain, `insert d + 1 "x" "y"`)
		d := domain[0].Table
		if s := d.Columns[1]; s.Native != "character varying(5)" || s.Length != 5 || s.Nullable {
			t.Errorf("a domain's column is %+v", s)
		}
		if c := d.Columns[2]; c.Equality != change.Unknown || !c.Nullable {
			t.Errorf("a column of a nondeterministic collation is %+v", c)
		}
		for i, ty := range types {
			literals := strings.Join(quoteAll(ty.literals), "), (")
			pg.Exec(fmt.Sprintf("insert into t%02d select row_number() over (), x.v::%s from (values (%s), (null)) x (v)", i, ty.name, literals))
		}
		got := r.all()
		for _, ty := range types {
			for i, v := range append(ty.values, change.Null()) {
				c := got[0]
				got = got[1:]
				if c.After[1] != v {
					t.Errorf("%s %d is %s", ty.name, i, change.AppendJSON(nil, &c.Table.Columns[1], c.After[1]))
				}
				column := c.Table.Columns[1]
				expected := native(ty.name, ty.column)
				expected.Name = "v"
				if column.Enum != nil && expected.Enum != nil && fmt.Sprint(*column.Enum) == fmt.Sprint(*expected.Enum) {
					column.Enum = expected.Enum
				}
				if column != expected {
					t.Errorf("%s is %+v", ty.name, column)
				}
			}
		}
	})
}

func quoteAll(literals []string) []string {
	quoted := make([]string, len(literals))
	for i, s := range literals {
		quoted[i] = "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return quoted
}

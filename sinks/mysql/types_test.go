package mysql_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// dayOf is midnight of a day in microseconds.
func dayOf(year, month, day int64) int64 { return change.DaysFromCivil(year, month, day) * 86400e6 }

// TestTypes writes values of every kind into columns that exist already, and reads them back as the server shows them.
func TestTypes(t *testing.T) {
	t.Parallel()
	instant := change.Column{Kind: change.KindInstant, Precision: 6}
	wall := change.Column{Kind: change.KindWallTime, Precision: 6}
	date := change.Column{Kind: change.KindDate}
	decimal := change.Column{Kind: change.KindDecimal}
	cases := []struct {
		typ    string
		column change.Column
		value  change.Value
		want   string
	}{
		{"tinyint", change.Column{Kind: change.KindInt, Bits: 8}, change.Int(math.MinInt8), "-128"},
		{"tinyint(1)", change.Column{Kind: change.KindBool}, change.Bool(true), "1"},
		{"bit(1)", change.Column{Kind: change.KindBool}, change.Bool(true), "\x01"},
		{"mediumint unsigned", change.Column{Kind: change.KindUint, Bits: 24}, change.Uint(1<<24 - 1), "16777215"},
		{"bigint unsigned", change.Column{Kind: change.KindUint, Bits: 64}, change.Uint(math.MaxUint64), "18446744073709551615"},
		{"decimal(20,0)", change.Column{Kind: change.KindUint, Bits: 64}, change.Uint(math.MaxUint64), "18446744073709551615"},
		{"decimal(65,30)", decimal, change.Decimal("-0001234567890123456789.10200"), "-1234567890123456789.102000000000000000000000000000"},
		{"decimal(65,0)", decimal, change.Decimal(strings.Repeat("9", 65)), strings.Repeat("9", 65)},
		{"decimal(30,30)", decimal, change.Decimal("-0.000000000000000000000000000001"), "-0.000000000000000000000000000001"},
		{"decimal(6,3)", decimal, change.Decimal("1.00100"), "1.001"},
		{"longtext", decimal, change.Decimal("1.00100"), "1.00100"},
		{"float", change.Column{Kind: change.KindFloat32}, change.Float32(0.1), "0.1"},
		{"double", change.Column{Kind: change.KindFloat32}, change.Float32(0.1), "0.10000000149011612"},
		{"double", change.Column{Kind: change.KindFloat64}, change.Float64(math.MaxFloat64), "1.7976931348623157e+308"},
		{"double", change.Column{Kind: change.KindFloat64}, change.Float64(-5e-324), "-5e-324"},
		{"double", change.Column{Kind: change.KindInt, Bits: 32}, change.Int(math.MinInt32), "-2.147483648e+09"},
		{"longblob", change.Column{Kind: change.KindBytes}, change.Bytes("\x00\\'\xff\xc3"), "\x00\\'\xff\xc3"},
		{"binary(3)", change.Column{Kind: change.KindBytes}, change.Bytes("a\x00\x00"), "a\x00\x00"},
		{"char(36)", change.Column{Kind: change.KindUUID}, change.UUID("00112233-4455-6677-8899-aabbccddeeff"), "00112233-4455-6677-8899-aabbccddeeff"},
		{"date", date, change.Date(change.DaysFromCivil(1, 1, 1)), "0001-01-01"},
		{"date", date, change.Date(change.DaysFromCivil(0, 1, 1)), "0000-01-01"},
		{"date", date, change.Date(change.DaysFromCivil(0, 2, 29)), "0000-02-29"},
		{"date", date, change.Date(change.DaysFromCivil(0, 12, 31)), "0000-12-31"},
		{"date", date, change.Date(change.DaysFromCivil(9999, 12, 31)), "9999-12-31"},
		{"date", date, change.PartialDate("0000-00-00"), "0000-00-00"},
		{"date", date, change.PartialDate("2024-00-10"), "2024-00-10"},
		{"date", date, change.PartialDate("2024-02-31"), "2024-02-31"},
		{"time(6)", change.Column{Kind: change.KindTime, Precision: 6}, change.Time(86400e6), "24:00:00.000000"},
		{"time(2)", change.Column{Kind: change.KindTime, Precision: 2}, change.Time(-838*3600e6 - 10000), "-838:00:00.01"},
		{"datetime(6)", wall, change.WallTime(-1), "1999-12-31 23:59:59.999999"},
		{"datetime(6)", wall, change.WallTime(dayOf(0, 1, 1) + 1), "0000-01-01 00:00:00.000001"},
		{"datetime(6)", instant, change.Instant(dayOf(0, 12, 31)), "0000-12-31 00:00:00.000000"},
		{"datetime(6)", wall, change.WallTime(dayOf(1, 1, 1)), "0001-01-01 00:00:00.000000"},
		{"datetime(6)", wall, change.WallTime(dayOf(10000, 1, 1) - 1), "9999-12-31 23:59:59.999999"},
		{"datetime", change.Column{Kind: change.KindWallTime}, change.PartialDate("0000-00-00T00:00:00"), "0000-00-00 00:00:00"},
		{"datetime(6)", instant, change.Instant(dayOf(2999, 1, 1)), "2999-01-01 00:00:00.000000"},
		{"timestamp(6)", instant, change.Instant(dayOf(2038, 1, 19) + 11_647e6 + 999_999), "2038-01-19 03:14:07.999999"},
		{"timestamp", change.Column{Kind: change.KindInstant}, change.PartialDate("0000-00-00 00:00:00"), "0000-00-00 00:00:00"},
		{"longtext", change.Column{Kind: change.KindInterval}, change.Interval("P1Y-2M3DT-4H5M6.000007S"), "P1Y-2M3DT-4H5M6.000007S"},
		{"bit(3)", change.Column{Kind: change.KindBits, Length: 3}, change.Bits("101"), "\x05"},
		{"bit(64)", change.Column{Kind: change.KindBits, Length: 64}, change.Bits(strings.Repeat("1", 64)), strings.Repeat("\xff", 8)},
		{"varchar(9)", change.Column{Kind: change.KindBits}, change.Bits("010"), "010"},
		{"longtext", change.Column{Kind: change.KindJSON}, change.JSON(`{"a":1,  "a":2}`), `{"a":1,  "a":2}`},
		{"longtext", instant, change.Instant(change.NegativeInfinity), "-infinity"},
		{"longtext", change.Column{Kind: change.KindInstant, Precision: 3}, change.Instant(0), "2000-01-01T00:00:00.000Z"},
		{"varchar(4)", change.Column{Kind: change.KindText, Length: 4}, change.Text("a'b "), "a'b "},
		{"varchar(2)", change.Column{Kind: change.KindText, Length: 4}, change.Text("😀'"), "😀'"},
		{"tinytext", change.Column{Kind: change.KindText}, change.Text(strings.Repeat("'", 255)), strings.Repeat("'", 255)},
		{"varchar(9) character set latin1", change.Column{Kind: change.KindText}, change.Text("é"), "é"},
		{"longtext", change.Column{Kind: change.KindNative}, change.Native("{{1,NULL},{2,3}}"), "{{1,NULL},{2,3}}"},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		tab := table()
		tab.Columns = tab.Columns[:1]
		ddl := "create table t (id int primary key"
		row, null := []change.Value{change.Int(1)}, []change.Value{change.Int(2)}
		for i, c := range cases {
			c.column.Name, c.column.Nullable = fmt.Sprint("c", i), true
			tab.Columns = append(tab.Columns, c.column)
			ddl += fmt.Sprintf(", c%d %s null", i, c.typ)
			row, null = append(row, c.value), append(null, change.Null())
		}
		my.Exec("set sql_mode = ''; " + ddl + ")" + exact)
		s := open(t, config(my))
		mustApply(t, s, at(tab, 1, change.Insert, row...), at(tab, 2, change.Insert, null...))
		got := my.Query("select * from t order by id")
		for i, c := range cases {
			if got[0][i+1] != c.want || got[1][i+1] != testenv.Null {
				t.Errorf("%s of %s became %q and NULL %q, want %q", c.typ, c.value.Kind(), got[0][i+1], got[1][i+1], c.want)
			}
		}
		// every one is found again by its value
		keyless := *tab
		keyless.Key, keyless.Name = nil, "k"
		my.Exec("create table k as select * from t; alter table k add _tailwater_pos varchar(42) unique")
		mustApply(t, s, at(&keyless, 3, change.Delete, row...))
		wantRows(t, my, "select id from k", "2")
	})
}

// TestValuesThatDontFit are refused by row, in columns that the server would round, cut or pad for.
func TestValuesThatDontFit(t *testing.T) {
	t.Parallel()
	instant := change.Column{Kind: change.KindInstant}
	cases := []struct {
		typ    string
		column change.Column
		value  change.Value
	}{
		{"tinyint", change.Column{Kind: change.KindInt, Bits: 8}, change.Int(128)},
		{"int unsigned", change.Column{Kind: change.KindInt, Bits: 32}, change.Int(-1)},
		{"decimal(65,30)", change.Column{Kind: change.KindDecimal}, change.Decimal("0.0000000000000000000000000000001")},
		{"decimal(65,30)", change.Column{Kind: change.KindDecimal}, change.Decimal("1" + strings.Repeat("0", 35))},
		{"decimal(65,0)", change.Column{Kind: change.KindDecimal}, change.Decimal("1" + strings.Repeat("0", 65))},
		{"decimal(4,2)", change.Column{Kind: change.KindDecimal}, change.Decimal("NaN")},
		{"decimal(4,2)", change.Column{Kind: change.KindDecimal}, change.Decimal("-Infinity")},
		{"double", change.Column{Kind: change.KindFloat64}, change.Float64(math.NaN())},
		{"float", change.Column{Kind: change.KindFloat32}, change.Float32(float32(math.Inf(1)))},
		{"binary(3)", change.Column{Kind: change.KindBytes}, change.Bytes("a")},
		{"bit(3)", change.Column{Kind: change.KindBits}, change.Bits("01")},
		{"date", change.Column{Kind: change.KindDate}, change.Date(change.DaysFromCivil(-1, 12, 31))},
		{"date", change.Column{Kind: change.KindDate}, change.Date(change.DaysFromCivil(10000, 1, 1))},
		{"date", change.Column{Kind: change.KindDate}, change.Date(change.Infinity)},
		{"time", change.Column{Kind: change.KindTime}, change.Time(1)},
		{"time", change.Column{Kind: change.KindTime}, change.Time(839 * 3600e6)},
		{"datetime", instant, change.Instant(500_000)},
		{"datetime", instant, change.Instant(change.Infinity)},
		{"datetime", instant, change.Instant(dayOf(10000, 1, 1))},
		{"datetime", instant, change.PartialDate("0000-00-00 00:00:00.1")},
		{"timestamp", instant, change.Instant(dayOf(1969, 1, 1))},
		{"timestamp", instant, change.PartialDate("2024-00-10")},
		{"tinytext", change.Column{Kind: change.KindText}, change.Text(strings.Repeat("ü", 127) + "  ")},
		{"varchar(3)", change.Column{Kind: change.KindText}, change.Text("abc ")},
		{"varchar(9) character set latin1", change.Column{Kind: change.KindText}, change.Text("日")},
		{"longtext", change.Column{Kind: change.KindText}, change.Text("\xff")},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, c := range cases {
			my.Exec("drop table if exists t, _tailwater_shapes; create table t (id int primary key, a " + c.typ + " null, b text)" + exact)
			s := open(t, config(my))
			tab := table()
			c.column.Name = "a"
			tab.Columns[1] = c.column
			err := s.Apply(t.Context(), []change.Change{at(tab, 1, change.Insert, change.Int(1), change.Null(), change.Null()),
				at(tab, 2, change.Insert, change.Int(2), c.value, change.Null())})
			if r := wantRefused(t, err, 1, sinks.Reject); r.Cause == nil {
				t.Errorf("%s of %v: no cause", c.typ, c.value)
			}
		}
	})
}

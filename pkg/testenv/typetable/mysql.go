package typetable

import (
	"fmt"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// MySQLFamilies are the types of MySQL 9.7 and of MariaDB 10.11 and 11.8; those that one of them lacks say so.
func MySQLFamilies() []Family {
	return []Family{
		{"numbers", mysqlNumbers()},
		{"times", mysqlTimes()},
		{"texts", mysqlTexts()},
		{"charsets", mysqlCharsets()},
		{"lists", mysqlLists()},
		{"bytes", mysqlBytes()},
		{"own", mysqlOwn()},
	}
}

// my is a type of MySQL and MariaDB, which their sinks make as it is; theirs is the column that the PostgreSQL sink makes.
func my(name, theirs string, kind change.Kind, values ...Value) Type {
	return Type{Name: name, Column: change.Column{Kind: kind}, Values: values, Create: map[string]string{Postgres: theirs}}
}

// as is t with another column in an engine's target.
func (t Type) as(engine, created string) Type {
	create := map[string]string{engine: created}
	for e, c := range t.Create {
		create[e] = c
	}
	t.Create = create
	return t
}

// pg says what a PostgreSQL target shows of v.
func (v Value) pg(text string) Value { return v.at(Postgres, text) }

func mysqlNumbers() []Type {
	integer, unsigned := change.KindInt, change.KindUint
	decimal := func(texts ...string) []Value {
		values := make([]Value, len(texts))
		for i, s := range texts {
			values[i] = val(s, s, jsonString(s))
		}
		return values
	}
	nines := strings.Repeat("9", 35)
	ones, zeros := strings.Repeat("1", 64), strings.Repeat("0", 63)
	return []Type{
		my("tinyint", "smallint", integer, numbers("-128", "127", "0", "-1")...),
		my("tinyint unsigned", "smallint", unsigned, numbers("255", "0", "128")...),
		my("smallint", "smallint", integer, numbers("-32768", "32767")...),
		my("smallint unsigned", "integer", unsigned, numbers("65535", "32768")...),
		my("mediumint", "integer", integer, numbers("-8388608", "8388607", "-1")...),
		my("mediumint unsigned", "bigint", unsigned, numbers("16777215", "8388608")...),
		my("int", "integer", integer, numbers("-2147483648", "2147483647")...),
		my("int unsigned", "bigint", unsigned, numbers("4294967295")...),
		my("bigint", "bigint", integer, numbers("-9223372036854775808", "9223372036854775807")...),
		my("bigint unsigned", "numeric(20,0)", unsigned, numbers("18446744073709551615", "9223372036854775808")...),
		my("int(8) unsigned zerofill", "bigint", unsigned, numbers("42")...),
		my("tinyint(1)", "smallint", integer, val("true", "1", "1"), val("false", "0", "0")).note("BOOLEAN is this type: any number from -128 to 127."),
		my("year", "smallint", integer, numbers("1901", "2155", "2024", "0")...),
		my("decimal(10,2)", "numeric(10,2)", change.KindDecimal, decimal("0.00", "-0.01", "99999999.99", "-99999999.99", "1234.50", "0.10")...),
		my("decimal(10,0)", "numeric(10,0)", change.KindDecimal, decimal("0", "-1", "9999999999")...),
		my("decimal(10,2) unsigned", "numeric(10,2)", change.KindDecimal, decimal("99999999.99")...),
		my("decimal(9,9)", "numeric(9,9)", change.KindDecimal, decimal("0.123456789", "-0.000000001")...),
		my("decimal(65,30)", "numeric(65,30)", change.KindDecimal, decimal(nines+"."+strings.Repeat("9", 30), "-"+nines+"."+strings.Repeat("9", 30), "-0."+strings.Repeat("0", 29)+"1")...),
		my("decimal(65,0)", "numeric(65,0)", change.KindDecimal, decimal(nines+strings.Repeat("9", 30))...),
		my("float", "real", change.KindFloat32, val("0.1", "0.10000000149011612", "0.1"), val("16777217", "16777216", "16777216").pg("1.6777216e+07"),
			val("-3.4028235e38", "-3.4028234663852886e38", "-3.4028235e+38"), val("1.1754944e-38", "1.1754943508222875e-38", "1.1754944e-38"), val("-0.5", "-0.5", "-0.5")),
		my("float unsigned", "real", change.KindFloat32, val("0.1", "0.10000000149011612", "0.1")),
		my("float(7,3)", "real", change.KindFloat32, val("1234.5678", "1234.5679931640625", "1234.568")),
		my("double", "double precision", change.KindFloat64, val("0.1e0", "0.1", "0.1"), val("1.7976931348623157e308", "1.7976931348623157e308", "1.7976931348623157e+308"),
			val("2.225073858507201e-308", "2.225073858507201e-308", "2.225073858507201e-308"), val("0.30000000000000004e0", "0.30000000000000004", "0.30000000000000004"),
			val("1e15", "1e15", "1000000000000000").pg("1e+15"), val("9007199254740993e0", "9.007199254740992e15", "9007199254740992").pg("9.007199254740992e+15")),
		my("double(20,5)", "double precision", change.KindFloat64, val("1234567.891234", "1234567.89123", "1234567.89123"), val("0.1", "0.1", "0.1")),
		my("bit(1)", "bit varying", change.KindBits, val("b'1'", "1", `"1"`), val("b'0'", "0", `"0"`)),
		my("bit(9)", "bit varying", change.KindBits, val("b'101010101'", "101010101", `"101010101"`), val("b'1'", "000000001", `"000000001"`)),
		my("bit(64)", "bit varying", change.KindBits, val("b'"+ones+"'", ones, jsonString(ones)), val("1", zeros+"1", jsonString(zeros+"1"))),
	}
}

// mysqlTimes are the times with each number of fraction digits.
func mysqlTimes() []Type {
	dated := func(day string) Value { return val(quote(day), day, jsonString(day)) }
	zero := func(day string) Value { return dated(day).pg(Refused) }
	list := []Type{my("date", "date", change.KindDate, dated("2024-02-29"), dated("1000-01-01"), dated("9999-12-31"), dated("0001-01-01"),
		dated("0000-01-01").pg("0001-01-01 BC"), zero("0000-00-00"), zero("2024-00-00"), zero("2024-10-00"), zero("2023-02-31")).
		note("A day that no calendar has is sent as the server writes it, here and in DATETIME and TIMESTAMP, where `zero_dates` is lossless.")}
	for n := range 7 {
		list = append(list, mysqlFractions(n)...)
	}
	return list
}

// mysqlFractions are the types with n fraction digits.
func mysqlFractions(n int) []Type {
	arg, fraction, zeros := "", "", ""
	if n > 0 {
		arg, fraction, zeros = fmt.Sprintf("(%d)", n), ".123456"[:n+1], ".000000"[:n+1]
	}
	stamp := func(day, clock, zone string) Value {
		return val(quote(day+" "+clock), day+" "+clock, jsonString(day+"T"+clock+zone))
	}
	zero := func(day string) Value {
		return val(quote(day+" 01:02:03"+fraction), day+" 01:02:03"+fraction, jsonString(day+" 01:02:03"+fraction)).pg(Refused)
	}
	clock := func(s string) Value { return val(quote(s), s, jsonString(s)) }
	none := val("'0000-00-00'", "0000-00-00 00:00:00"+zeros, jsonString("0000-00-00 00:00:00"+zeros)).pg(Refused)
	return []Type{
		my("datetime"+arg, "timestamp without time zone", change.KindWallTime, stamp("2024-02-29", "23:59:58"+fraction, ""), stamp("1000-01-01", "00:00:00"+zeros, ""),
			stamp("9999-12-31", "23:59:59"+fraction, ""), stamp("1969-12-31", "23:59:59"+fraction, ""), none, zero("2024-00-10"), zero("2024-02-00"), zero("2023-02-31")),
		my("timestamp"+arg, "timestamp with time zone", change.KindInstant, stamp("2024-02-29", "23:59:58"+fraction, "Z"), stamp("1970-01-01", "00:00:01"+zeros, "Z"),
			stamp("2038-01-19", "03:14:07"+zeros, "Z"), none).nullable(),
		my("time"+arg, "interval", change.KindTime, clock("12:00:00"+zeros), clock("-00:00:01"+zeros), clock("838:59:59"+zeros), clock("-838:59:59"+zeros), clock("23:59:58"+fraction),
			clock("-100:00:00"+fraction), clock("00:00:00"+zeros)),
	}
}

// nullable says NULL in the definition, without which a TIMESTAMP would be NOT NULL.
func (t Type) nullable() Type {
	t.SQL = t.Definition() + " null"
	return t
}

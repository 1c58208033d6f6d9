package typetable

import "github.com/tailwater-cdc/tailwater/pkg/change"

func postgresTimes() []Type {
	wall := func(fraction int) change.Column { return change.Column{Kind: change.KindWallTime, Precision: fraction} }
	instant := func(fraction int) change.Column { return change.Column{Kind: change.KindInstant, Precision: fraction} }
	interval := change.Column{Kind: change.KindInterval, Equality: change.Unknown}
	infinities := func() []Value {
		return one(val("'infinity'", "infinity", `"infinity"`).only(), val("'-infinity'", "-infinity", `"-infinity"`).only())
	}
	return []Type{
		pg("date", "date", change.Column{Kind: change.KindDate}, list(strs("2000-01-02", "1999-12-31", "0001-01-01", "9999-12-31"), one(
			val("'4713-01-01 BC'", "4713-01-01 BC", `"-4712-01-01"`).only(), val("'0001-12-31 BC'", "0001-12-31 BC", `"0000-12-31"`).my("0000-12-31"),
			val("'5874897-12-31'", "5874897-12-31", `"+5874897-12-31"`).only()), infinities())...),
		pg("time without time zone", "time(6)", change.Column{Kind: change.KindTime, Precision: 6},
			val("'24:00:00'", "24:00:00", `"24:00:00.000000"`), val("'00:00:00.000001'", "00:00:00.000001", `"00:00:00.000001"`), val("'23:59:59.9'", "23:59:59.9", `"23:59:59.900000"`)),
		pg("time(3) without time zone", "time(3)", change.Column{Kind: change.KindTime, Precision: 3}, val("'00:00:01.5'", "00:00:01.5", `"00:00:01.500"`)),
		exact("time with time zone", val("'01:00:00+02'", "01:00:00+02", `"01:00:00+02"`), val("'24:00:00-15:59:59'", "24:00:00-15:59:59", `"24:00:00-15:59:59"`)),
		exact("time(2) with time zone", val("'01:00:00.129+02'", "01:00:00.13+02", `"01:00:00.13+02"`)),
		pg("timestamp without time zone", "datetime(6)", wall(6), list(one(
			val("'2000-01-02 00:00:00.5'", "2000-01-02 00:00:00.5", `"2000-01-02T00:00:00.500000"`), val("'1999-12-31 23:59:59.999999'", "1999-12-31 23:59:59.999999", `"1999-12-31T23:59:59.999999"`),
			val("'0001-01-01 00:00:00'", "0001-01-01 00:00:00", `"0001-01-01T00:00:00.000000"`),
			val("'0001-01-01 00:00:00 BC'", "0001-01-01 00:00:00 BC", `"0000-01-01T00:00:00.000000"`).my("0000-01-01 00:00:00.000000"), val("'4713-01-01 00:00:00 BC'", "4713-01-01 00:00:00 BC", `"-4712-01-01T00:00:00.000000"`).only(),
			val("'294276-12-31 23:59:59.999999'", "294276-12-31 23:59:59.999999", `"+294276-12-31T23:59:59.999999"`).only()), infinities())...),
		pg("timestamp(0) without time zone", "datetime", wall(0), val("'2000-01-02 00:00:00.5'", "2000-01-02 00:00:01", `"2000-01-02T00:00:01"`)),
		pg("timestamp(2) without time zone", "datetime(2)", wall(2), val("'2024-02-29 23:59:59.128'", "2024-02-29 23:59:59.13", `"2024-02-29T23:59:59.13"`)),
		pg("timestamp with time zone", "datetime(6)", instant(6), list(one(
			val("'2000-01-02 01:00:00+01'", "2000-01-02 00:00:00+00", `"2000-01-02T00:00:00.000000Z"`),
			val("'2024-10-27 01:30:00.000001 Europe/Berlin'", "2024-10-26 23:30:00.000001+00", `"2024-10-26T23:30:00.000001Z"`),
			val("'294276-12-31 23:59:59.999999+00'", "294276-12-31 23:59:59.999999+00", `"+294276-12-31T23:59:59.999999Z"`).only(),
			val("'0044-03-15 12:00:00+00 BC'", "0044-03-15 12:00:00+00 BC", `"-0043-03-15T12:00:00.000000Z"`).only()), infinities())...).
			note("In MySQL and MariaDB a DATETIME in UTC."),
		pg("timestamp(0) with time zone", "datetime", instant(0), val("'2000-01-02 01:00:00+01'", "2000-01-02 00:00:00+00", `"2000-01-02T00:00:00Z"`), val("'-infinity'", "-infinity", `"-infinity"`).only()),
		pg("interval", "longtext", interval, val("'1 year -2 days 03:04:05.6'", "1 year -2 days +03:04:05.6", `"P1Y-2DT3H4M5.6S"`), val("'0'", "00:00:00", `"PT0S"`),
			val("'-1 month -00:00:00.000001'", "-1 mons -00:00:00.000001", `"P-1MT-0.000001S"`), val("'178000000 years'", "178000000 years", `"P178000000Y"`)),
		pg("interval(3)", "longtext", interval, val("'1.23456 s'", "00:00:01.235", `"PT1.235S"`)),
		pg("interval year to month", "longtext", interval, val("'1-2'", "1 year 2 mons", `"P1Y2M"`)),
		pg("interval", "longtext", interval, val("'infinity'", "infinity", `"infinity"`), val("'-infinity'", "-infinity", `"-infinity"`)).in("pg18").note("The infinities came with PostgreSQL 17; an older target parks them.").newer(),
	}
}

// newer says that a target of an older PostgreSQL can't hold the values.
func (t Type) newer() Type {
	t.Newer = true
	return t
}

package myvalue

import "github.com/tailwater-cdc/tailwater/pkg/change"

// Dates and times as the log packs them.
// Source: MySQL 9.7, mysys/my_time.cc; MariaDB 11.8, sql/compat56.cc.

const (
	microsPerSecond = 1_000_000
	secondsPerDay   = 86_400
	microsPerDay    = secondsPerDay * microsPerSecond
	secondsTo2000   = 946_684_800 // from 1970-01-01 to 2000-01-01
	maxFraction     = 6
)

// fractionUnit holds, by the bytes that a fraction takes, the microseconds of its last digit.
var fractionUnit = [...]uint64{0, 10_000, 100, 1}

// digitUnit holds, by fraction digits, the microseconds of the last of them.
var digitUnit = [...]int64{1_000_000, 100_000, 10_000, 1_000, 100, 10, 1}

// fraction reads the microseconds behind a packed time; more digits than the type has are none of its values.
func fraction(digits int, b []byte) (micros int64, ok bool) {
	n := int64(bigEndian(b) * fractionUnit[len(b)])
	return n, n < microsPerSecond && n%digitUnit[digits] == 0
}

// civil is a date and time as the server keeps it, in whatever calendar.
type civil struct {
	year, month, day, hour, minute, second, micros int64
}

func (c *civil) valid() bool {
	return c.year <= 9999 && c.month <= 12 && c.day <= 31 && c.hour <= 23 && c.minute <= 59 && c.second <= 59 && c.micros < microsPerSecond
}

// days returns the day if the calendar has it: not 0000-00-00, 2024-00-10 or, which ALLOW_INVALID_DATES lets in, 2023-02-31.
func (c *civil) days() (int64, bool) {
	if c.month < 1 || c.day < 1 {
		return 0, false
	}
	n := change.DaysFromCivil(c.year, c.month, c.day)
	_, month, _ := change.CivilFromDays(n)
	return n, month == c.month
}

func (c *civil) clock() int64 {
	return ((c.hour*60+c.minute)*60+c.second)*microsPerSecond + c.micros
}

func (r *Row) date(n uint64) (change.Value, error) {
	c := civil{year: int64(n >> 9), month: int64(n >> 5 & 15), day: int64(n & 31)}
	if !c.valid() {
		return change.Value{}, errValue
	}
	return r.day(&c), nil
}

// day adds a date, as the server's text where the calendar doesn't have it.
func (r *Row) day(c *civil) change.Value {
	if n, ok := c.days(); ok {
		return change.Date(n)
	}
	start := len(r.text)
	r.text = appendCivil(r.text, c)
	return r.added(change.KindPartialDate, start)
}

// wall adds a date and time, as the server's text where the calendar doesn't have the day.
func (r *Row) wall(c *civil, digits int) change.Value {
	if n, ok := c.days(); ok {
		return change.WallTime(n*microsPerDay + c.clock())
	}
	return r.partial(c, digits)
}

func (r *Row) partial(c *civil, digits int) change.Value {
	start := len(r.text)
	r.text = appendClock(append(appendCivil(r.text, c), ' '), c, digits)
	return r.added(change.KindPartialDate, start)
}

func (r *Row) datetime(digits int, b []byte) (change.Value, error) {
	n := bigEndian(b[:5])
	if n < 1<<39 {
		return change.Value{}, errValue
	}
	n -= 1 << 39
	ymd, hms := int64(n>>17), int64(n&(1<<17-1))
	c := civil{year: ymd >> 5 / 13, month: ymd >> 5 % 13, day: ymd & 31, hour: hms >> 12, minute: hms >> 6 & 63, second: hms & 63}
	var ok bool
	if c.micros, ok = fraction(digits, b[5:]); !ok || !c.valid() {
		return change.Value{}, errValue
	}
	return r.wall(&c, digits), nil
}

func (r *Row) timestamp(digits int, b []byte) (change.Value, error) {
	micros, ok := fraction(digits, b[4:])
	if !ok {
		return change.Value{}, errValue
	}
	return r.instant(digits, int64(bigEndian(b[:4])), micros)
}

// instant adds a TIMESTAMP; one of 0 seconds is 0000-00-00, since 1970-01-01 00:00:00 itself is out of range.
func (r *Row) instant(digits int, seconds, micros int64) (change.Value, error) {
	if seconds > 0 {
		return change.Instant((seconds-secondsTo2000)*microsPerSecond + micros), nil
	}
	if micros != 0 {
		return change.Value{}, errValue
	}
	return r.partial(&civil{}, digits), nil
}

// duration reads a TIME: sign and magnitude, packed as one number with an offset.
func duration(digits int, b []byte) (change.Value, error) {
	tail := (digits + 1) / 2
	n := int64(bigEndian(b)) - 1<<(8*len(b)-1)
	negative := n < 0
	if negative {
		n = -n
	}
	micros := n & (1<<(8*tail) - 1) * int64(fractionUnit[tail])
	hms := n >> (8 * tail)
	c := civil{hour: hms >> 12 & 1023, minute: hms >> 6 & 63, second: hms & 63, micros: micros}
	if hms>>22 != 0 || micros%digitUnit[digits] != 0 {
		return change.Value{}, errValue
	}
	return signed(&c, negative)
}

// maxHours is the most that a TIME has.
const maxHours = 838

func signed(c *civil, negative bool) (change.Value, error) {
	if c.hour > maxHours || c.minute > 59 || c.second > 59 || c.micros >= microsPerSecond {
		return change.Value{}, errValue
	}
	us := c.clock()
	if negative {
		us = -us
	}
	return change.Time(us), nil
}

// oldDuration and oldDatetime read what MariaDB writes with mysql56_temporal_format=OFF: the decimal digits as one number.
func oldDuration(b []byte) (change.Value, error) {
	n := int64(littleEndian(b)<<40) >> 40
	negative := n < 0
	if negative {
		n = -n
	}
	return signed(&civil{hour: n / 10_000, minute: n / 100 % 100, second: n % 100}, negative)
}

func (r *Row) oldDatetime(n uint64) (change.Value, error) {
	day, clock := int64(n/1_000_000), int64(n%1_000_000)
	c := civil{year: day / 10_000, month: day / 100 % 100, day: day % 100, hour: clock / 10_000, minute: clock / 100 % 100, second: clock % 100}
	if n > 99991231235959 || !c.valid() {
		return change.Value{}, errValue
	}
	return r.wall(&c, 0), nil
}

// appendCivil appends YYYY-MM-DD.
func appendCivil(dst []byte, c *civil) []byte {
	dst = append(appendDigits(dst, c.year, 4), '-')
	dst = append(appendDigits(dst, c.month, 2), '-')
	return appendDigits(dst, c.day, 2)
}

// appendClock appends HH:MM:SS and digits fraction digits.
func appendClock(dst []byte, c *civil, digits int) []byte {
	dst = append(appendDigits(dst, c.hour, 2), ':')
	dst = append(appendDigits(dst, c.minute, 2), ':')
	dst = appendDigits(dst, c.second, 2)
	if digits == 0 {
		return dst
	}
	dst = append(dst, '.')
	start := len(dst)
	return appendDigits(dst, c.micros, maxFraction)[:start+digits]
}

// appendDigits appends the last width digits of n, or all it has if there are more.
func appendDigits(dst []byte, n int64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for n > 0 || i > len(digits)-width {
		i--
		digits[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(dst, digits[i:]...)
}

package myvalue

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// parse reads what a result set holds: the value, or, for a kind that holds text, Unset after adding the text.
func (r *Row) parse(t *Type, b []byte) (change.Value, error) {
	switch t.Wire {
	case Tiny, Short, Int24, Long, LongLong:
		return parseInteger(t, b)
	case Float, Double:
		return parseFloat(t, b)
	case Decimal:
		return r.parseDecimal(b)
	case Year:
		n, ok := parseDigits(b)
		return change.Int(int64(n)), fits(ok && (n == 0 || n > firstYear && n <= lastYear))
	case Date:
		return r.parseDate(b)
	case Time, Time2:
		return parseTime(t, b)
	case Datetime, Datetime2, Timestamp, Timestamp2:
		return r.parseDatetime(t, b)
	case Bit:
		if len(b) != (t.Bits+7)/8 {
			return change.Value{}, errValue
		}
		return r.bits(t, b)
	case JSON:
		return r.add(change.KindJSON, b), fits(utf8.Valid(b))
	case Geometry, Vector:
		return r.add(change.KindBytes, b), nil
	case String:
		return r.parseString(t, b)
	}
	return r.characters(t, b)
}

func fits(ok bool) error {
	if ok {
		return nil
	}
	return errValue
}

func (r *Row) parseString(t *Type, b []byte) (change.Value, error) {
	switch {
	case t.Special == UUID:
		return r.add(change.KindUUID, b), fits(isUUID(b))
	case t.Special == Inet4 || t.Special == Inet6:
		return r.add(change.KindNative, b), fits(isAddress(b))
	case t.Collation == binaryCollation:
		return r.add(change.KindBytes, b), fits(len(b) == t.Length)
	}
	v, err := r.characters(t, b)
	if err != nil {
		return v, err
	}
	last := &r.spans[len(r.spans)-1] // PAD_CHAR_TO_FULL_LENGTH leaves the padding on, the log never does
	r.text = r.text[:last.start+len(bytes.TrimRight(r.text[last.start:], " "))]
	last.end = len(r.text)
	return v, nil
}

// parseDigits reads a number without a sign; ZEROFILL may put zeros in front.
func parseDigits(b []byte) (uint64, bool) {
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

func parseInteger(t *Type, b []byte) (change.Value, error) {
	width := uint(8 * t.fixed())
	digits, negative := bytes.CutPrefix(b, []byte("-"))
	n, ok := parseDigits(digits)
	switch {
	case t.Unsigned:
		return change.Uint(n), fits(ok && !negative && (width == 64 || n>>width == 0))
	case negative:
		return change.Int(-int64(n)), fits(ok && n <= 1<<(width-1))
	}
	return change.Int(int64(n)), fits(ok && n < 1<<(width-1))
}

// parseFloat reads the double that SelectExpr made of the number; that of a FLOAT is a float in all its digits.
func parseFloat(t *Type, b []byte) (change.Value, error) {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || len(bytes.Trim(b, "0123456789.eE+-")) > 0 { // and not the other spellings that strconv knows
		return change.Value{}, errValue
	}
	if t.Wire == Double {
		return change.Float64(f), nil
	}
	return change.Float32(float32(f)), fits(float64(float32(f)) == f)
}

// parseDecimal leaves ZEROFILL's zeros out, which are no part of the value.
func (r *Row) parseDecimal(b []byte) (change.Value, error) {
	start := len(r.text)
	digits, negative := bytes.CutPrefix(b, []byte("-"))
	if negative {
		r.text = append(r.text, '-')
	}
	for len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		digits = digits[1:]
	}
	r.text = append(r.text, digits...)
	whole, fraction, point := bytes.Cut(digits, []byte("."))
	ok := isDigits(whole) && (!point || isDigits(fraction))
	return r.added(change.KindDecimal, start), fits(ok)
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

func (r *Row) parseDate(b []byte) (change.Value, error) {
	var c civil
	if len(b) != len("0000-00-00") || !c.parseDay(b) || !c.valid() {
		return change.Value{}, errValue
	}
	return r.day(&c), nil
}

func (r *Row) parseDatetime(t *Type, b []byte) (change.Value, error) {
	const day = len("0000-00-00")
	var c civil
	if len(b) < day+1 || !c.parseDay(b[:day]) || b[day] != ' ' || !c.parseClock(b[day+1:]) || !c.valid() {
		return change.Value{}, errValue
	}
	if t.Wire == Datetime || t.Wire == Datetime2 {
		return r.wall(&c, t.Precision), nil
	}
	n, ok := c.days()
	if !ok {
		return r.partial(&c, t.Precision), fits(c == civil{})
	}
	return change.Instant(n*microsPerDay + c.clock()), nil
}

func parseTime(t *Type, b []byte) (change.Value, error) {
	b, negative := bytes.CutPrefix(b, []byte("-"))
	var c civil
	if !c.parseClock(b) {
		return change.Value{}, errValue
	}
	return signed(&c, negative)
}

// parseDay reads YYYY-MM-DD.
func (c *civil) parseDay(b []byte) bool {
	year, ok1 := parseDigits(b[:4])
	month, ok2 := parseDigits(b[5:7])
	day, ok3 := parseDigits(b[8:10])
	c.year, c.month, c.day = int64(year), int64(month), int64(day)
	return ok1 && ok2 && ok3 && b[4] == '-' && b[7] == '-'
}

// parseClock reads HH:MM:SS with two or three digits of hours and up to six fraction digits.
func (c *civil) parseClock(b []byte) bool {
	colon := bytes.IndexByte(b, ':')
	if colon < 2 || colon > 3 || len(b) < colon+6 || b[colon+3] != ':' {
		return false
	}
	hour, ok1 := parseDigits(b[:colon])
	minute, ok2 := parseDigits(b[colon+1 : colon+3])
	second, ok3 := parseDigits(b[colon+4 : colon+6])
	c.hour, c.minute, c.second = int64(hour), int64(minute), int64(second)
	fraction := b[colon+6:]
	if len(fraction) == 0 {
		return ok1 && ok2 && ok3
	}
	n, ok := parseDigits(fraction[1:])
	for range maxFraction - (len(fraction) - 1) {
		n *= 10
	}
	c.micros = int64(n)
	return ok1 && ok2 && ok3 && ok && fraction[0] == '.' && len(fraction) <= maxFraction+1
}

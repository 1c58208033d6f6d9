package change

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errText = errors.New("not the text of this kind")

// ParseText is the inverse of AppendText for a column: the Value whose text is s. The Value keeps s.
func ParseText(col *Column, s string) (Value, error) {
	v, err := parseText(col, s)
	if err != nil {
		return Value{}, fmt.Errorf("column %s: %q as %s: %w", col.Name, s, col.Kind, err)
	}
	return v, nil
}

func parseText(col *Column, s string) (Value, error) {
	switch col.Kind {
	case KindBool:
		switch s {
		case "true":
			return Bool(true), nil
		case "false":
			return Bool(false), nil
		}
		return Value{}, errText
	case KindInt:
		if strings.HasPrefix(s, "+") {
			return Value{}, errText
		}
		n, err := strconv.ParseInt(s, 10, 64)
		return Int(n), err
	case KindUint:
		n, err := strconv.ParseUint(s, 10, 64)
		return Uint(n), err
	case KindFloat32:
		f, err := parseFloat(s, 32)
		return Float32(float32(f)), err
	case KindFloat64:
		f, err := parseFloat(s, 64)
		return Float64(f), err
	case KindBytes:
		if strings.ContainsAny(s, "\r\n") {
			return Value{}, errText
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		return Bytes(string(b)), err
	case KindDate, KindInstant, KindWallTime:
		return parseDateTime(col.Kind, s)
	case KindTime:
		us, rest, err := parseClock(strings.TrimPrefix(s, "-"))
		if err != nil || rest != "" {
			return Value{}, errText
		}
		if s[0] == '-' {
			us = -us
		}
		return Time(us), nil
	case KindDecimal, KindText, KindJSON, KindUUID, KindInterval, KindBits, KindPartialDate, KindNative:
		return Value{kind: col.Kind, ref: s}, nil
	}
	return Value{}, errText
}

// parseFloat takes decimal notation, NaN, Infinity and -Infinity, and none of the other spellings that strconv knows.
func parseFloat(s string, bits int) (float64, error) {
	switch s {
	case "NaN", "Infinity", "-Infinity":
	default:
		if strings.Trim(s, "0123456789.eE+-") != "" || strings.HasPrefix(s, "+") {
			return 0, errText
		}
	}
	return strconv.ParseFloat(s, bits)
}

// fits says that a day and a time of it are inside 64 bits of microseconds and neither of the infinities.
func fits(days, us int64) bool {
	const (
		lastDay  = (Infinity - 1) / microsPerDay
		firstDay = NegativeInfinity/microsPerDay - 1
	)
	switch {
	case days >= lastDay:
		return days == lastDay && us <= Infinity-1-lastDay*microsPerDay
	case days <= firstDay:
		return days == firstDay && us > NegativeInfinity-firstDay*microsPerDay
	}
	return true
}

func parseDateTime(kind Kind, s string) (Value, error) {
	switch s {
	case "infinity":
		return Value{kind: kind, num: uint64(Infinity)}, nil
	case "-infinity":
		return Value{kind: kind, num: 1 << 63}, nil // NegativeInfinity
	}
	days, rest, err := parseCivil(s)
	if err != nil {
		return Value{}, err
	}
	if kind == KindDate {
		if rest != "" {
			return Value{}, errText
		}
		return Date(days), nil
	}
	if !strings.HasPrefix(rest, "T") {
		return Value{}, errText
	}
	us, rest, err := parseClock(rest[1:])
	if err != nil || us >= microsPerDay || !fits(days, us) {
		return Value{}, errText
	}
	if kind == KindInstant {
		if rest != "Z" {
			return Value{}, errText
		}
		return Instant(days*microsPerDay + us), nil
	}
	if rest != "" {
		return Value{}, errText
	}
	return WallTime(days*microsPerDay + us), nil
}

// parseCivil reads an ISO 8601 date with a year in the range of Postgres and returns what follows it.
func parseCivil(s string) (days int64, rest string, err error) {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	year, s, ok1 := leadingDigits(s, 4, 7)
	month, s, ok2 := dashedDigits(s)
	day, s, ok3 := dashedDigits(s)
	if negative {
		year = -year
	}
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, "", errText
	}
	return DaysFromCivil(year, month, day), s, nil
}

// parseClock reads H…:MM:SS[.f…] and returns microseconds and what follows.
func parseClock(s string) (us int64, rest string, err error) {
	h, s, ok1 := leadingDigits(s, 2, 9)
	if !ok1 || !strings.HasPrefix(s, ":") {
		return 0, "", errText
	}
	m, s, ok2 := leadingDigits(s[1:], 2, 2)
	if !ok2 || m > 59 || !strings.HasPrefix(s, ":") {
		return 0, "", errText
	}
	sec, s, ok3 := leadingDigits(s[1:], 2, 2)
	if !ok3 || sec > 59 {
		return 0, "", errText
	}
	us = (h*3600 + m*60 + sec) * microsPerSecond
	if !strings.HasPrefix(s, ".") {
		return us, s, nil
	}
	n := 0
	unit := int64(microsPerSecond / 10)
	for s = s[1:]; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		us += int64(s[n]-'0') * unit
		unit /= 10
	}
	if n == 0 || n > 6 {
		return 0, "", errText
	}
	return us, s[n:], nil
}

func dashedDigits(s string) (n int64, rest string, ok bool) {
	if !strings.HasPrefix(s, "-") {
		return 0, s, false
	}
	return leadingDigits(s[1:], 2, 2)
}

// leadingDigits reads at least least and at most most digits.
func leadingDigits(s string, least, most int) (n int64, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int64(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least
}

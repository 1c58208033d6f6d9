package pgvalue

import (
	"math"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

func parseInt(b []byte) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0') // 19 digits stay below 2^64
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n <= math.MaxInt64
}

// isDecimal accepts an optional sign, digits with at most one point among them, NaN and the infinities.
func isDecimal(b []byte) bool {
	switch string(b) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	digits, points := 0, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

func isBits(b []byte) bool {
	for _, c := range b {
		if c != '0' && c != '1' {
			return false
		}
	}
	return true
}

// parseInfinity reads the two texts that dates and timestamps share.
func parseInfinity(b []byte) (int64, bool) {
	switch string(b) {
	case "infinity":
		return change.Infinity, true
	case "-infinity":
		return change.NegativeInfinity, true
	}
	return 0, false
}

// cutBC takes the suffix off that marks a year before 1 AD.
func cutBC(b []byte) ([]byte, bool) {
	const suffix = " BC"
	if n := len(b) - len(suffix); n >= 0 && string(b[n:]) == suffix {
		return b[:n], true
	}
	return b, false
}

func parseDate(b []byte) (int64, bool) {
	if n, ok := parseInfinity(b); ok {
		return n, true
	}
	b, bc := cutBC(b)
	days, rest, ok := parseCivil(b, bc)
	return days, ok && len(rest) == 0
}

// parseStamp reads a timestamp that ends in zone, which the session's TimeZone makes the same for all.
func parseStamp(b []byte, zone string) (int64, bool) {
	if n, ok := parseInfinity(b); ok {
		return n, true
	}
	b, bc := cutBC(b)
	days, rest, ok := parseCivil(b, bc)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return 0, false
	}
	us, rest, ok := parseClock(rest[1:])
	return days*microsPerDay + us, ok && us < microsPerDay && string(rest) == zone
}

// parseCivil reads a date; bc says that the year counts back from 1 BC, which is year 0.
func parseCivil(b []byte, bc bool) (days int64, rest []byte, ok bool) {
	year, b, ok1 := digits(b, 4, 7)
	month, b, ok2 := after(b, '-')
	day, b, ok3 := after(b, '-')
	if !ok1 || !ok2 || !ok3 || year < 1 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, nil, false
	}
	if bc {
		year = 1 - year
	}
	days = change.DaysFromCivil(year, month, day)
	if y, m, d := change.CivilFromDays(days); y != year || m != month || d != day {
		return 0, nil, false // the month doesn't have that day
	}
	return days, b, true
}

// parseClock reads HH:MM:SS with up to six fraction digits and returns microseconds, up to 24:00:00.
func parseClock(b []byte) (us int64, rest []byte, ok bool) {
	h, b, ok1 := digits(b, 2, 2)
	m, b, ok2 := after(b, ':')
	s, b, ok3 := after(b, ':')
	if !ok1 || !ok2 || !ok3 || m > 59 || s > 59 {
		return 0, nil, false
	}
	us = (h*3600 + m*60 + s) * microsPerSecond
	if len(b) > 0 && b[0] == '.' {
		n := 0
		unit := int64(microsPerSecond / 10)
		for b = b[1:]; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
			us += int64(b[n]-'0') * unit
			unit /= 10
		}
		if n == 0 || n > maxFraction {
			return 0, nil, false
		}
		b = b[n:]
	}
	return us, b, us <= microsPerDay
}

// after reads two digits behind a separator.
func after(b []byte, separator byte) (n int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != separator {
		return 0, b, false
	}
	return digits(b[1:], 2, 2)
}

// digits reads at least least and at most most digits.
func digits(b []byte, least, most int) (n int64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < most && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	return n, b[i:], i >= least
}

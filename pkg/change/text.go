package change

import (
	"encoding/base64"
	"math"
	"strconv"
)

// AppendText appends v's canonical text, the content of its JSON form: integers and floats as numbers, bytes as base64, dates and
// times as ISO 8601 with 'T', the column's fraction digits and 'Z' only on instants, infinities as "infinity" and
// "-infinity". Null and Unset have no text: the caller handles them first; they append nothing.
func AppendText(dst []byte, col *Column, v Value) []byte {
	switch v.kind {
	case KindUnset, KindNull:
		return dst
	case KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10)
	case KindFloat32:
		return appendFloat(dst, float64(v.Float32()), 32)
	case KindFloat64:
		return appendFloat(dst, v.Float64(), 64)
	case KindBytes:
		return base64.StdEncoding.AppendEncode(dst, []byte(v.ref))
	case KindDate, KindInstant, KindWallTime:
		return appendDateTime(dst, col, v)
	case KindTime:
		us := v.Int()
		if us < 0 {
			dst = append(dst, '-')
			return appendClock(dst, uint64(-us), col.Precision)
		}
		return appendClock(dst, uint64(us), col.Precision)
	}
	return append(dst, v.ref...)
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

func appendDateTime(dst []byte, col *Column, v Value) []byte {
	switch v.Int() {
	case Infinity:
		return append(dst, "infinity"...)
	case NegativeInfinity:
		return append(dst, "-infinity"...)
	}
	if v.kind == KindDate {
		return appendCivil(dst, v.Int())
	}
	days := floorDiv(v.Int(), microsPerDay)
	dst = appendCivil(dst, days)
	dst = append(dst, 'T')
	dst = appendClock(dst, uint64(v.Int()-days*microsPerDay), col.Precision)
	if v.kind == KindInstant {
		dst = append(dst, 'Z')
	}
	return dst
}

// appendCivil appends YYYY-MM-DD; a year outside 0 to 9999 takes a sign and at least four digits (ISO 8601 expanded form).
func appendCivil(dst []byte, days int64) []byte {
	year, month, day := CivilFromDays(days)
	switch {
	case year < 0:
		dst = append(dst, '-')
		year = -year
	case year > 9999:
		dst = append(dst, '+')
	}
	if year > 9999 {
		dst = strconv.AppendUint(dst, uint64(year), 10)
	} else {
		dst = appendTwo(appendTwo(dst, uint64(year)/100), uint64(year)%100)
	}
	dst = appendTwo(append(dst, '-'), uint64(month))
	return appendTwo(append(dst, '-'), uint64(day))
}

// appendClock appends HH:MM:SS and exactly digits fraction digits, or all six where digits would cut some off; hours may pass 24.
func appendClock(dst []byte, us uint64, digits int) []byte {
	s := us / microsPerSecond
	if s < 100*3600 {
		dst = appendTwo(dst, s/3600)
	} else {
		dst = strconv.AppendUint(dst, s/3600, 10)
	}
	dst = appendTwo(append(dst, ':'), s/60%60)
	dst = appendTwo(append(dst, ':'), s%60)
	fraction := us % microsPerSecond
	if digits = min(max(digits, 0), len(powers)-1); fraction%powers[digits] != 0 {
		digits = len(powers) - 1
	}
	if digits == 0 {
		return dst
	}
	dst = append(dst, '.')
	start := len(dst)
	dst = appendTwo(appendTwo(appendTwo(dst, fraction/10_000), fraction/100%100), fraction%100)
	return dst[:start+digits]
}

// powers holds, by number of fraction digits, the microseconds of the last of them.
var powers = [...]uint64{1_000_000, 100_000, 10_000, 1_000, 100, 10, 1}

// appendTwo appends n, below 100, as two digits.
func appendTwo(dst []byte, n uint64) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

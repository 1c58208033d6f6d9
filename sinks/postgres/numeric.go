package postgres

import (
	"encoding/binary"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Signs of a numeric in binary form. Source: PostgreSQL, numeric.c, numeric_recv.
const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericPlusInf  = 0xD000
	numericMinusInf = 0xF000
	infinityScale   = 32 // what the server itself sends with an infinity
)

// maxScale and maxWhole are the most fraction and whole digits that the server's numeric takes in binary form.
const (
	maxScale = 16383
	maxWhole = 131072
)

// appendNumeric appends exact decimal text as the server's numeric: digits in base 10000 and the number of fraction digits as the source wrote
// them, trailing zeros included.
func appendNumeric(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindDecimal {
		return dst, wrongKind(v)
	}
	s := v.Str()
	switch s {
	case "NaN":
		return appendNumericHeader(dst, 0, numericNaN, 0), nil
	case "Infinity":
		return appendNumericHeader(dst, 0, numericPlusInf, infinityScale), nil
	case "-Infinity":
		return appendNumericHeader(dst, 0, numericMinusInf, infinityScale), nil
	}
	sign := uint16(0)
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = numericNegative, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	whole, fraction, dot := strings.Cut(s, ".")
	if !isDigits(whole) || !isDigits(fraction) || whole == "" && fraction == "" || dot && fraction == "" {
		return dst, wrongKind(v)
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > maxWhole || len(fraction) > maxScale {
		return dst, reject("22003", "a number of %d digits is out of the target's range", len(whole)+len(fraction))
	}
	start := len(dst)
	dst = appendNumericHeader(dst, (len(whole)+3)/4-1, sign, len(fraction))
	for first := len(whole) % 4; whole != ""; first = 0 {
		n := min(4, len(whole))
		if first != 0 {
			n = first
		}
		dst = binary.BigEndian.AppendUint16(dst, group(whole[:n]))
		whole = whole[n:]
	}
	for fraction != "" {
		n := min(4, len(fraction))
		digits := group(fraction[:n])
		for range 4 - n {
			digits *= 10
		}
		dst = binary.BigEndian.AppendUint16(dst, digits)
		fraction = fraction[n:]
	}
	return trimNumeric(dst, start), nil
}

// trimNumeric drops groups of zeros at both ends, as the server keeps none, and counts those that are left. A zero has no sign.
func trimNumeric(dst []byte, start int) []byte {
	digits := dst[start+8:]
	weight := int(int16(binary.BigEndian.Uint16(dst[start+2:])))
	lead := 0
	for lead < len(digits) && digits[lead] == 0 && digits[lead+1] == 0 {
		lead += 2
		weight--
	}
	end := len(digits)
	for end > lead && digits[end-1] == 0 && digits[end-2] == 0 {
		end -= 2
	}
	n := copy(digits, digits[lead:end])
	if n == 0 {
		weight = 0
		binary.BigEndian.PutUint16(dst[start+4:], 0)
	}
	binary.BigEndian.PutUint16(dst[start:], uint16(n/2))
	binary.BigEndian.PutUint16(dst[start+2:], uint16(int16(weight)))
	return dst[:start+8+n]
}

// appendNumericHeader appends all that stands before the groups; trimNumeric counts them.
func appendNumericHeader(dst []byte, weight int, sign uint16, scale int) []byte {
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(int16(weight)))
	dst = binary.BigEndian.AppendUint16(dst, sign)
	return binary.BigEndian.AppendUint16(dst, uint16(scale))
}

func group(s string) uint16 {
	n := uint16(0)
	for i := range len(s) {
		n = n*10 + uint16(s[i]-'0')
	}
	return n
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

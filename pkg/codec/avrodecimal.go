package codec

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendAvroDecimal appends a decimal's digits as one whole number in two's complement, big-endian, in as few bytes as hold it. Text
// that is not what the column's type would print again, such as NaN, is refused.
func appendAvroDecimal(dst []byte, s string, c *change.Column) ([]byte, error) {
	digits, negative := s, false
	if strings.HasPrefix(digits, "-") {
		digits, negative = digits[1:], true
	}
	whole, fraction, dotted := strings.Cut(digits, ".")
	if len(fraction) != c.Scale || dotted != (c.Scale > 0) || whole == "" || len(whole) > 1 && whole[0] == '0' || !onlyDigits(whole) || !onlyDigits(fraction) {
		return dst, fmt.Errorf("%.64q %w", s, errAvroValue)
	}
	significant := len(fraction)
	if whole != "0" {
		significant += len(whole)
	}
	if significant > c.Precision {
		return dst, fmt.Errorf("%.64q: %w", s, errPrecision)
	}
	if len(whole)+len(fraction) > 18 {
		return appendBigDecimal(dst, whole+fraction, negative)
	}
	var n int64
	for _, part := range [...]string{whole, fraction} {
		for i := range len(part) {
			n = n*10 + int64(part[i]-'0')
		}
	}
	if negative {
		if n == 0 {
			return dst, fmt.Errorf("%.64q %w", s, errAvroValue)
		}
		n = -n
	}
	size := (bits.Len64(uint64(n^n>>63)) + 1 + 7) / 8
	dst = binary.AppendVarint(dst, int64(size))
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst, nil
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func appendBigDecimal(dst []byte, digits string, negative bool) ([]byte, error) {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok || negative && n.Sign() == 0 {
		return dst, fmt.Errorf("%.64q %w", digits, errAvroValue)
	}
	if negative {
		n.Neg(n)
	}
	size := twosSize(n)
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	dst = binary.AppendVarint(dst, int64(size))
	start := len(dst)
	dst = append(dst, make([]byte, size)...)
	n.FillBytes(dst[start:])
	return dst, nil
}

// twosSize is the bytes that n takes in two's complement.
func twosSize(n *big.Int) int {
	if n.Sign() < 0 {
		return new(big.Int).Not(n).BitLen()/8 + 1
	}
	return n.BitLen()/8 + 1
}

// appendDecimalText appends the text of the number that b is, with scale fraction digits.
func appendDecimalText(dst, b []byte, scale int) []byte {
	if len(b) > 0 && len(b) <= 8 && scale < 20 {
		return appendSmallDecimal(dst, b, scale)
	}
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n.Neg(n)
	}
	text := n.Append(nil, 10)
	for len(text) <= scale {
		text = append([]byte{'0'}, text...)
	}
	dst = append(dst, text[:len(text)-scale]...)
	if scale == 0 {
		return dst
	}
	return append(append(dst, '.'), text[len(text)-scale:]...)
}

func appendSmallDecimal(dst, b []byte, scale int) []byte {
	n := int64(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int64(c)
	}
	u := uint64(n)
	if n < 0 {
		dst, u = append(dst, '-'), -u
	}
	dst = appendPadded(dst, u, scale+1)
	if scale == 0 {
		return dst
	}
	point := len(dst) - scale
	dst = append(dst, 0)
	copy(dst[point+1:], dst[point:])
	dst[point] = '.'
	return dst
}

// appendPadded appends n in at least width digits.
func appendPadded(dst []byte, n uint64, width int) []byte {
	var room [20]byte
	digits := strconv.AppendUint(room[:0], n, 10)
	for range width - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

package myvalue

import "github.com/tailwater-cdc/tailwater/pkg/change"

// A DECIMAL is stored in groups of nine digits, four bytes big-endian each; the leftmost and the rightmost group take what their digits
// need. The first bit is set unless the number is negative, when all bits are inverted.
// Source: MySQL 9.7, strings/decimal.cc, decimal2bin.

const groupDigits = 9

var groupSize = [groupDigits + 1]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}

var groupLimit = [groupDigits + 1]uint64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000}

func decimalSize(precision, scale int) int {
	whole := precision - scale
	return whole/groupDigits*4 + groupSize[whole%groupDigits] + scale/groupDigits*4 + groupSize[scale%groupDigits]
}

func (r *Row) decimal(t *Type, b []byte) (change.Value, error) {
	start := len(r.text)
	text, ok := appendDecimal(r.text, t.Precision, t.Scale, b)
	if !ok {
		return change.Value{}, errValue
	}
	r.text = text
	return r.added(change.KindDecimal, start), nil
}

// appendDecimal appends the number that the first decimalSize bytes of b are.
func appendDecimal(dst []byte, precision, scale int, b []byte) ([]byte, bool) {
	d := decimalReader{b: b, flip: 0x80}
	if b[0]&0x80 == 0 {
		d.invert = 0xff
		dst = append(dst, '-')
	}
	whole := precision - scale
	start := len(dst)
	dst = d.group(dst, whole%groupDigits)
	for range whole / groupDigits {
		dst = d.group(dst, groupDigits)
	}
	zeros := start
	for zeros < len(dst)-1 && dst[zeros] == '0' {
		zeros++
	}
	dst = append(dst[:start], dst[zeros:]...)
	if len(dst) == start {
		dst = append(dst, '0')
	}
	if scale == 0 {
		return dst, !d.bad
	}
	dst = append(dst, '.')
	for range scale / groupDigits {
		dst = d.group(dst, groupDigits)
	}
	return d.group(dst, scale%groupDigits), !d.bad
}

type decimalReader struct {
	b      []byte
	flip   byte // of the first byte
	invert byte
	bad    bool // a group had more digits than it may
}

// group appends n digits.
func (d *decimalReader) group(dst []byte, n int) []byte {
	size := groupSize[n]
	var v uint64
	for _, c := range d.b[:size] {
		v = v<<8 | uint64(c^d.flip^d.invert)
		d.flip = 0
	}
	d.b = d.b[size:]
	d.bad = d.bad || v >= groupLimit[n]
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, '0'+byte(v/groupLimit[i]%10))
	}
	return dst
}

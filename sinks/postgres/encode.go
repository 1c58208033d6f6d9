package postgres

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// appendFunc appends a value's binary form, without its length. Its error is a *sinks.Error of Class Reject with the SQLSTATE that
// the server gives for such a value.
type appendFunc func(dst []byte, v change.Value) ([]byte, error)

const arrayHeader = 20 // dimensions, has nulls, element type, length, lower bound: 4 bytes each

// appendArray appends the values that c takes from rows as a one-dimensional array in the server's binary format.
func (c *column) appendArray(dst []byte, rows []upsert.Row) ([]byte, error) {
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, 1)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint32(dst, c.way.param.elem)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(rows)))
	dst = binary.BigEndian.AppendUint32(dst, 1)
	for i := range rows {
		v := c.value(&rows[i])
		if v.IsNull() {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			dst[start+7] = 1
			continue
		}
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		var err error
		if dst, err = c.way.append(dst, v); err != nil {
			return dst, err
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst, nil
}

func appendBool(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindBool {
		return dst, wrongKind(v)
	}
	if v.Bool() {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

// integer is v as a signed number between low and high.
func integer(v change.Value, low, high int64) (int64, error) {
	n := v.Int()
	switch v.Kind() {
	case change.KindInt:
	case change.KindUint:
		if v.Uint() > math.MaxInt64 {
			return 0, reject("22003", "%d is out of the target's range", v.Uint())
		}
	default:
		return 0, wrongKind(v)
	}
	if n < low || n > high {
		return 0, reject("22003", "%d is out of the target's range", n)
	}
	return n, nil
}

func appendInt2(dst []byte, v change.Value) ([]byte, error) {
	n, err := integer(v, math.MinInt16, math.MaxInt16)
	return binary.BigEndian.AppendUint16(dst, uint16(n)), err
}

func appendInt4(dst []byte, v change.Value) ([]byte, error) {
	n, err := integer(v, math.MinInt32, math.MaxInt32)
	return binary.BigEndian.AppendUint32(dst, uint32(n)), err
}

func appendInt8(dst []byte, v change.Value) ([]byte, error) {
	n, err := integer(v, math.MinInt64, math.MaxInt64)
	return binary.BigEndian.AppendUint64(dst, uint64(n)), err
}

func appendFloat4(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindFloat32 {
		return dst, wrongKind(v)
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v.Float32())), nil
}

func appendFloat8(dst []byte, v change.Value) ([]byte, error) {
	switch v.Kind() {
	case change.KindFloat32:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(float64(v.Float32()))), nil
	case change.KindFloat64:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Float64())), nil
	}
	return dst, wrongKind(v)
}

// appendMicros is for times and time stamps: both sides count microseconds, the stamps from 2000-01-01, and the infinities are the
// same two numbers. The server checks the range.
func appendMicros(dst []byte, v change.Value) ([]byte, error) {
	switch v.Kind() {
	case change.KindInstant, change.KindWallTime, change.KindTime:
		return binary.BigEndian.AppendUint64(dst, uint64(v.Int())), nil
	}
	return dst, wrongKind(v)
}

func appendDate(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindDate {
		return dst, wrongKind(v)
	}
	switch n := v.Int(); {
	case n == change.Infinity:
		return binary.BigEndian.AppendUint32(dst, math.MaxInt32), nil
	case n == change.NegativeInfinity:
		return binary.BigEndian.AppendUint32(dst, 1<<31), nil
	case n <= math.MinInt32 || n >= math.MaxInt32:
		return dst, reject("22008", "day %d is out of the target's range", n)
	default:
		return binary.BigEndian.AppendUint32(dst, uint32(int32(n))), nil
	}
}

func appendUUID(dst []byte, v change.Value) ([]byte, error) {
	s := v.Str()
	if v.Kind() != change.KindUUID || len(s) != 36 {
		return dst, wrongKind(v)
	}
	for i := 0; i < 36; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return dst, wrongKind(v)
			}
			i++
			continue
		}
		high, ok1 := hexDigit(s[i])
		low, ok2 := hexDigit(s[i+1])
		if !ok1 || !ok2 {
			return dst, wrongKind(v)
		}
		dst = append(dst, high<<4|low)
		i += 2
	}
	return dst, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func appendRaw(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindBytes {
		return dst, wrongKind(v)
	}
	return append(dst, v.Str()...), nil
}

// textOf appends the canonical text, which the input function of the target's type reads or refuses.
func textOf(col *change.Column) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		if v.Kind() == change.KindBytes {
			return dst, wrongKind(v)
		}
		return change.AppendText(dst, col, v), nil
	}
}

// limited refuses what is longer than n characters: the server cuts blanks off the end of such a text without an error.
func limited(text appendFunc, n int) appendFunc {
	if n <= 0 {
		return text
	}
	return func(dst []byte, v change.Value) ([]byte, error) {
		start := len(dst)
		dst, err := text(dst, v)
		if err == nil && len(dst)-start > n && utf8.RuneCount(dst[start:]) > n {
			return dst, reject("22001", "%d characters and the target takes %d", utf8.RuneCount(dst[start:]), n)
		}
		return dst, err
	}
}

// wrongKind is a value that isn't of its column's kind, say a zero date in a column of dates.
func wrongKind(v change.Value) error {
	if s := v.Str(); s != "" && v.Kind() != change.KindBytes {
		return reject("22P02", "the target takes no %s %.40q", v.Kind(), s)
	}
	return reject("22P02", "the target takes no %s", v.Kind())
}

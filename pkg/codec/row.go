package codec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// placeholder is how Debezium says that it doesn't know a column's value; in a column of bytes it stands in base64 like any other
// bytes. Source: Debezium, PostgreSQL connector, unavailable.value.placeholder.
const (
	placeholder       = "__debezium_unavailable_value"
	placeholderBase64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
)

func (c *column) placeholder() string {
	if c.Kind == change.KindBytes {
		return placeholderBase64
	}
	return placeholder
}

// rowForm is how a row's columns stand in JSON.
type rowForm struct {
	unset   Unset
	dialect dialect
}

// appendRow appends row as a JSON object, null where there is no row.
func (l *layout) appendRow(dst []byte, row []change.Value, form rowForm) ([]byte, error) {
	if row == nil {
		return append(dst, "null"...), nil
	}
	start := len(dst)
	for i := range row {
		col, v := &l.columns[i], row[i]
		if v.IsUnset() {
			if form.unset == UnsetDebezium {
				dst = append(dst, col.name...)
				dst = append(append(append(dst, '"'), col.placeholder()...), '"')
			}
			continue // Invariant 7: what the log did not carry is not written as NULL
		}
		dst = append(dst, col.name...)
		var err error
		if dst, err = col.appendIn(dst, v, form.dialect); err != nil {
			return dst, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	if len(dst) == start {
		return append(dst, '{', '}'), nil
	}
	dst[start] = '{' // in the place of the first name's comma
	return append(dst, '}'), nil
}

var (
	errUTF8      = errors.New("text is not UTF-8")
	errRange     = errors.New("out of the range that the format carries")
	errPrecision = errors.New("more fraction digits than the column has")
)

// append appends v as JSON. It writes what change.AppendJSON writes, and refuses what that would change.
func (c *column) append(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != c.Kind {
		return c.appendOther(dst, v)
	}
	switch c.Kind {
	case change.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case change.KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case change.KindDecimal, change.KindText, change.KindJSON, change.KindUUID, change.KindInterval, change.KindBits,
		change.KindPartialDate, change.KindNative:
		return appendString(dst, v.Str())
	case change.KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Str()))
		return append(dst, '"'), nil
	case change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		if err := c.checkTime(v); err != nil {
			return dst, err
		}
	}
	return change.AppendJSON(dst, c.Column, v), nil
}

// appendOther appends what a column may hold besides values of its own kind.
func (c *column) appendOther(dst []byte, v change.Value) ([]byte, error) {
	if v.IsNull() {
		return append(dst, "null"...), nil
	}
	if v.Kind() != change.KindPartialDate || !c.mayBePartial() {
		return dst, fmt.Errorf("holds a value of kind %s, wants %s", v.Kind(), c.Kind)
	}
	if !isPartialDate(v.Str()) {
		return dst, fmt.Errorf("%.64q is no partial date", v.Str())
	}
	return appendString(dst, v.Str())
}

func (c *column) mayBePartial() bool {
	return c.Kind == change.KindDate || c.Kind == change.KindInstant || c.Kind == change.KindWallTime
}

const (
	maxDays  = 3_651_000_000        // in the year 9,998,096; change.ParseText reads years of seven digits
	maxClock = 999_999_999 * 3600e6 // microseconds, the most hours that it reads
)

// checkTime refuses dates and times whose text would not be the whole value.
func (c *column) checkTime(v change.Value) error {
	n := v.Int()
	if v.IsInfinite() {
		return nil
	}
	switch c.Kind {
	case change.KindDate:
		if n > maxDays || n < -maxDays {
			return errRange
		}
		return nil
	case change.KindTime:
		if n > maxClock || n < -maxClock {
			return errRange
		}
	}
	if c.unit != 1 && n%c.unit != 0 {
		return errPrecision
	}
	return nil
}

func appendString(dst []byte, s string) ([]byte, error) {
	if plainLen(s) == len(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"'), nil
	}
	if !utf8.ValidString(s) {
		return dst, errUTF8
	}
	return change.AppendJSONString(dst, s), nil
}

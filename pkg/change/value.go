package change

import "math"

// Kind says how to read a Value and, on a Column, which kinds of Value it holds besides Null and Unset.
type Kind uint8

// The kinds. Their numbers never leave the process; their names (String) do, in shapes.
const (
	KindUnset       Kind = iota // the log did not carry the column
	KindNull                    // SQL NULL
	KindBool                    // true or false
	KindInt                     // signed, 64 bits
	KindUint                    // unsigned, 64 bits
	KindFloat32                 // IEEE 754 single, kept as such so that its text stays short
	KindFloat64                 // IEEE 754 double
	KindDecimal                 // exact decimal text as the source wrote it; also NaN, Infinity, -Infinity
	KindText                    // UTF-8
	KindBytes                   // any bytes
	KindJSON                    // a JSON document's text as the source wrote it
	KindUUID                    // 36 characters, lower case
	KindDate                    // calendar day: days since 2000-01-01, or an infinity
	KindTime                    // time of day or signed duration: microseconds
	KindInstant                 // point in time: microseconds since 2000-01-01T00:00:00Z, or an infinity
	KindWallTime                // date and time without a zone: microseconds since 2000-01-01T00:00:00, or an infinity
	KindInterval                // ISO 8601 duration text
	KindBits                    // a string of 0 and 1
	KindPartialDate             // a zero or partial date such as 0000-00-00 or 2024-00-10, as text
	KindNative                  // the source's own text of a type that only Column.Native names
)

var kindNames = [...]string{"unset", "null", "bool", "int", "uint", "float32", "float64", "decimal", "text", "bytes",
	"json", "uuid", "date", "time", "instant", "walltime", "interval", "bits", "partialdate", "native"}

// String returns the kind's name as it stands in a shape.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// ParseKind is the inverse of Kind.String.
func ParseKind(s string) (Kind, bool) {
	for i, name := range kindNames {
		if name == s {
			return Kind(i), true
		}
	}
	return KindUnset, false
}

// Infinity and NegativeInfinity are the two reserved numbers of KindDate, KindInstant and KindWallTime.
const (
	Infinity         = math.MaxInt64
	NegativeInfinity = math.MinInt64
)

// Value is one column's value: 32 bytes, comparable with ==, no interface inside. The zero Value is Unset. A Value that
// holds text is a substring of its row's one buffer, so keeping one keeps that row's bytes.
type Value struct {
	ref  string
	num  uint64
	kind Kind
}

// Null is SQL NULL.
func Null() Value { return Value{kind: KindNull} }

// Bool holds b.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int holds a signed integer.
func Int(n int64) Value { return Value{kind: KindInt, num: uint64(n)} }

// Uint holds an unsigned integer.
func Uint(n uint64) Value { return Value{kind: KindUint, num: n} }

// Float32 holds a single-precision number, NaN and infinities included.
func Float32(f float32) Value {
	return Value{kind: KindFloat32, num: uint64(math.Float32bits(f))}
}

// Float64 holds a double-precision number, NaN and infinities included.
func Float64(f float64) Value { return Value{kind: KindFloat64, num: math.Float64bits(f)} }

// Decimal holds an exact decimal as the source wrote it.
func Decimal(s string) Value { return Value{kind: KindDecimal, ref: s} }

// Text holds UTF-8 text.
func Text(s string) Value { return Value{kind: KindText, ref: s} }

// Bytes holds any bytes.
func Bytes(s string) Value { return Value{kind: KindBytes, ref: s} }

// JSON holds a JSON document as the source wrote it.
func JSON(s string) Value { return Value{kind: KindJSON, ref: s} }

// UUID holds a UUID in its 36 characters, lower case.
func UUID(s string) Value { return Value{kind: KindUUID, ref: s} }

// Date holds a calendar day: days since 2000-01-01, or Infinity or NegativeInfinity.
func Date(days int64) Value { return Value{kind: KindDate, num: uint64(days)} }

// Time holds a time of day or a signed duration in microseconds.
func Time(us int64) Value { return Value{kind: KindTime, num: uint64(us)} }

// Instant holds a point in time: microseconds since 2000-01-01T00:00:00Z, or Infinity or NegativeInfinity.
func Instant(us int64) Value { return Value{kind: KindInstant, num: uint64(us)} }

// WallTime holds a date and time without a zone: microseconds since 2000-01-01T00:00:00, or Infinity or
// NegativeInfinity.
func WallTime(us int64) Value { return Value{kind: KindWallTime, num: uint64(us)} }

// Interval holds an ISO 8601 duration as the source wrote it.
func Interval(s string) Value { return Value{kind: KindInterval, ref: s} }

// Bits holds a string of 0 and 1.
func Bits(s string) Value { return Value{kind: KindBits, ref: s} }

// PartialDate holds a zero or partial date as text.
func PartialDate(s string) Value { return Value{kind: KindPartialDate, ref: s} }

// Native holds the source's own text of a type that the column's Native names.
func Native(s string) Value { return Value{kind: KindNative, ref: s} }

// TextOf holds text or bytes as the value of a kind that holds any; of another kind it is Native's.
func TextOf(kind Kind, s string) Value {
	switch kind {
	case KindDecimal, KindText, KindBytes, KindJSON, KindUUID, KindInterval, KindBits, KindPartialDate:
		return Value{kind: kind, ref: s}
	}
	return Native(s)
}

// Kind says what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsUnset says that the log did not carry the column.
func (v Value) IsUnset() bool { return v.kind == KindUnset }

// IsNull says that v is SQL NULL.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool is the value of KindBool.
func (v Value) Bool() bool { return v.num != 0 }

// Int is the number of KindInt, KindDate, KindTime, KindInstant and KindWallTime.
func (v Value) Int() int64 { return int64(v.num) }

// Uint is the number of KindUint.
func (v Value) Uint() uint64 { return v.num }

// Float32 is the number of KindFloat32.
func (v Value) Float32() float32 { return math.Float32frombits(uint32(v.num)) }

// Float64 is the number of KindFloat64.
func (v Value) Float64() float64 { return math.Float64frombits(v.num) }

// Str is the text or bytes of the kinds that hold any; empty for the others.
func (v Value) Str() string { return v.ref }

// IsInfinite says that a date or time of v's kind is one of the two infinities.
func (v Value) IsInfinite() bool {
	switch v.kind {
	case KindDate, KindInstant, KindWallTime:
		return v.Int() == Infinity || v.Int() == NegativeInfinity
	}
	return false
}

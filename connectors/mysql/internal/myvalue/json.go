package myvalue

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// MySQL's binary JSON. A document is a type byte and a value; objects and arrays hold a count, their size and tables of entries whose
// offsets count from the object's or array's own beginning.
// Source: MySQL 9.7, sql-common/json_binary.h; the text is what sql-common/json_dom.cc prints.

const (
	jsonSmallObject = 0x00
	jsonLargeObject = 0x01
	jsonSmallArray  = 0x02
	jsonLargeArray  = 0x03
	jsonLiteral     = 0x04
	jsonInt16       = 0x05
	jsonUint16      = 0x06
	jsonInt32       = 0x07
	jsonUint32      = 0x08
	jsonInt64       = 0x09
	jsonUint64      = 0x0a
	jsonDouble      = 0x0b
	jsonString      = 0x0c
	jsonOpaque      = 0x0f

	maxJSONDepth = 100 // JSON_DOCUMENT_MAX_DEPTH
)

var errJSON = errors.New("not a binary JSON document")

// jsonWriter appends a document's text. budget is how many bytes of the document it may still read: each once, so offsets that point
// into each other can't make a small document a large text.
type jsonWriter struct {
	dst    []byte
	budget int
	err    error
}

// appendJSON appends the text of a document, which is the text of CAST(column AS CHAR). An empty document, which INSERT IGNORE of a NULL
// leaves in a NOT NULL column, is null.
func appendJSON(dst, doc []byte) ([]byte, error) {
	if len(doc) == 0 {
		return append(dst, "null"...), nil
	}
	w := jsonWriter{dst: dst, budget: len(doc)}
	w.value(doc[0], doc[1:], 0)
	return w.dst, w.err
}

func (w *jsonWriter) fail() {
	if w.err == nil {
		w.err = errJSON
	}
}

// take returns the first n bytes of b.
func (w *jsonWriter) take(b []byte, n int) ([]byte, bool) {
	if n < 0 || len(b) < n {
		w.fail()
	}
	if w.budget -= n; w.budget < 0 {
		w.fail()
	}
	if w.err != nil {
		return nil, false
	}
	return b[:n], true
}

func (w *jsonWriter) value(kind byte, b []byte, depth int) {
	switch kind {
	case jsonSmallObject, jsonSmallArray:
		w.container(container{b: b, object: kind == jsonSmallObject, width: 2}, depth+1)
	case jsonLargeObject, jsonLargeArray:
		w.container(container{b: b, object: kind == jsonLargeObject, width: 4}, depth+1)
	case jsonString:
		if s, ok := w.counted(b); ok {
			w.string(s)
		}
	case jsonOpaque:
		if len(b) == 0 {
			w.fail()
		} else if s, ok := w.counted(b[1:]); ok {
			w.opaque(b[0], s)
		}
	default:
		w.scalar(kind, b)
	}
}

var literals = [...]string{"null", "true", "false"}

var scalarSize = [...]int{jsonLiteral: 1, jsonInt16: 2, jsonUint16: 2, jsonInt32: 4, jsonUint32: 4, jsonInt64: 8, jsonUint64: 8, jsonDouble: 8}

func (w *jsonWriter) scalar(kind byte, b []byte) {
	if int(kind) >= len(scalarSize) || scalarSize[kind] == 0 {
		w.fail()
		return
	}
	size := scalarSize[kind]
	b, ok := w.take(b, size)
	if !ok {
		return
	}
	n := littleEndian(b)
	switch kind {
	case jsonLiteral:
		if n >= uint64(len(literals)) {
			w.fail()
			return
		}
		w.dst = append(w.dst, literals[n]...)
	case jsonInt16, jsonInt32, jsonInt64:
		shift := 64 - 8*size
		w.dst = strconv.AppendInt(w.dst, int64(n<<shift)>>shift, 10)
	case jsonDouble:
		f := math.Float64frombits(n)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			w.fail()
			return
		}
		w.dst = appendDouble(w.dst, f)
	default:
		w.dst = strconv.AppendUint(w.dst, n, 10)
	}
}

// container is an object or array; its offsets have that width.
type container struct {
	b      []byte
	object bool
	width  int
	head   int // bytes of its tables: keys and values lie behind them
}

func (c *container) number(at int) int {
	if c.width == 2 {
		return int(binary.LittleEndian.Uint16(c.b[at:]))
	}
	return int(binary.LittleEndian.Uint32(c.b[at:]))
}

func (w *jsonWriter) container(c container, depth int) {
	if depth > maxJSONDepth || len(c.b) < 2*c.width {
		w.fail()
		return
	}
	count, size := c.number(0), c.number(c.width)
	keys := 0
	if c.object {
		keys = c.width + 2
	}
	entries := 2 * c.width // where the table of values begins
	head := entries + count*(keys+1+c.width)
	entries += count * keys
	if size < head || size > len(c.b) {
		w.fail()
		return
	}
	c.b, c.head = c.b[:size], head
	if _, ok := w.take(c.b, head); !ok {
		return
	}
	brackets := "[]"
	if c.object {
		brackets = "{}"
	}
	w.dst = append(w.dst, brackets[0])
	for i := range count {
		if i > 0 {
			w.dst = append(w.dst, ", "...)
		}
		if c.object {
			w.key(&c, 2*c.width+i*keys)
		}
		w.entry(&c, entries+i*(1+c.width), depth)
		if w.err != nil {
			return
		}
	}
	w.dst = append(w.dst, brackets[1])
}

// key appends the key whose entry is at that place.
func (w *jsonWriter) key(c *container, at int) {
	offset, length := c.number(at), int(binary.LittleEndian.Uint16(c.b[at+c.width:]))
	if offset < c.head || offset > len(c.b) {
		w.fail()
		return
	}
	if s, ok := w.take(c.b[offset:], length); ok {
		w.string(s)
		w.dst = append(w.dst, ": "...)
	}
}

// entry appends the value whose entry is at that place: the value itself where it fits, else its offset.
func (w *jsonWriter) entry(c *container, at, depth int) {
	kind := c.b[at]
	inline := kind == jsonLiteral || kind == jsonInt16 || kind == jsonUint16 || c.width == 4 && (kind == jsonInt32 || kind == jsonUint32)
	if inline {
		w.budget += scalarSize[kind] // counted with the tables
		w.scalar(kind, c.b[at+1:])
		return
	}
	offset := c.number(at + 1)
	if offset < c.head || offset > len(c.b) {
		w.fail()
		return
	}
	w.value(kind, c.b[offset:], depth)
}

// counted returns the bytes behind a length of one to five bytes, seven bits each, the lowest first.
func (w *jsonWriter) counted(b []byte) ([]byte, bool) {
	n := 0
	for i := range min(len(b), 5) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return w.take(b[i+1:], n)
		}
	}
	w.fail()
	return nil, false
}

const lowerHex = "0123456789abcdef"

func (w *jsonWriter) string(s []byte) {
	if !utf8.Valid(s) {
		w.fail()
		return
	}
	w.dst = append(w.dst, '"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			w.dst = append(w.dst, '\\', c)
		case '\b':
			w.dst = append(w.dst, `\b`...)
		case '\t':
			w.dst = append(w.dst, `\t`...)
		case '\n':
			w.dst = append(w.dst, `\n`...)
		case '\f':
			w.dst = append(w.dst, `\f`...)
		case '\r':
			w.dst = append(w.dst, `\r`...)
		default:
			if c < 0x20 {
				w.dst = append(w.dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
			} else {
				w.dst = append(w.dst, c)
			}
		}
	}
	w.dst = append(w.dst, '"')
}

// opaque appends a value of an SQL type that JSON doesn't have: decimals as numbers, dates and times as strings, all else in base64.
func (w *jsonWriter) opaque(wire byte, b []byte) {
	switch wire {
	case Decimal:
		w.decimal(b)
	case Date, Time, Datetime, Timestamp:
		if len(b) != 8 {
			w.fail()
			return
		}
		w.temporal(wire, int64(binary.LittleEndian.Uint64(b)))
	default:
		w.dst = append(w.dst, `"base64:type`...)
		w.dst = append(strconv.AppendUint(w.dst, uint64(wire), 10), ':')
		for len(b) > lineBytes {
			w.dst = append(base64.StdEncoding.AppendEncode(w.dst, b[:lineBytes]), `\n`...)
			b = b[lineBytes:]
		}
		w.dst = append(base64.StdEncoding.AppendEncode(w.dst, b), '"')
	}
}

// lineBytes are the bytes that the server writes into a line of base64.
const lineBytes = 76 / 4 * 3

func (w *jsonWriter) decimal(b []byte) {
	if len(b) < 2 || b[0] == 0 || b[1] > b[0] || len(b)-2 != decimalSize(int(b[0]), int(b[1])) {
		w.fail()
		return
	}
	dst, ok := appendDecimal(w.dst, int(b[0]), int(b[1]), b[2:])
	if w.dst = dst; !ok {
		w.fail()
	}
}

// temporal appends a date or time packed as the server keeps it in memory.
func (w *jsonWriter) temporal(wire byte, n int64) {
	negative := n < 0
	if negative {
		n = -n
	}
	hms := n >> 24
	c := civil{micros: n & (1<<24 - 1), second: hms & 63, minute: hms >> 6 & 63, hour: hms >> 12}
	ok := n >= 0 && c.hour <= maxHours // the lowest number has no magnitude
	if wire != Time {
		ymd := hms >> 17
		c.hour &= 31
		c.year, c.month, c.day = ymd>>5/13, ymd>>5%13, ymd&31
		ok = n >= 0 && !negative && c.hour <= 23
	}
	if !ok || c.year > 9999 || c.minute > 59 || c.second > 59 || c.micros < 0 || c.micros >= microsPerSecond {
		w.fail()
		return
	}
	w.dst = append(w.dst, '"')
	if negative {
		w.dst = append(w.dst, '-')
	}
	if wire != Time {
		w.dst = appendCivil(w.dst, &c)
	}
	if wire != Time && wire != Date {
		w.dst = append(w.dst, ' ')
	}
	if wire != Date {
		w.dst = appendClock(w.dst, &c, maxFraction)
	}
	w.dst = append(w.dst, '"')
}

// maxPlainExponent is how many zeros the server writes out before it takes an exponent; where digits follow the point it never does.
// Source: MySQL 9.7, include/dtoa.h, MAX_DECPT_FOR_F_FORMAT.
const maxPlainExponent = 15

// appendDouble appends the shortest text that is the number, in the server's notation, with a point or an exponent.
func appendDouble(dst []byte, f float64) []byte {
	var buf [32]byte
	digits := strconv.AppendFloat(buf[:0], math.Abs(f), 'e', -1, 64) // d.ddde±xx
	if math.Signbit(f) {
		dst = append(dst, '-')
	}
	e := len(digits) - 1
	for digits[e] != 'e' {
		e--
	}
	exponent, _ := strconv.Atoi(string(digits[e+1:]))
	significant := max(1, e-1) // without the point
	if point := exponent + 1; point > -maxPlainExponent && (point <= maxPlainExponent || significant > point) {
		start := len(dst)
		dst = strconv.AppendFloat(dst, math.Abs(f), 'f', -1, 64)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	dst = append(append(dst, digits[:e]...), 'e')
	return strconv.AppendInt(dst, int64(exponent), 10)
}

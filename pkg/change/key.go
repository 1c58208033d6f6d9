package change

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnsetKey says that a row's key column is Unset, so its key is not known.
var ErrUnsetKey = errors.New("a key column is not in the log")

// AppendKey appends the row's key: a JSON object of the key columns in key order, of all columns where the table has no key. It is
// the record key on the wire and the identity of a row everywhere else: two rows of one table with the same bytes are one key.
func AppendKey(dst []byte, t *Table, row []Value) ([]byte, error) {
	return appendKey(dst, t, row, false)
}

// AppendLaneKey appends what a row's lane is hashed from: its key, with every key column that the source doesn't compare bytewise
// folded. A fold may be coarser than the source's equality, never finer, so keys that are one at the source share a lane.
func AppendLaneKey(dst []byte, t *Table, row []Value) ([]byte, error) {
	return appendKey(dst, t, row, true)
}

// LaneKeyIsKey says that AppendLaneKey and AppendKey are the same bytes for every row of t, so one call serves both.
func LaneKeyIsKey(t *Table) bool {
	for i := range t.keyLen() {
		if t.Columns[t.keyAt(i)].Equality != Bytewise {
			return false
		}
	}
	return true
}

func (t *Table) keyLen() int {
	if len(t.Key) > 0 {
		return len(t.Key)
	}
	return len(t.Columns)
}

func (t *Table) keyAt(i int) int {
	if len(t.Key) > 0 {
		return t.Key[i]
	}
	return i
}

func appendKey(dst []byte, t *Table, row []Value, fold bool) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for i := range t.keyLen() {
		at := t.keyAt(i)
		col, v := &t.Columns[at], row[at]
		if v.IsUnset() {
			if len(t.Key) == 0 {
				continue // a whole row with a hole in it: a keyless table's generated columns, say
			}
			return dst, fmt.Errorf("%s.%s: %w", t, col.Name, ErrUnsetKey)
		}
		if fold && col.Equality == Unknown {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendJSONString(dst, col.Name)
		dst = append(dst, ':')
		if fold && col.Equality != Bytewise {
			dst = appendFolded(dst, col, v)
		} else {
			dst = AppendJSON(dst, col, v)
		}
	}
	return append(dst, '}'), nil
}

// appendFolded appends a JSON string that is the same for all values which the source takes for equal.
func appendFolded(dst []byte, col *Column, v Value) []byte {
	if v.IsNull() {
		return append(dst, "null"...)
	}
	text := string(AppendText(nil, col, v))
	switch col.Equality {
	case Numeric:
		return AppendJSONString(dst, foldNumber(text))
	case CaseInsensitive:
		return AppendJSONString(dst, strings.Map(foldRune, text))
	}
	return AppendJSONString(dst, text)
}

// foldNumber writes a decimal or float as its significant digits and a power of ten, so that equal numbers have one text however the
// source wrote them. What is no number (NaN, Infinity) stays as it is.
func foldNumber(s string) string {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			return s
		}
		mantissa, exponent = s[:i], n
	}
	negative := strings.HasPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(strings.TrimLeft(mantissa, "+-"), ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if strings.Trim(digits, "0123456789") != "" {
		return s
	}
	if digits == "" {
		return "0"
	}
	significant := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(significant)
	if negative {
		significant = "-" + significant
	}
	return significant + "e" + strconv.Itoa(exponent)
}

// foldRune lower-cases ASCII and drops every character that some locale's case rules tie to one outside ASCII: all of those, and
// i (Turkish dotless i) and k (the Kelvin sign).
func foldRune(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		r += 'a' - 'A'
	case r > 0x7e:
		return -1
	}
	if r == 'i' || r == 'k' {
		return -1
	}
	return r
}

// LaneOf returns which of n lanes a lane key belongs to: Java's murmur2 over its bytes, as Kafka's default partitioner computes it.
// Source: Apache Kafka, clients/src/main/java/org/apache/kafka/common/utils/Utils.java, murmur2 and toPositive.
func LaneOf(key []byte, n int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % n
}

func murmur2(data []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(data))
	for len(data) >= 4 {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h *= m
		h ^= k
		data = data[4:]
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(data[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

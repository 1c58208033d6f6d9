package codec

import (
	"bytes"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendUnset appends side and the ordinals of the Unset columns of row, as in a1,4-6; nothing where there are none.
func appendUnset(dst []byte, side byte, row []change.Value) []byte {
	separator := side
	for i := 0; i < len(row); i++ {
		if !row[i].IsUnset() {
			continue
		}
		first := i
		for i+1 < len(row) && row[i+1].IsUnset() {
			i++
		}
		dst = append(dst, separator)
		separator = ','
		dst = strconv.AppendInt(dst, int64(first), 10)
		if i > first {
			dst = strconv.AppendInt(append(dst, '-'), int64(i), 10)
		}
	}
	return dst
}

// unsetSet is what tw.unset says, by ordinal.
type unsetSet struct {
	after, before           []bool
	afterCount, beforeCount int
}

// parse reads what appendUnset wrote for a table of n columns; ordinals ascend, so each list has one form.
func (u *unsetSet) parse(b []byte, n int) error {
	u.afterCount, u.beforeCount = 0, 0
	if len(b) == 0 {
		return nil
	}
	rest, ok := b, true
	if rest, u.after, u.afterCount, ok = parseSide(rest, 'a', u.after, n); ok {
		rest, u.before, u.beforeCount, ok = parseSide(rest, 'b', u.before, n)
	}
	if !ok || len(rest) > 0 {
		return errorf("header %s: %.64q is no list of columns among %d", HeaderUnset, b, n)
	}
	return nil
}

func parseSide(b []byte, side byte, set []bool, n int) (rest []byte, out []bool, count int, ok bool) {
	if len(b) == 0 || b[0] != side {
		return b, set, 0, true
	}
	if cap(set) < n {
		set = make([]bool, n)
	}
	set = set[:n]
	clear(set)
	for next := 0; len(b) > 0 && (b[0] == ',' || next == 0 && b[0] == side); {
		var first, last int
		if first, b, ok = ordinal(b[1:]); !ok || first < next {
			return b, set, 0, false
		}
		last = first
		if bytes.HasPrefix(b, []byte{'-'}) {
			if last, b, ok = ordinal(b[1:]); !ok || last <= first {
				return b, set, 0, false
			}
		}
		if last >= n {
			return b, set, 0, false
		}
		for i := first; i <= last; i++ {
			set[i] = true
		}
		count += last - first + 1
		next = last + 2
	}
	return b, set, count, true
}

func ordinal(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 7 && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0 && (b[0] != '0' || i == 1)
}

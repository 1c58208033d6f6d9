package mysql

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendFunc appends a value as a literal. Its error is a *sinks.Error of Class Reject with the number that the server gives for such a value.
type appendFunc func(dst []byte, v change.Value) ([]byte, error)

func appendInteger(dst []byte, v change.Value) ([]byte, error) {
	switch v.Kind() {
	case change.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case change.KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case change.KindBool:
		if v.Bool() {
			return append(dst, '1'), nil
		}
		return append(dst, '0'), nil
	}
	return dst, wrongKind(v)
}

// appendFloat appends a number with an exponent, which the server reads as a double, bit for bit. A single is written as the double that it is:
// 0.1 as a single is another number than 0.1 as a double, and only the former is found again.
func appendFloat(dst []byte, v change.Value) ([]byte, error) {
	var f float64
	switch v.Kind() {
	case change.KindFloat32:
		f = float64(v.Float32())
	case change.KindFloat64:
		f = v.Float64()
	default:
		return dst, wrongKind(v)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, reject(codeRange, "the target has no %v", f)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, 64), nil
}

// maxDigits are the digits that a decimal has at most.
const maxDigits = 65

// decimalOf appends exact decimal text without quotes: quoted it would be compared as a double. The server rounds what has more fraction
// digits than the column, without an error.
func decimalOf(scale int) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		s := v.Str()
		if v.Kind() != change.KindDecimal {
			return dst, wrongKind(v)
		}
		if s == "NaN" || strings.HasSuffix(s, "Infinity") {
			return dst, reject(codeRange, "the target has no %s", s)
		}
		digits := strings.TrimLeft(s, "+-")
		whole, fraction, dot := strings.Cut(digits, ".")
		if len(s)-len(digits) > 1 || !isDigits(whole) || !isDigits(fraction) || whole == "" && fraction == "" || dot && fraction == "" {
			return dst, wrongKind(v)
		}
		whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
		if len(fraction) > scale {
			return dst, reject(codeRange, "%d fraction digits and the target takes %d", len(fraction), scale)
		}
		if len(whole)+len(fraction) > maxDigits {
			return dst, reject(codeRange, "a number of %d digits and the target takes %d", len(whole)+len(fraction), maxDigits)
		}
		if s[0] == '-' {
			dst = append(dst, '-')
		}
		if whole == "" {
			whole = "0"
		}
		dst = append(dst, whole...)
		if fraction != "" {
			dst = append(append(dst, '.'), fraction...)
		}
		return dst, nil
	}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// bitsOf appends a string of 0 and 1 that a column of n bits holds as it is.
func bitsOf(n int) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		if v.Kind() == change.KindBool {
			dst, err := appendInteger(append(dst, 'b', '\''), v)
			return append(dst, '\''), err
		}
		s := v.Str()
		if v.Kind() != change.KindBits || strings.Trim(s, "01") != "" || s == "" {
			return dst, wrongKind(v)
		}
		if len(s) != n {
			return dst, reject(codeTooLong, "%d bits and the target holds exactly %d", len(s), n)
		}
		return append(append(append(dst, 'b', '\''), s...), '\''), nil
	}
}

func appendBytes(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != change.KindBytes {
		return dst, wrongKind(v)
	}
	return appendQuoted(append(dst, "_binary"...), v.Str()), nil
}

// bytesOf is appendBytes for a column: one of a fixed length fills up with zero bytes what is shorter.
func bytesOf(to *targetColumn) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		n := len(v.Str())
		switch {
		case v.Kind() != change.KindBytes:
		case to.typ == "binary" && n != to.length:
			return dst, reject(codeTooLong, "%d bytes and the target holds exactly %d", n, to.length)
		case n > to.length:
			return dst, reject(codeTooLong, "%d bytes and the target takes %d", n, to.length)
		}
		return appendBytes(dst, v)
	}
}

// appendText appends the text of kinds that are text.
func appendText(dst []byte, v change.Value) ([]byte, error) {
	switch v.Kind() {
	case change.KindText, change.KindJSON, change.KindUUID, change.KindNative:
	default:
		return dst, wrongKind(v)
	}
	if !utf8.ValidString(v.Str()) {
		return dst, reject(codeIncorrect, "the text is no UTF-8")
	}
	return appendQuoted(dst, v.Str()), nil
}

// textOf appends the canonical text of whatever kind.
func textOf(col *change.Column) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		switch v.Kind() {
		case change.KindBytes:
			return dst, wrongKind(v)
		case change.KindText, change.KindJSON, change.KindUUID, change.KindNative:
			return appendText(dst, v)
		}
		dst = append(dst, '\'')
		dst = change.AppendText(dst, col, v) // of digits, signs and letters: nothing to double
		return append(dst, '\''), nil
	}
}

// byteLimits are the bytes that the types hold whose length isn't declared.
var byteLimits = map[string]int{"tinytext": 255, "text": 1<<16 - 1, "mediumtext": 1<<24 - 1, "longtext": math.MaxUint32}

// limited refuses what is longer than the column: the server cuts blanks off the end of such a text without an error. A char drops all
// blanks at its end.
func limited(text appendFunc, to *targetColumn, same bool) appendFunc {
	limit, counted := byteLimits[to.typ]
	wide := counted && !strings.HasPrefix(to.charset, "utf8") // how many bytes a character takes there we don't know
	switch {
	case wide:
		limit /= utf8.UTFMax
	case !counted:
		limit = to.length
	}
	return func(dst []byte, v change.Value) ([]byte, error) {
		start := len(dst)
		dst, err := text(dst, v)
		if err != nil {
			return dst, err
		}
		n := len(dst) - start - 2 // with its own quotes twice
		blank := n > 0 && dst[len(dst)-2] == ' '
		if blank && to.typ == "char" && !same {
			return dst, reject(codeTooLong, "a text that ends with a blank, which the target's %s drops", to.declared)
		}
		if n <= limit || wide && !blank {
			return dst, nil
		}
		quotes, unit := strings.Count(v.Str(), "'"), "bytes"
		if !counted {
			n, unit = utf8.RuneCount(dst[start+1:len(dst)-1]), "characters"
		}
		if n -= quotes; n > limit {
			return dst, reject(codeTooLong, "%d %s and the target takes %d", n, unit, limit)
		}
		return dst, nil
	}
}

// labelOf appends a label that the column has, to the letter: others the server would take for a number, or for one in another case.
func labelOf(to *targetColumn) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		if v.Kind() != change.KindText {
			return dst, wrongKind(v)
		}
		if to.typ == "set" && v.Str() == "" {
			return append(dst, '\'', '\''), nil
		}
		parts := []string{v.Str()}
		if to.typ == "set" {
			parts = strings.Split(v.Str(), ",")
		}
		for _, label := range parts {
			if !slices.Contains(to.labels, label) {
				return dst, reject(codeTruncated, "%.40q is no label of the target's %.200s: ALTER TABLE ... MODIFY %s with it as a further label, and start again", label, to.declared, quoteIdent(to.name))
			}
		}
		return appendText(dst, v)
	}
}

// wrongKind is a value that isn't of its column's kind, say a zero date in a column of numbers.
func wrongKind(v change.Value) error {
	if s := v.Str(); s != "" && v.Kind() != change.KindBytes {
		return reject(codeIncorrect, "the target takes no %s %.40q", v.Kind(), s)
	}
	return reject(codeIncorrect, "the target takes no %s", v.Kind())
}

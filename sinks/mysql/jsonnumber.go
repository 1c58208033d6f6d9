package mysql

import (
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendDocument appends a document of MySQL for MySQL. The server keeps an exact DECIMAL in a document, writes it as a number, and reads a
// number with a point, an exponent or more than 64 bits as a DOUBLE: one that a DOUBLE doesn't hold digit by digit would arrive as another.
func appendDocument(dst []byte, v change.Value) ([]byte, error) {
	if n := inexact(v.Str()); n != "" {
		return dst, reject(codeRange, "the document has the number %.80s, which the target's json would round to a double", n)
	}
	return appendText(dst, v)
}

// inexact returns the first number of a document that the server would round; empty: none.
func inexact(document string) string {
	for i := 0; i < len(document); {
		switch c := document[i]; {
		case c == '"':
			i = afterString(document, i)
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(document) && strings.IndexByte("0123456789.eE+-", document[end]) >= 0 {
				end++
			}
			if !exact(document[i:end]) {
				return document[i:end]
			}
			i = end
		default:
			i++
		}
	}
	return ""
}

// afterString returns where the string ends that begins at i.
func afterString(document string, i int) int {
	for i++; i < len(document) && document[i] != '"'; i++ {
		if document[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// exact says that the server takes a number for what it says.
func exact(number string) bool {
	if _, err := strconv.ParseInt(number, 10, 64); err == nil {
		return true
	}
	if _, err := strconv.ParseUint(number, 10, 64); err == nil {
		return true
	}
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && significant(number) == significant(strconv.FormatFloat(f, 'e', -1, 64))
}

// significant are a number's digits without the zeros at both ends.
func significant(number string) string {
	mantissa := strings.TrimPrefix(number, "-")
	if e := strings.IndexAny(mantissa, "eE"); e >= 0 {
		mantissa = mantissa[:e]
	}
	return strings.Trim(strings.Replace(mantissa, ".", "", 1), "0")
}

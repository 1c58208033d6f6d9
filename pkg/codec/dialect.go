package codec

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendIn is append in a dialect.
func (c *column) appendIn(dst []byte, v change.Value, d dialect) ([]byte, error) {
	if d == 0 || v.Kind() != c.Kind {
		return c.append(dst, v)
	}
	switch c.Kind {
	case change.KindInstant, change.KindWallTime:
		if d&spaced != 0 {
			return c.appendSpaced(dst, v)
		}
	case change.KindDecimal:
		if d&bare != 0 && isNumber(v.Str()) {
			return append(dst, v.Str()...), nil
		}
	case change.KindBytes:
		if d&latin1 != 0 {
			return appendLatin1(dst, v.Str()), nil
		}
	case change.KindText:
		if d&lists != 0 && c.set {
			return appendList(dst, v.Str())
		}
	case change.KindBool, change.KindInt, change.KindUint, change.KindFloat32, change.KindFloat64:
		if d&quoted != 0 {
			return append(change.AppendText(append(dst, '"'), c.Column, v), '"'), nil
		}
	}
	return c.append(dst, v)
}

// appendSpaced appends a date with a time as SQL writes it. What is an infinity stays one.
func (c *column) appendSpaced(dst []byte, v change.Value) ([]byte, error) {
	if err := c.checkTime(v); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = change.AppendText(append(dst, '"'), c.Column, v)
	if v.IsInfinite() {
		return append(dst, '"'), nil
	}
	if c.Kind == change.KindInstant {
		dst = dst[:len(dst)-1]
	}
	if at := bytes.IndexByte(dst[start:], 'T'); at > 0 {
		dst[start+at] = ' '
	}
	return append(dst, '"'), nil
}

// isNumber says that s is a JSON number, so that it may stand as one and be read back digit by digit.
func isNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	n := scanner{b: []byte(s)}
	_, _, err := n.number()
	return err == nil && n.i == len(s)
}

func appendLatin1(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b < 0x20, b == '"', b == '\\':
			dst = appendControl(dst, b)
		default:
			dst = utf8.AppendRune(dst, rune(b))
		}
	}
	return append(dst, '"')
}

// appendControl appends a byte that JSON strings escape as change.AppendJSONString does.
func appendControl(dst []byte, b byte) []byte {
	var one [12]byte
	quotedByte := change.AppendJSONString(one[:0], string(rune(b)))
	return append(dst, quotedByte[1:len(quotedByte)-1]...)
}

// appendList appends the members of a set, whose text has commas between them; no member holds one.
func appendList(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '[')
	for i := 0; s != ""; i++ {
		var member string
		member, s, _ = strings.Cut(s, ",")
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendString(dst, member); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// isSet says that a column is one of MySQL's sets.
func isSet(engine string, c *change.Column) bool {
	return c.Kind == change.KindText && (engine == "mysql" || engine == "mariadb") && len(c.Native) >= 4 && strings.EqualFold(c.Native[:4], "set(")
}

var errLatin1 = errors.New("a character above U+00FF where bytes belong")

// inDialect reads a value that the dialect writes in a way of its own; done is false for all others.
func (r *rowReader) inDialect(s *scanner, col *column, v *change.Value) (done bool, err error) {
	switch d := r.dialect; {
	case d&quoted != 0 && (col.Kind == change.KindBool || col.Kind == change.KindInt || col.Kind == change.KindUint || col.Kind == change.KindFloat32 || col.Kind == change.KindFloat64):
		return true, r.quoted(s, col, v)
	case d&bare != 0 && col.Kind == change.KindDecimal && s.peek() != '"':
		text, _, err := s.number()
		if err != nil {
			return true, err
		}
		start := len(r.text)
		r.text = append(r.text, text...)
		r.keep(v, change.KindDecimal, start)
		return true, nil
	case d&latin1 != 0 && col.Kind == change.KindBytes:
		return true, r.latin1(s, v)
	case d&lists != 0 && col.set:
		return true, r.list(s, v)
	}
	return false, nil
}

func (r *rowReader) quoted(s *scanner, col *column, v *change.Value) (err error) {
	if r.word, err = s.text(r.word[:0]); err != nil {
		return err
	}
	switch col.Kind {
	case change.KindInt: // without a string for most of what there is
		if n, ok := plainInt(r.word); ok {
			*v = change.Int(n)
			return nil
		}
	case change.KindBool:
		if string(r.word) == "true" || string(r.word) == "false" {
			*v = change.Bool(r.word[0] == 't')
			return nil
		}
	case change.KindFloat32, change.KindFloat64:
		return number(col, r.word, v)
	}
	*v, err = change.ParseText(col.Column, string(r.word))
	return err
}

// number reads a float's text: JSON's, or one of the three that JSON lacks.
func number(col *column, text []byte, v *change.Value) error {
	if last := len(text) - 1; last < 0 || text[last] != 'N' && text[last] != 'y' {
		n := scanner{b: text}
		if _, _, err := n.number(); err != nil || n.i != len(text) || text[0] == ' ' {
			return fmt.Errorf("%.64q is no number", text)
		}
	} else if s := string(text); s != "NaN" && s != "Infinity" && s != "-Infinity" {
		return fmt.Errorf("%.64q is no number", text)
	}
	if col.Kind == change.KindFloat32 {
		f, err := strconv.ParseFloat(string(text), 32)
		*v = change.Float32(float32(f))
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*v = change.Float64(f)
	return err
}

// plainInt reads up to 18 digits.
func plainInt(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 || b[0] == '0' && len(b) > 1 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func (r *rowReader) latin1(s *scanner, v *change.Value) (err error) {
	if r.word, err = s.text(r.word[:0]); err != nil {
		return err
	}
	start := len(r.text)
	for b := r.word; len(b) > 0; {
		c, size := utf8.DecodeRune(b)
		if c > 0xff {
			return errLatin1
		}
		r.text = append(r.text, byte(c))
		b = b[size:]
	}
	r.keep(v, change.KindBytes, start)
	return nil
}

func (r *rowReader) list(s *scanner, v *change.Value) (err error) {
	if !s.take('[') {
		return s.want("an array")
	}
	start := len(r.text)
	for i := 0; !s.take(']'); i++ {
		if i > 0 {
			if !s.take(',') {
				return s.want("a comma or ]")
			}
			r.text = append(r.text, ',')
		}
		if r.word, err = s.text(r.word[:0]); err != nil {
			return err
		}
		if len(r.word) == 0 || bytes.IndexByte(r.word, ',') >= 0 {
			return fmt.Errorf("%.64q is no member of a set", r.word)
		}
		r.text = append(r.text, r.word...)
	}
	r.keep(v, change.KindText, start)
	return nil
}

// unspace makes r.word, a date with a time as SQL writes it, what section 4 says.
func (r *rowReader) unspace(col *column) {
	at := bytes.IndexByte(r.word, ' ')
	if at < 0 {
		return
	}
	r.word[at] = 'T'
	if col.Kind == change.KindInstant {
		r.word = append(r.word, 'Z')
	}
}

package codec

import (
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// plainLen returns how many bytes at the head of s stand for themselves in a JSON string: ASCII, no control character, no quote, no
// backslash. It looks at eight bytes at a time.
func plainLen[T string | []byte](s T) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^(ones*'"'), w^(ones*'\\')
		// A borrow makes a byte look special only above one that is: the lowest is exact.
		special := ((quote - ones) &^ quote) | ((backslash - ones) &^ backslash) | (w - ones*0x20) | w
		if special &= high; special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}

// scanner walks one JSON text. It never reads past it, whatever stands there.
type scanner struct {
	b []byte
	i int
}

// maxDepth is how deep a value that we pass over may be nested.
const maxDepth = 16

var (
	errEnd    = errors.New("the text ends early")
	errString = errors.New("bad string")
	errNumber = errors.New("bad number")
	errDepth  = fmt.Errorf("nested deeper than %d", maxDepth)
)

// at wraps err with where the scanner stands.
func (s *scanner) at(err error) error { return fmt.Errorf("byte %d: %w", s.i, err) }

func (s *scanner) want(what string) error {
	if s.i >= len(s.b) {
		return s.at(errEnd)
	}
	return fmt.Errorf("byte %d: %q where %s belongs", s.i, s.b[s.i], what)
}

// peek passes over white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take passes over c, if it is next.
func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && (s.b[s.i] == c || s.peek() == c) {
		s.i++
		return true
	}
	return false
}

// word passes over w, if it is next.
func (s *scanner) word(w string) bool {
	if len(s.b)-s.i >= len(w) && string(s.b[s.i:s.i+len(w)]) == w {
		s.i += len(w)
		return true
	}
	return false
}

// end returns an error if anything but white space is left.
func (s *scanner) end() error {
	if s.peek(); s.i < len(s.b) {
		return s.want("the end")
	}
	return nil
}

// next passes over what stands before the next member of an object whose { has been taken; more is false after the last one, with
// the } taken.
func (s *scanner) next(first bool) (more bool, err error) {
	if s.take('}') {
		return false, nil
	}
	if !first && !s.take(',') {
		return false, s.want("a comma or }")
	}
	if s.peek() != '"' {
		return false, s.want("a name")
	}
	return true, nil
}

// name reads a member's name into dst[:0] and passes over the colon.
func (s *scanner) name(dst []byte) ([]byte, error) {
	dst, err := s.text(dst[:0])
	if err == nil && !s.take(':') {
		err = s.want("a colon")
	}
	return dst, err
}

// text appends the string that stands next, unescaped.
func (s *scanner) text(dst []byte) ([]byte, error) {
	if s.peek() != '"' {
		return dst, s.want("a string")
	}
	s.i++
	n := plainLen(s.b[s.i:])
	if end := s.i + n; end < len(s.b) && s.b[end] == '"' {
		dst = append(dst, s.b[s.i:end]...)
		s.i = end + 1
		return dst, nil
	}
	return s.odd(dst, n)
}

// odd is text for a string that is not all plain ASCII, whose first n bytes are.
func (s *scanner) odd(dst []byte, n int) ([]byte, error) {
	for {
		dst = append(dst, s.b[s.i:s.i+n]...)
		if s.i += n; s.i >= len(s.b) {
			return dst, s.at(errEnd)
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return dst, nil
		case c == '\\':
			var err error
			if dst, err = s.escape(dst); err != nil {
				return dst, err
			}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && size == 1 {
				return dst, s.at(errUTF8)
			}
			dst = append(dst, s.b[s.i:s.i+size]...)
			s.i += size
		default:
			return dst, s.at(errString)
		}
		n = plainLen(s.b[s.i:])
	}
}

// escape appends what the escape that stands next means.
func (s *scanner) escape(dst []byte) ([]byte, error) {
	if s.i+1 >= len(s.b) {
		return dst, s.at(errEnd)
	}
	c := s.b[s.i+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode(dst)
	default:
		return dst, s.at(errString)
	}
	s.i += 2
	return append(dst, c), nil
}

func (s *scanner) unicode(dst []byte) ([]byte, error) {
	r, ok := s.hex4(s.i)
	if !ok {
		return dst, s.at(errString)
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low, ok := s.hex4(s.i + 6)
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return dst, s.at(errUTF8) // half a pair stands for no character
		}
		size = 12
	}
	s.i += size
	return utf8.AppendRune(dst, r), nil
}

func (s *scanner) hex4(at int) (rune, bool) {
	if at+6 > len(s.b) || s.b[at] != '\\' || s.b[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s.b[at+2 : at+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number returns the number that stands next, as it stands.
func (s *scanner) number() (text []byte, whole bool, err error) {
	s.peek()
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	lead := s.i
	if n := s.digits(); n == 0 || n > 1 && s.b[lead] == '0' {
		return nil, false, s.at(errNumber)
	}
	whole = true
	if s.i < len(s.b) && s.b[s.i] == '.' {
		whole = false
		if s.i++; s.digits() == 0 {
			return nil, false, s.at(errNumber)
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		whole = false
		if s.i++; s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			return nil, false, s.at(errNumber)
		}
	}
	return s.b[start:s.i], whole, nil
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

// skip passes over any value. It checks its syntax as far as that tells where it ends.
func (s *scanner) skip(scratch []byte, depth int) error {
	if depth > maxDepth {
		return s.at(errDepth)
	}
	switch c := s.peek(); c {
	case '"':
		_, err := s.text(scratch)
		return err
	case '{':
		s.i++
		return s.skipObject(scratch, depth)
	case '[':
		s.i++
		return s.skipArray(scratch, depth)
	case 't', 'f', 'n':
		if s.word("true") || s.word("false") || s.word("null") {
			return nil
		}
		return s.want("a value")
	}
	_, _, err := s.number()
	return err
}

func (s *scanner) skipObject(scratch []byte, depth int) error {
	for first := true; ; first = false {
		more, err := s.next(first)
		if !more {
			return err
		}
		if _, err := s.name(scratch); err != nil {
			return err
		}
		if err := s.skip(scratch, depth+1); err != nil {
			return err
		}
	}
}

func (s *scanner) skipArray(scratch []byte, depth int) error {
	for first := true; ; first = false {
		if s.take(']') {
			return nil
		}
		if !first && !s.take(',') {
			return s.want("a comma or ]")
		}
		if err := s.skip(scratch, depth+1); err != nil {
			return err
		}
	}
}

package change

import "strings"

const (
	slabValues = 512      // how many Values are made at a time: 16 KiB
	slabText   = 64 << 10 // how much text the rows of one slab may hold, in bytes
	slabTexts  = 4 << 10  // how many bytes of short texts are made at a time
)

// Slab makes the Values of one row after another, and their text, many rows' at a time. The zero Slab is ready; one goroutine uses it, and it
// may not be copied once it is used. A row is the caller's, and garbage, with all its text, once all rows made with it are: that is why the
// text that they hold is bounded.
type Slab struct {
	free  []Value
	texts strings.Builder
	text  int // bytes that the rows of free's slab hold
}

// Row returns room for n Values, none of them in it yet. Appending more than n moves it elsewhere.
func (s *Slab) Row(n int) []Value {
	if n > slabValues/4 {
		return make([]Value, 0, n)
	}
	if n > len(s.free) {
		s.free, s.text = make([]Value, slabValues), 0
	}
	row := s.free[:0:n]
	s.free = s.free[n:]
	return row
}

// Text returns a copy of b for the last row.
func (s *Slab) Text(b []byte) string {
	if s.text += len(b); s.text > slabText {
		s.free = nil
	}
	if len(b) > slabTexts/4 {
		return string(b)
	}
	if s.texts.Cap()-s.texts.Len() < len(b) {
		s.texts.Reset()
		s.texts.Grow(slabTexts)
	}
	start := s.texts.Len()
	s.texts.Write(b)
	return s.texts.String()[start:]
}

package change

const (
	slabValues = 512      // how many Values are made at a time: 16 KiB
	slabText   = 64 << 10 // how much text the rows of one slab may hold, in bytes
)

// Slab makes the Values of one row after another, many rows' at a time. The zero Slab is ready; one goroutine uses it. A row is the caller's,
// and garbage, with all its text, once all rows made with it are: that is why Holds bounds what they hold.
type Slab struct {
	free []Value
	text int
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

// Holds says how many bytes of text the last row holds.
func (s *Slab) Holds(text int) {
	if s.text += text; s.text > slabText {
		s.free = nil
	}
}

package change

// slabValues is how many Values are made at a time: 16 KiB, which one row that outlives its neighbours may hold on to.
const slabValues = 512

// Slab makes the Values of one row after another, many rows' at a time. The zero Slab is ready; one goroutine uses it. A row is the caller's,
// and garbage once all rows made with it are.
type Slab struct{ free []Value }

// Row returns room for n Values, none of them in it yet. Appending more than n moves it elsewhere.
func (s *Slab) Row(n int) []Value {
	if n > slabValues/4 {
		return make([]Value, 0, n)
	}
	if n > len(s.free) {
		s.free = make([]Value, slabValues)
	}
	row := s.free[:0:n]
	s.free = s.free[n:]
	return row
}

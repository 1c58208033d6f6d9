package pgoutput

import (
	"bytes"
	"encoding/binary"
)

// reader walks a frame. After the first error it yields zeros, so a caller checks err once, and before each loop's next round.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// take returns the next n bytes, or nil at an error.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.fail(errShort)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// bytes reads up to a zero byte, which it drops.
func (r *reader) bytes() []byte {
	i := bytes.IndexByte(r.rest, 0)
	if i < 0 {
		r.fail(errShort)
		return nil
	}
	return r.take(i + 1)[:i]
}

func (r *reader) expect(tag byte) {
	if got := r.byte(); got != tag {
		r.fail(errTuple)
	}
}

// tuple appends the cells of a tuple to dst.
func (r *reader) tuple(dst []Cell) []Cell {
	n := int(r.uint16())
	for i := 0; i < n && r.err == nil; i++ {
		cell := Cell{Kind: CellKind(r.byte())}
		switch cell.Kind {
		case Null, Unchanged:
		case Text:
			cell.Data = r.take(int(r.uint32()))
		default:
			r.fail(errTuple)
		}
		dst = append(dst, cell)
	}
	return dst
}

func (r *reader) shape() *Shape {
	s := &Shape{OID: r.uint32(), Namespace: string(r.bytes()), Name: string(r.bytes()), Identity: r.byte()}
	if s.Namespace == "" {
		s.Namespace = catalogNamespace
	}
	n := int(r.uint16())
	for i := 0; i < n && r.err == nil; i++ {
		s.Columns = append(s.Columns, Column{
			Key: r.byte()&1 != 0, Name: string(r.bytes()), Type: r.uint32(), Mod: int32(r.uint32()),
		})
	}
	return s
}

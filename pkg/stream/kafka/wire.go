package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

var errShort = errors.New("the response ends early")

// wireReader takes a response apart. After the first read past its end every further one returns zero values and bad is set.
type wireReader struct {
	b   []byte
	bad bool
}

func (r *wireReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *wireReader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *wireReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *wireReader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// text reads a string of 16-bit length; null is empty.
func (r *wireReader) text() string {
	if n := r.int16(); n > 0 {
		return string(r.take(int(n)))
	}
	return ""
}

// bytes reads bytes of 32-bit length as a part of the response; null is empty.
func (r *wireReader) bytes() []byte {
	if n := r.int32(); n > 0 {
		return r.take(int(n))
	}
	return nil
}

// count reads an array's length; each element takes at least size bytes, so a length that can't be is found before anything
// is allocated for it. Null is empty.
func (r *wireReader) count(size int) int {
	n := int(r.int32())
	if n < 0 {
		return 0
	}
	if n > len(r.b)/size {
		r.bad = true
		return 0
	}
	return n
}

func appendText(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// correlation is the id of a request on a connection that carries one at a time.
const correlation = 1

// appendRequestHeader appends a request's header (version 1) with room for the request's size in front.
func appendRequestHeader(dst []byte, key protocol.ApiKey, version int16, id uint32) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(key))
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint32(dst, id)
	return appendText(dst, clientID)
}

// readResponse reads the response to request id, of at most limit bytes, into buf if it fits, and returns what follows the id.
func readResponse(r io.Reader, buf []byte, limit int, id uint32) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read a response: %w", err)
	}
	size := int(int32(binary.BigEndian.Uint32(head[:4]))) - 4
	if size < 0 || size > limit {
		return nil, fmt.Errorf("read a response: %d bytes announced, at most %d expected", size, limit)
	}
	if got := binary.BigEndian.Uint32(head[4:]); got != id {
		return nil, fmt.Errorf("read a response: correlation id %d, sent %d", got, id)
	}
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, fmt.Errorf("read a response: %w", err)
	}
	return buf, nil
}

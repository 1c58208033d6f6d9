package myvalue

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

var errCompressed = errors.New("not a compressed column")

// inflater is the scratch memory of MariaDB's COMPRESSED columns.
type inflater struct {
	in    bytes.Reader
	zlib  io.ReadCloser
	flate io.ReadCloser
	out   []byte
}

// maxRatio is more than deflate can reach, so a length that a cell can't hold is refused before memory is taken for it.
const maxRatio = 1040

// column returns the content of a COMPRESSED column's cell, until the next call. A cell is empty, or begins with a byte: 0 in front of
// plain content, or method 8 (zlib) in the high bits, 8 for deflate without zlib's wrapper, and the number of bytes of the length
// that follows, big-endian.
// Source: MariaDB 11.8, sql/field_comp.cc.
func (f *inflater) column(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] == 0 {
		return bytes.TrimPrefix(b, []byte{0}), nil
	}
	size := int(b[0] & 7)
	if b[0]>>4 != 8 || len(b) < 1+size {
		return nil, errCompressed
	}
	length := bigEndian(b[1 : 1+size])
	if length > uint64(len(b))*maxRatio {
		return nil, errCompressed
	}
	f.in.Reset(b[1+size:])
	stream, err := f.stream(b[0]&8 != 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCompressed, err)
	}
	if uint64(cap(f.out)) < length {
		f.out = make([]byte, length)
	}
	f.out = f.out[:length]
	if _, err := io.ReadFull(stream, f.out); err != nil {
		return nil, fmt.Errorf("%w: %w", errCompressed, err)
	}
	if n, err := stream.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) || f.in.Len() > 0 {
		return nil, errCompressed
	}
	return f.out, nil
}

// stream returns a reader of f.in, one that has been made before if there is one.
func (f *inflater) stream(raw bool) (io.Reader, error) {
	if raw {
		if f.flate == nil {
			f.flate = flate.NewReader(&f.in)
			return f.flate, nil
		}
		return f.flate, f.flate.(flate.Resetter).Reset(&f.in, nil)
	}
	if f.zlib == nil {
		var err error
		f.zlib, err = zlib.NewReader(&f.in)
		return f.zlib, err
	}
	return f.zlib, f.zlib.(zlib.Resetter).Reset(&f.in, nil)
}

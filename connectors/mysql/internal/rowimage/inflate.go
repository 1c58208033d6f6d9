package rowimage

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// maxRowEvent is the most that a server writes into one event.
const maxRowEvent = 1 << 30

// maxRatio is more than deflate can reach, so a length that the bytes can't hold is refused before memory is taken for it.
const maxRatio = 1040

var errCompressed = errors.New("not compressed rows")

// inflater is the scratch memory of MariaDB's compressed row events.
type inflater struct {
	in   bytes.Reader
	zlib io.ReadCloser
	out  []byte
}

// rows returns the uncompressed rows, until the next call. They begin with a byte whose highest bit is set, whose next three bits are the
// method, 0 for zlib, and whose lowest three the number of bytes of the length that follows, big-endian.
// Source: MariaDB 11.8, sql/log_event.cc, binlog_buf_compress.
func (f *inflater) rows(b []byte, most int) ([]byte, error) {
	if most == 0 {
		most = maxRowEvent
	}
	if len(b) == 0 || b[0]&0xf0 != 0x80 {
		return nil, errCompressed
	}
	size := int(b[0] & 7)
	if size > 4 || len(b) < 1+size {
		return nil, errCompressed
	}
	var length int
	for _, c := range b[1 : 1+size] {
		length = length<<8 | int(c)
	}
	if length > len(b)*maxRatio {
		return nil, errCompressed
	}
	if length > most {
		return nil, fmt.Errorf("%d bytes uncompressed, at most %d", length, most)
	}
	f.in.Reset(b[1+size:])
	var err error
	if f.zlib == nil {
		f.zlib, err = zlib.NewReader(&f.in)
	} else {
		err = f.zlib.(zlib.Resetter).Reset(&f.in, nil)
	}
	if err != nil {
		f.zlib = nil
		return nil, fmt.Errorf("%w: %w", errCompressed, err)
	}
	if cap(f.out) < length {
		f.out = make([]byte, length)
	}
	f.out = f.out[:length]
	if _, err := io.ReadFull(f.zlib, f.out); err != nil {
		return nil, fmt.Errorf("%w: %w", errCompressed, err)
	}
	if n, err := f.zlib.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) || f.in.Len() > 0 {
		return nil, errCompressed
	}
	return f.out, nil
}

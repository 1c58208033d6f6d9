package mysql

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// maxStatementBytes bounds a compressed statement, as the server's max_allowed_packet does.
const maxStatementBytes = 1 << 30

// inflate reads a compressed statement: a byte with the length of the length in its low bits, the length, most significant byte first, and
// a zlib stream.
// Source: MariaDB 11.8, sql/log_event.cc, query_event_uncompress.
func inflate(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errEvent
	}
	n := int(b[0] & 7)
	if len(b) < 1+n {
		return nil, errEvent
	}
	size := 0
	for _, c := range b[1 : 1+n] {
		size = size<<8 | int(c)
	}
	if size > maxStatementBytes {
		return nil, fmt.Errorf("%d bytes: %w", size, errEvent)
	}
	z, err := zlib.NewReader(bytes.NewReader(b[1+n:]))
	if err != nil {
		return nil, err
	}
	defer z.Close() // nothing to tell: what was read has been checked
	text, err := io.ReadAll(io.LimitReader(z, int64(size)+1))
	if err == nil && len(text) != size {
		err = errEvent
	}
	return text, err
}

package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

var errBatch = errors.New("not a whole record batch")

// parsedBatch is one record batch as it stands in a log.
type parsedBatch struct {
	base       int64
	next       int64 // the first offset behind it, whatever compaction has left of it
	attributes uint16
	producer   producer
	count      int32
	payload    []byte // the records, perhaps compressed
}

func (b *parsedBatch) control() bool { return b.attributes&attrControl != 0 }

// nextBatch takes the first batch off b; ok is false where the rest is not a whole one, which is how a response may end.
// A batch whose checksum is wrong, or of an older format, is change.ErrHalt.
func nextBatch(b []byte) (batch parsedBatch, rest []byte, ok bool, err error) {
	if len(b) < batchHeader {
		return parsedBatch{}, b, false, nil
	}
	be := binary.BigEndian
	base := int64(be.Uint64(b))
	length := int(int32(be.Uint32(b[atLength:])))
	if b[atMagic] != 2 || length < batchHeader-lengthBehind || base < 0 {
		return parsedBatch{}, b, false, fmt.Errorf("%w: offset %d: %w of version 2 (version %d, %d bytes)", change.ErrHalt, base, errBatch, b[atMagic], length)
	}
	if len(b) < length+lengthBehind {
		return parsedBatch{}, b, false, nil
	}
	whole := b[:length+lengthBehind]
	if sum := crc32.Checksum(whole[atAttributes:], castagnoli); sum != be.Uint32(whole[atCRC:]) {
		return parsedBatch{}, b, false, fmt.Errorf("%w: offset %d: %w: wrong checksum", change.ErrHalt, base, errBatch)
	}
	last := int32(be.Uint32(whole[atLastDelta:]))
	count := int32(be.Uint32(whole[atCount:]))
	if last < 0 || count < 0 || base > 1<<62 {
		return parsedBatch{}, b, false, fmt.Errorf("%w: offset %d: %w: %d records to delta %d", change.ErrHalt, base, errBatch, count, last)
	}
	return parsedBatch{base: base, next: base + int64(last) + 1, attributes: be.Uint16(whole[atAttributes:]),
		producer: producer{id: int64(be.Uint64(whole[atProducerID:])), epoch: int16(be.Uint16(whole[atEpoch:]))},
		count:    count, payload: whole[batchHeader:]}, b[length+lengthBehind:], true, nil
}

// recordReader walks a batch's records. What it returns points into the expanded batch.
type recordReader struct {
	base    int64
	next    int64
	left    int32
	b       []byte
	room    *[]byte // what b may lie in; nil: it lies in memory of its own
	headers []codec.Header
}

// open begins to read batch's records.
func (r *recordReader) open(batch *parsedBatch, z *compressor) error {
	by := Compression(batch.attributes & attrCompressed)
	var room []byte
	if r.room != nil {
		room = (*r.room)[:0]
	}
	b, err := z.expand(room, batch.payload, by)
	if err != nil {
		return fmt.Errorf("offset %d: %w", batch.base, err)
	}
	if r.room != nil && by != None {
		*r.room = b
	}
	r.base, r.next, r.left, r.b = batch.base, batch.next, batch.count, b
	return nil
}

// read returns the next record and its offset; false after the last.
func (r *recordReader) read() (rec codec.Record, offset int64, ok bool, err error) {
	if r.left == 0 {
		if len(r.b) > 0 {
			return rec, 0, false, r.broken("bytes behind the last record")
		}
		return rec, 0, false, nil
	}
	r.left--
	size, ok := r.varint()
	if !ok || size < 0 || size > int64(len(r.b)) {
		return rec, 0, false, r.broken("a record's length")
	}
	body := recordReader{base: r.base, b: r.b[:size]}
	r.b = r.b[size:]
	_, ok0 := body.take(1) // attributes
	_, ok1 := body.varint()
	delta, ok2 := body.varint()
	key, ok3 := body.field()
	value, ok4 := body.field()
	n, ok5 := body.varint()
	if !ok0 || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || delta < 0 || delta >= r.next-r.base || n < 0 || n > int64(len(body.b)) {
		return rec, 0, false, r.broken("a record")
	}
	r.headers = r.headers[:0]
	for range n {
		name, ok1 := body.field()
		content, ok2 := body.field()
		if !ok1 || !ok2 {
			return rec, 0, false, r.broken("a header")
		}
		r.headers = append(r.headers, codec.Header{Key: headerName(name), Value: content})
	}
	if len(body.b) > 0 {
		return rec, 0, false, r.broken("bytes behind a record's headers")
	}
	return codec.Record{Key: key, Value: value, Headers: r.headers}, r.base + delta, true, nil
}

// headerName is string(b), without an allocation for our own.
func headerName(b []byte) string {
	switch string(b) {
	case codec.HeaderPosition:
		return codec.HeaderPosition
	case codec.HeaderShape:
		return codec.HeaderShape
	case codec.HeaderSource:
		return codec.HeaderSource
	case codec.HeaderTxn:
		return codec.HeaderTxn
	case codec.HeaderTime:
		return codec.HeaderTime
	case codec.HeaderUnset:
		return codec.HeaderUnset
	case codec.HeaderFormat:
		return codec.HeaderFormat
	case codec.HeaderMarker:
		return codec.HeaderMarker
	case codec.HeaderText:
		return codec.HeaderText
	}
	return string(b)
}

func (r *recordReader) broken(what string) error {
	return fmt.Errorf("%w: batch at offset %d: %w: %s", change.ErrHalt, r.base, errBatch, what)
}

func (r *recordReader) varint() (int64, bool) {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		return 0, false
	}
	r.b = r.b[size:]
	return n, true
}

func (r *recordReader) take(n int64) ([]byte, bool) {
	if n < 0 || n > int64(len(r.b)) {
		return nil, false
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out, true
}

// field reads bytes with their length; -1 is nil, 0 is not.
func (r *recordReader) field() ([]byte, bool) {
	n, ok := r.varint()
	if !ok || n == -1 {
		return nil, ok
	}
	return r.take(n)
}

package rowimage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Inner is an event inside a TRANSACTION_PAYLOAD. It has no checksum, and its header's LogPos says nothing.
type Inner struct {
	Raw    []byte // header and body, until the next Next
	Offset uint64 // where it begins in the uncompressed payload
	Last   bool   // no event follows: the log stands behind the payload once it is handled
}

// Payload decompresses MySQL's TRANSACTION_PAYLOAD events, one event at a time. It is scratch memory that one goroutine owns.
type Payload struct {
	max    int
	zstd   *zstd.Decoder
	in     bytes.Reader
	size   uint64 // of the whole, uncompressed
	offset uint64
	event  []byte
}

// The fields in front of the compressed events: each a type, a length and as many bytes.
// Source: MySQL 9.7, libs/mysql/binlog/event/codecs/binary.h, Transaction_payload::fields.
const (
	payloadHeadEnd  = 0
	payloadSize     = 1
	payloadMethod   = 2
	payloadRawSize  = 3
	methodZstd      = 0
	eventHeaderSize = 19
	eventSizeAt     = 9
	// maxWindow is the window of zstd's highest level, the most that a server's compressor asks for.
	maxWindow = 128 << 20
)

// NewPayload returns a Payload that refuses an inner event above maxBytes.
func NewPayload(maxBytes int) (*Payload, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("make a zstd decoder: %w", err)
	}
	return &Payload{max: maxBytes, zstd: d}, nil
}

// Close frees the decompressor.
func (p *Payload) Close() { p.zstd.Close() }

var errPayload = errors.New("not a transaction payload")

func payloadError(err error) error {
	return fmt.Errorf("transaction payload: %w: %w", err, change.ErrHalt)
}

// Open starts the body of a TRANSACTION_PAYLOAD event, which stays untouched until the last Next.
func (p *Payload) Open(body []byte) error {
	w := wire{b: body}
	method, compressed := uint64(methodZstd), uint64(0)
	haveMethod := false
	p.size, p.offset = 0, 0
	for {
		kind := w.packed()
		if w.bad {
			return payloadError(errShort)
		}
		if kind == payloadHeadEnd {
			break
		}
		f := wire{b: w.take(w.packed())}
		switch kind {
		case payloadSize:
			compressed = f.packed()
		case payloadMethod:
			method, haveMethod = f.packed(), true
		case payloadRawSize:
			p.size = f.packed()
		}
		if f.bad || w.bad {
			return payloadError(errShort)
		}
	}
	if compressed != uint64(len(w.b)) || p.size == 0 || !haveMethod {
		return payloadError(errPayload)
	}
	if method != methodZstd {
		return payloadError(fmt.Errorf("compression %d: set binlog_transaction_compression=OFF", method))
	}
	p.in.Reset(w.b)
	if err := p.zstd.Reset(&p.in); err != nil {
		return payloadError(err)
	}
	return nil
}

// Next returns the next event; io.EOF ends the payload. A payload that is not what its head says is an error.
func (p *Payload) Next() (Inner, error) {
	if p.offset == p.size {
		if n, err := p.zstd.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			return Inner{}, payloadError(errPayload)
		}
		return Inner{}, io.EOF
	}
	p.event = grow(p.event[:0], eventHeaderSize)
	if _, err := io.ReadFull(p.zstd, p.event); err != nil {
		return Inner{}, payloadError(err)
	}
	n := uint64(binary.LittleEndian.Uint32(p.event[eventSizeAt:]))
	switch {
	case n < eventHeaderSize || n > p.size-p.offset:
		return Inner{}, payloadError(errPayload)
	case n > uint64(p.max):
		return Inner{}, payloadError(fmt.Errorf("an event of %d bytes, at most %d", n, p.max))
	}
	if err := p.body(int(n)); err != nil {
		return Inner{}, payloadError(err)
	}
	inner := Inner{Raw: p.event, Offset: p.offset}
	p.offset += n
	inner.Last = p.offset == p.size
	return inner, nil
}

// bodyStep is how much memory is taken at a time for bytes that have not come yet.
const bodyStep = 1 << 20

// body reads the event's body up to n bytes of the whole event.
func (p *Payload) body(n int) error {
	for len(p.event) < n {
		have := len(p.event)
		p.event = grow(p.event, min(n-have, max(bodyStep, have)))
		if _, err := io.ReadFull(p.zstd, p.event[have:]); err != nil {
			return err
		}
	}
	return nil
}

// grow makes b longer by n.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		more := make([]byte, len(b), len(b)+n)
		copy(more, b)
		b = more
	}
	return b[:len(b)+n]
}

package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go/compress"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Compression is how record batches are compressed.
type Compression int8

// The compressions, by their numbers on the wire.
const (
	None Compression = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var compressionNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String returns the name as it stands in the configuration.
func (c Compression) String() string {
	if c >= 0 && int(c) < len(compressionNames) {
		return compressionNames[c]
	}
	return fmt.Sprintf("compression %d", int8(c))
}

// ParseCompression is the inverse of String.
func ParseCompression(s string) (Compression, error) {
	for i, name := range compressionNames {
		if name == s {
			return Compression(i), nil
		}
	}
	return None, fmt.Errorf("compression %q: want one of %v", s, compressionNames)
}

// compressor compresses and expands; it is safe for concurrent use.
type compressor struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	limit   int // bytes that one batch may expand to
}

func newCompressor(limit int) (*compressor, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(batchTarget)) // a window of more than a batch would only be memory
	if err != nil {
		return nil, fmt.Errorf("set up zstd: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("set up zstd: %w", err)
	}
	return &compressor{encoder: encoder, decoder: decoder, limit: limit}, nil
}

func (c *compressor) close() { c.decoder.Close() }

// compress appends src, compressed, to dst.
func (c *compressor) compress(dst, src []byte, by Compression) ([]byte, error) {
	if by == Zstd {
		return c.encoder.EncodeAll(src, dst), nil
	}
	out := bytes.NewBuffer(dst)
	w := compress.Compression(by).Codec().NewWriter(out)
	_, err := w.Write(src)
	if err := errors.Join(err, w.Close()); err != nil {
		return dst, fmt.Errorf("compress by %s: %w", by, err)
	}
	return out.Bytes(), nil
}

// expand returns what src was before it was compressed, in room or, where that is too small, elsewhere. More than the limit is change.ErrHalt: no publisher of ours writes that much.
func (c *compressor) expand(room, src []byte, by Compression) ([]byte, error) {
	var out []byte
	var err error
	switch by {
	case None:
		return src, nil
	case Zstd:
		out, err = c.decoder.DecodeAll(src, room)
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) || len(out) > c.limit {
			return nil, c.bomb(by)
		}
	case Gzip, Snappy, LZ4:
		r := compress.Compression(by).Codec().NewReader(bytes.NewReader(src))
		out, err = io.ReadAll(io.LimitReader(r, int64(c.limit)+1))
		err = errors.Join(err, r.Close())
		if len(out) > c.limit {
			return nil, c.bomb(by)
		}
	default:
		return nil, fmt.Errorf("%w: %s is not known", change.ErrHalt, by)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: expand %s: %w", change.ErrHalt, by, err)
	}
	return out, nil
}

func (c *compressor) bomb(by Compression) error {
	return fmt.Errorf("%w: a %s record batch expands to more than %d bytes", change.ErrHalt, by, c.limit)
}

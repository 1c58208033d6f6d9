package kafka

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// The layout of a record batch, version 2: a fixed header, then the records, perhaps compressed. Offsets into the header.
const (
	atLength       = 8
	atLeaderEpoch  = 12
	atMagic        = 16
	atCRC          = 17
	atAttributes   = 21
	atLastDelta    = 23
	atFirstTime    = 27
	atMaxTime      = 35
	atProducerID   = 43
	atEpoch        = 51
	atSequence     = 53
	atCount        = 57
	batchHeader    = 61
	lengthBehind   = atLeaderEpoch // the length counts what follows it
	attrCompressed = 0x07
	attrControl    = 0x20
	batchTarget    = 1 << 20 // a batch is closed at this size, in bytes before compression
	sequenceMask   = 1<<31 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunk is a record batch in the making, and then on its way. buf begins with room for the header.
type chunk struct {
	buf     []byte // nil once it is packed
	count   int32
	batches []uint64      // indices of the published batches that have records in it, ascending
	once    sync.Once     // of pack
	body    []byte        // set by pack: buf, or packed
	by      Compression   // of body
	wire    []byte        // set by seal: body, with its header
	packed  []byte        // room for the compressed form
	queued  atomic.Bool   // the packer is going to look at it
	first   int32         // sequence of the first record, given when it is first taken to be sent
	after   int64         // where it can't stand in front of, and
	before  int64         // in front of what: a later batch was acknowledged there, and this one was not; 0: none was
	sent    chan struct{} // closed when the partition has it, if anybody waits
}

func newChunk() *chunk { return &chunk{buf: newBody()} }

// record is one record as it is appended: a nil key or value is null.
type record struct {
	key, value []byte
	headers    []codec.Header
	rest       int // of bodySize, all but the place; 0: not measured yet. Nothing of a record changes once it is
}

// bodySize is the record's length as its own prefix says it, for the place that it would take in a batch.
func (r *record) bodySize(delta int32) int {
	if r.rest == 0 {
		r.rest = 2 + fieldSize(r.key) + fieldSize(r.value) + varintSize(int64(len(r.headers)))
		for i := range r.headers {
			h := &r.headers[i]
			r.rest += varintSize(int64(len(h.Key))) + len(h.Key) + varintSize(int64(len(h.Value))) + len(h.Value)
		}
	}
	return r.rest + varintSize(int64(delta))
}

// size is the most that the record takes in a batch, with its prefix.
func (r *record) size() int {
	body := r.bodySize(1 << 30)
	return varintSize(int64(body)) + body
}

// add appends a record.
func (c *chunk) add(r *record) {
	body := r.bodySize(c.count)
	b := c.buf
	if need := len(b) + binary.MaxVarintLen64 + body; need > cap(b) {
		b = append(make([]byte, 0, max(need, 2*cap(b))), b...)
	}
	b = binary.AppendVarint(b, int64(body))
	b = append(b, 0, 0) // attributes; all records share the batch's time
	b = binary.AppendVarint(b, int64(c.count))
	b = appendField(appendField(b, r.key), r.value)
	b = binary.AppendVarint(b, int64(len(r.headers)))
	for i := range r.headers {
		h := &r.headers[i]
		b = binary.AppendVarint(b, int64(len(h.Key)))
		b = append(b, h.Key...)
		b = binary.AppendVarint(b, int64(len(h.Value)))
		b = append(b, h.Value...)
	}
	c.buf = b
	c.count++
}

// fieldSize is the length of appendField's output.
func fieldSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

// appendField appends a key or a value with its length, which is -1 for null.
func appendField(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1)
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

// varintSize is the length of binary.AppendVarint's output.
func varintSize(n int64) int {
	return (bits.Len64(uint64(n<<1)^uint64(n>>63)|1) + 6) / 7
}

// packer is how a publisher compresses.
type packer struct {
	by   Compression
	z    *compressor
	pool *chunkPool
}

// pack compresses the chunk's records, once, whoever comes first: the packing goroutine, or the one that is about to send them.
func (p *packer) pack(c *chunk) (err error) {
	c.once.Do(func() {
		c.body, c.by = c.buf, None
		if p.by == None {
			return
		}
		if cap(c.packed) < batchHeader {
			c.packed = make([]byte, 0, max(batchHeader, len(c.buf)/8))
		}
		if c.packed, err = p.z.compress(c.packed[:batchHeader], c.buf[batchHeader:], p.by); err == nil && len(c.packed) < len(c.buf) {
			c.body, c.by = c.packed, p.by
			p.pool.strip(c)
		}
	})
	return err
}

// seal makes wire of what has been packed: the batch as it goes over the network, the same bytes however often it is sent.
func (c *chunk) seal(p producer) {
	out := c.body
	be := binary.BigEndian
	clear(out[:batchHeader])
	be.PutUint32(out[atLength:], uint32(len(out)-lengthBehind))
	be.PutUint32(out[atLeaderEpoch:], 0xffffffff)
	out[atMagic] = 2
	be.PutUint16(out[atAttributes:], uint16(c.by))
	be.PutUint32(out[atLastDelta:], uint32(c.count-1))
	// Our clock, not the source's: retention counts from here.
	now := uint64(time.Now().UnixMilli())
	be.PutUint64(out[atFirstTime:], now)
	be.PutUint64(out[atMaxTime:], now)
	be.PutUint64(out[atProducerID:], uint64(p.id))
	be.PutUint16(out[atEpoch:], uint16(p.epoch))
	be.PutUint32(out[atSequence:], uint32(c.first))
	be.PutUint32(out[atCount:], uint32(c.count))
	be.PutUint32(out[atCRC:], crc32.Checksum(out[atAttributes:], castagnoli))
	c.wire = out
}

// producer is who writes: the same id with the next epoch at every open.
type producer struct {
	id    int64
	epoch int16
}

// follows says that p has written after o in every partition. Epochs rise within one id; which of two ids is later their numbers don't tell.
func (p producer) follows(o producer) bool { return p.id == o.id && p.epoch > o.epoch }

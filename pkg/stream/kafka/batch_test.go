package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"pgregory.net/rapid"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

func compressorOf(t testing.TB, limit int) *compressor {
	t.Helper()
	z, err := newCompressor(limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(z.close)
	return z
}

type plain struct {
	offset     int64
	key, value string
	null       bool
	headers    string
}

func flat(offset int64, key, value []byte, headers []codec.Header) plain {
	var h strings.Builder
	for _, x := range headers {
		fmt.Fprintf(&h, "%q=%q ", x.Key, x.Value)
	}
	return plain{offset: offset, key: string(key), value: string(value), null: value == nil, headers: h.String()}
}

func drawRecords(t *rapid.T) []record {
	draw := rapid.SliceOfN(rapid.Byte(), 0, 300)
	var out []record
	for i := range rapid.IntRange(1, 40).Draw(t, "records") {
		r := record{key: draw.Draw(t, "key"), value: draw.Draw(t, "value")}
		if r.value == nil {
			r.value = []byte{}
		}
		if rapid.Bool().Draw(t, "tombstone") {
			r.value = nil
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.headers = append(r.headers, codec.Header{Key: fmt.Sprint("h", i), Value: draw.Draw(t, "header")})
		}
		out = append(out, r)
	}
	return out
}

// readAll parses batches with our own parser.
func readAll(b []byte, z *compressor) (out []plain, err error) {
	for {
		batch, rest, ok, err := nextBatch(b)
		if err != nil || !ok {
			return out, err
		}
		var r recordReader
		if err := r.open(&batch, z); err != nil {
			return out, err
		}
		for {
			rec, offset, ok, err := r.read()
			if err != nil {
				return out, err
			}
			if !ok {
				break
			}
			out = append(out, flat(offset, rec.Key, rec.Value, rec.Headers))
		}
		b = rest
	}
}

// readForeign parses one batch with kafka-go.
func readForeign(b []byte) (out []plain, err error) {
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))); err != nil {
		return nil, err
	}
	for {
		r, err := set.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		key, err := protocol.ReadAll(r.Key)
		if err != nil {
			return nil, err
		}
		value, err := protocol.ReadAll(r.Value)
		if err != nil {
			return nil, err
		}
		var headers []codec.Header
		for _, h := range r.Headers {
			headers = append(headers, codec.Header{Key: h.Key, Value: h.Value})
		}
		out = append(out, flat(r.Offset, key, value, headers))
	}
}

// TestBatchReadsTheSameElsewhere: what we write, kafka-go's reader and ours read as it went in, under every compression.
func TestBatchReadsTheSameElsewhere(t *testing.T) {
	t.Parallel()
	z := compressorOf(t, 1<<20)
	for by := None; by <= Zstd; by++ {
		t.Run(by.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				records := drawRecords(t)
				c := newChunk()
				var want []plain
				for i := range records {
					before := len(c.buf)
					c.add(&records[i])
					if took := len(c.buf) - before; took > records[i].size() {
						t.Fatalf("a record took %d bytes, counted as at most %d", took, records[i].size())
					}
					want = append(want, flat(int64(i), records[i].key, records[i].value, records[i].headers))
				}
				c.first = 1<<31 - 2
				if err := finish(c, producer{id: 4711, epoch: 3}, packer{by: by, z: z}); err != nil {
					t.Fatal(err)
				}
				ours, err := readAll(c.wire, z)
				if err != nil || !slices.Equal(ours, want) {
					t.Fatalf("we read %v, %v, want %v", ours, err, want)
				}
				theirs, err := readForeign(c.wire)
				if err != nil || !slices.Equal(theirs, want) {
					t.Fatalf("kafka-go reads %v, %v, want %v", theirs, err, want)
				}
				batch, _, _, _ := nextBatch(c.wire)
				if batch.producer != (producer{id: 4711, epoch: 3}) || batch.next != int64(len(records)) || batch.control() {
					t.Fatalf("the header says %+v", batch)
				}
			})
		})
	}
}

func sealed(t testing.TB, z *compressor, by Compression, values ...string) []byte {
	t.Helper()
	c := newChunk()
	for _, v := range values {
		c.add(&record{key: []byte("k"), value: []byte(v)})
	}
	if err := finish(c, producer{id: 1}, packer{by: by, z: z}); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(c.wire)
}

// resum makes b's checksum right again after a change to it.
func resum(b []byte) []byte {
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

func TestDamagedBatchesHalt(t *testing.T) {
	t.Parallel()
	z := compressorOf(t, 1<<20)
	cases := []struct {
		name   string
		damage func(b []byte) []byte
	}{
		{"a bit flipped", func(b []byte) []byte { b[len(b)-3] ^= 1; return b }},
		{"an older format", func(b []byte) []byte { b[atMagic] = 1; return b }},
		{"a negative length", func(b []byte) []byte { b[atLength] = 0xff; return b }},
		{"more records than there are", func(b []byte) []byte { b[atCount+3]++; return resum(b) }},
		{"fewer records than there are", func(b []byte) []byte { b[atCount+3]--; return resum(b) }},
		{"an offset behind the batch's end", func(b []byte) []byte { b[atLastDelta+3] = 0; return resum(b) }},
		{"an unknown compression", func(b []byte) []byte { b[atAttributes+1] |= 5; return resum(b) }},
		{"said to be compressed", func(b []byte) []byte { b[atAttributes+1] |= byte(Gzip); return resum(b) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := readAll(c.damage(sealed(t, z, None, "one", "two")), z); !errors.Is(err, change.ErrHalt) {
				t.Errorf("read %v, %v, want ErrHalt", got, err)
			}
		})
	}
	whole := sealed(t, z, None, "one", "two")
	for n := range whole {
		if got, err := readAll(whole[:n], z); err != nil || got != nil {
			t.Fatalf("the first %d bytes of a batch were read as %v, %v", n, got, err)
		}
	}
}

func TestBombsAreRefused(t *testing.T) {
	t.Parallel()
	generous, strict := compressorOf(t, 1<<24), compressorOf(t, 1<<20)
	for by := Gzip; by <= Zstd; by++ {
		b := sealed(t, generous, by, strings.Repeat("x", 1<<22))
		if len(b) > 1<<20 {
			t.Fatalf("%s: %d bytes", by, len(b))
		}
		if _, err := readAll(b, strict); !errors.Is(err, change.ErrHalt) {
			t.Errorf("%s: 4 MiB out of %d bytes, at most 1 MiB allowed: %v", by, len(b), err)
		}
		if _, err := readAll(b, generous); err != nil {
			t.Errorf("%s: %v", by, err)
		}
	}
}

func FuzzBatch(f *testing.F) {
	z := compressorOf(f, 1<<20)
	for by := None; by <= Zstd; by++ {
		f.Add(sealed(f, z, by, "one", strings.Repeat("two", 50)), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, fix bool) {
		if fix && len(b) >= batchHeader { // past the checksum
			binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-lengthBehind))
			b[atMagic] = 2
			resum(b)
		}
		_, _ = readAll(b, z) // no panic, no endless loop, nothing huge
	})
}

func FuzzFetchResponse(f *testing.F) {
	be := binary.BigEndian
	b := append(make([]byte, 10), 0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 1)
	b = append(b, make([]byte, 30)...)
	b = be.AppendUint32(b, 0xffffffff)
	b = be.AppendUint32(b, 0xffffffff)
	b = be.AppendUint32(b, 2)
	f.Add(append(b, 1, 2))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseFetch(b)
		f := flight{parts: []part{{lane: &lane{id: change.Lane{Stream: "t"}}}}}
		_ = f.parse(b)
	})
}

func TestParseFetch(t *testing.T) {
	t.Parallel()
	be := binary.BigEndian
	b := append(make([]byte, 10), 0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 1)
	b = be.AppendUint32(b, 7)   // partition
	b = be.AppendUint16(b, 0)   // code
	b = be.AppendUint64(b, 100) // high watermark
	b = be.AppendUint64(b, 99)  // last stable
	b = be.AppendUint64(b, 5)   // log start
	b = be.AppendUint32(b, 1)   // aborted
	b = append(b, make([]byte, 16)...)
	b = be.AppendUint32(b, 0xffffffff) // replica
	b = be.AppendUint32(b, 3)
	b = append(b, "abc"...)
	out, err := parseFetch(b)
	if err != nil || len(out) != 1 {
		t.Fatal(out, err)
	}
	if f := out[0]; f.lane != (change.Lane{Stream: "t", N: 7}) || f.end != 100 || f.logStart != 5 || string(f.records) != "abc" {
		t.Errorf("parsed as %+v", f)
	}
	for n := range b {
		if _, err := parseFetch(b[:n]); err == nil {
			t.Errorf("the first %d bytes were taken for a response", n)
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	c := newChunk()
	r := record{key: []byte(`{"id":1}`), value: make([]byte, 300), headers: []codec.Header{{Key: codec.HeaderPosition, Value: make([]byte, 42)}}}
	for range 1000 {
		c.add(&r)
	}
	n := testing.AllocsPerRun(100, func() {
		c.buf, c.count = c.buf[:batchHeader], 0
		for range 1000 {
			c.add(&r)
		}
	})
	if n != 0 {
		t.Errorf("1000 records cost %v allocations, want 0", n)
	}
}

func BenchmarkSeal(b *testing.B) {
	z := compressorOf(b, 1<<24)
	for by := None; by <= Zstd; by++ {
		b.Run(by.String(), func(b *testing.B) {
			c := newChunk()
			for i := range 2000 {
				c.add(&record{key: fmt.Appendf(nil, `{"id":%d}`, i), value: fmt.Appendf(nil, `{"before":null,"after":{"id":%d,"name":"customer %d","price":"%d.50"},"op":"c"}`, i, i*7, i%100)})
			}
			b.SetBytes(int64(len(c.buf)))
			b.ReportAllocs()
			body := c.buf
			for b.Loop() {
				c.buf, c.once = body, sync.Once{}
				if err := finish(c, producer{id: 1}, packer{by: by, z: z}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(c.wire))/float64(len(body)), "ratio")
		})
	}
}

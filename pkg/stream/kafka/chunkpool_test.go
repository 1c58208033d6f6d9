package kafka

import (
	"bytes"
	"crypto/rand"
	"slices"
	"testing"
)

// finish packs and seals a chunk.
func finish(c *chunk, by producer, p packer) error {
	if p.pool == nil {
		p.pool = &chunkPool{}
	}
	if err := p.pack(c); err != nil {
		return err
	}
	c.seal(by)
	return nil
}

// TestPackedChunkGivesItsRoom: the records' room of a chunk on its way is used again only where the batch's bytes don't lie in it.
func TestPackedChunkGivesItsRoom(t *testing.T) {
	noise := make([]byte, 300)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	z := compressorOf(t, 1<<24)
	for name, tt := range map[string]struct {
		by    Compression
		value []byte
		gives bool
	}{
		"packed":           {Zstd, make([]byte, 300), true},
		"cannot be packed": {Zstd, noise, false},
		"not compressed":   {None, make([]byte, 300), false},
	} {
		t.Run(name, func(t *testing.T) {
			var pool chunkPool
			c := pool.get()
			c.add(&record{value: tt.value})
			if err := finish(c, producer{id: 1}, packer{by: tt.by, z: z, pool: &pool}); err != nil {
				t.Fatal(err)
			}
			wire := slices.Clone(c.wire)
			if gave := c.buf == nil; gave != tt.gives {
				t.Fatalf("the room is given: %v, want %v", gave, tt.gives)
			}
			next := pool.get()
			next.add(&record{value: bytes.Repeat([]byte{7}, 300)})
			if !bytes.Equal(c.wire, wire) {
				t.Error("the next chunk has written into the batch")
			}
			pool.put(c)
			if c = pool.get(); c.buf == nil || len(c.buf) != batchHeader || c.count != 0 {
				t.Errorf("a chunk used again begins with %d bytes and %d records", len(c.buf), c.count)
			}
		})
	}
}

// TestQueuedChunkIsNotUsedAgain: a chunk that has been sent and acknowledged before the packing goroutine came to it is not another chunk then.
func TestQueuedChunkIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	var pool chunkPool
	c := pool.get()
	c.queued.Store(true)
	c.add(&record{value: make([]byte, 300)})
	p := packer{by: Zstd, z: compressorOf(t, 1<<24), pool: &pool}
	if err := finish(c, producer{id: 1}, p); err != nil {
		t.Fatal(err)
	}
	pool.put(c)
	next := pool.get()
	if next == c {
		t.Fatal("the chunk is used again while it is queued")
	}
	next.add(&record{value: make([]byte, 300)})
	wire := slices.Clone(c.wire)
	if err := p.pack(c); err != nil || !bytes.Equal(c.wire, wire) || next.body != nil {
		t.Errorf("packed twice: %v", err)
	}
}

// TestChunkPoolIsBounded: however many chunks come back, what the pool keeps of either kind stays below its bound, and is used again.
func TestChunkPoolIsBounded(t *testing.T) {
	t.Parallel()
	var pool chunkPool
	var out []*chunk
	for range 3 * keptBytes / batchTarget {
		c := pool.get()
		c.add(&record{value: make([]byte, batchTarget)})
		c.packed = make([]byte, 0, batchTarget)
		out = append(out, c)
	}
	for _, c := range out {
		pool.put(c)
	}
	if pool.kept > keptBytes || pool.packed > keptBytes || pool.kept < keptBytes/2 || pool.packed < keptBytes/2 {
		t.Fatalf("the pool keeps %d and %d bytes, its bound is %d", pool.kept, pool.packed, keptBytes)
	}
	for range len(pool.bodies) {
		if c := pool.get(); cap(c.buf) < batchTarget || len(c.buf) != batchHeader {
			t.Fatalf("room of %d bytes, %d in use", cap(c.buf), len(c.buf))
		}
	}
	for range 3 {
		pool.get()
	}
	if pool.kept != 0 || pool.packed != 0 || len(pool.bodies)+len(pool.chunks) != 0 {
		t.Errorf("an empty pool counts %d and %d bytes", pool.kept, pool.packed)
	}
}

package kafka

import "sync"

const (
	bodyFirst = 16 << 10 // room for a chunk's records to begin with; it doubles
	keptBytes = 8 << 20  // most room of either kind that a pool keeps
	chunkSize = 160      // about a chunk without its parts
)

// newBody is room for a chunk's records, behind its header.
func newBody() []byte { return make([]byte, batchHeader, bodyFirst) }

// chunkPool keeps what chunks are made of. A chunk that has been compressed needs the room of its records no more: others fill it while that one
// is on its way. It is a list and not a sync.Pool: that is emptied by each collection, and what it gave away grew again from the beginning,
// which took a quarter of a backlog's CPU.
type chunkPool struct {
	mu     sync.Mutex
	chunks []*chunk // without a body
	packed int      // bytes of room in them
	bodies [][]byte
	kept   int // bytes of room in those
}

func (p *chunkPool) get() *chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c *chunk
	if n := len(p.chunks); n > 0 {
		c, p.chunks[n-1] = p.chunks[n-1], nil
		p.chunks = p.chunks[:n-1]
		p.packed -= c.room()
	} else {
		c = &chunk{}
	}
	if n := len(p.bodies); n > 0 {
		c.buf, p.bodies[n-1] = p.bodies[n-1], nil
		p.bodies = p.bodies[:n-1]
		p.kept -= cap(c.buf)
	} else {
		c.buf = newBody()
	}
	return c
}

// strip takes the records' room of a chunk that has been packed.
func (p *chunkPool) strip(c *chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(c.buf)
	c.buf = nil
}

// keep keeps a body. p.mu is held.
func (p *chunkPool) keep(body []byte) {
	if p.kept+cap(body) <= keptBytes {
		p.kept += cap(body)
		p.bodies = append(p.bodies, body[:batchHeader])
	}
}

// put takes back a chunk that has been sealed and is needed no more.
func (p *chunkPool) put(c *chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.queued.Load() {
		return // the packer still holds it
	}
	if c.buf != nil {
		p.keep(c.buf)
	}
	c.reset()
	if p.packed+c.room() <= keptBytes {
		p.packed += c.room()
		p.chunks = append(p.chunks, c)
	}
}

// room is about what a chunk without a body takes, in bytes.
func (c *chunk) room() int { return chunkSize + cap(c.packed) + 8*cap(c.batches) }

// reset keeps the room of what c was, but for its body.
func (c *chunk) reset() { *c = chunk{batches: c.batches[:0], packed: c.packed[:0]} }

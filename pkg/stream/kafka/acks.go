package kafka

import "sync"

// acks counts, for every published batch, what of it is not acknowledged yet, and tells how many are acknowledged whole without a gap
// before them.
type acks struct {
	mu     sync.Mutex
	first  uint64 // index of pending[0]
	open   []pending
	out    chan uint64
	closed bool
}

type pending struct {
	parts int32 // chunks that hold records of it, and one while it is being encoded
	size  int64
}

func newAcks() *acks { return &acks{out: make(chan uint64, 1)} }

// begin takes the next batch in and returns its index; it holds one part.
func (a *acks) begin(size int64) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = append(a.open, pending{parts: 1, size: size})
	return a.first + uint64(len(a.open)) - 1
}

// hold adds a part to a batch.
func (a *acks) hold(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open[index-a.first].parts++
}

// done takes one part off each of indices and returns the bytes of the batches that are now acknowledged whole, in order.
// Their count replaces whatever stands in the channel.
func (a *acks) done(indices ...uint64) (freed int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, i := range indices {
		a.open[i-a.first].parts--
	}
	n := 0
	for n < len(a.open) && a.open[n].parts == 0 {
		freed += a.open[n].size
		n++
	}
	if n == 0 || a.closed {
		return freed
	}
	a.open = a.open[n:]
	a.first += uint64(n)
	select {
	case <-a.out:
	default:
	}
	a.out <- a.first // there is room: only this method sends
	return freed
}

// close closes the channel; a count that stands in it can still be read.
func (a *acks) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.closed = true
		close(a.out)
	}
}

package kafka_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// liar stands between a test and a broker of its own, holds each answer back for a while, and says REQUEST_TIMED_OUT to the first batch of a
// topic, which the broker has taken.
type liar struct {
	topic []byte
	lied  atomic.Bool
}

func (l *liar) start(t testing.TB) *testenv.Broker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	private := testenv.StartKafka(t, "advertised.listeners=PLAINTEXT://"+address)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []net.Conn
	wg.Go(func() {
		for near, err := listener.Accept(); err == nil; near, err = listener.Accept() {
			broker, err := net.Dial("tcp", private.Addr)
			if err != nil {
				t.Log(errors.Join(err, near.Close()))
				continue
			}
			mu.Lock()
			all = append(all, near, broker)
			mu.Unlock()
			var batch atomic.Int64 // correlation of the request that holds it, plus one
			wg.Go(func() { l.relay(broker, near, func(b []byte) { l.request(b, &batch) }) })
			wg.Go(func() {
				l.relay(near, broker, func(b []byte) {
					<-time.After(30 * time.Millisecond)
					if int64(binary.BigEndian.Uint32(b))+1 == batch.Load() {
						l.spoil(b)
					}
				})
			})
		}
	})
	t.Cleanup(func() { // before the broker's own
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		mu.Lock()
		for _, c := range all {
			_ = c.Close() // its readers see it
		}
		mu.Unlock()
		wg.Wait()
	})
	return &testenv.Broker{Addr: address}
}

// relay copies messages, each with its length in front, and closes both connections at the end.
func (l *liar) relay(to, from net.Conn, look func(b []byte)) {
	defer to.Close()
	defer from.Close()
	var size [4]byte
	for {
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, b); err != nil {
			return
		}
		look(b)
		if _, err := to.Write(append(size[:], b...)); err != nil {
			return
		}
	}
}

func (l *liar) request(b []byte, batch *atomic.Int64) {
	const produce = 0
	if binary.BigEndian.Uint16(b) == produce && bytes.Contains(b[:min(len(b), 120)], l.topic) && !l.lied.Swap(true) {
		batch.Store(int64(binary.BigEndian.Uint32(b[4:])) + 1)
	}
}

// spoil changes the answer of the only partition.
func (l *liar) spoil(b []byte) {
	const timedOut = 7
	at := 4 + 4 + 2 + int(binary.BigEndian.Uint16(b[8:])) + 4 + 4
	binary.BigEndian.PutUint16(b[at:], timedOut)
	binary.BigEndian.PutUint64(b[at+2:], 1<<64-1)
}

// TestTimedOutAndAppended: a broker that waited in vain for its followers has a batch all the same, and takes those behind it. When the batch is
// sent again, the answer is where it stands: in front of what has been acknowledged meanwhile.
func TestTimedOutAndAppended(t *testing.T) {
	t.Parallel()
	l := &liar{topic: []byte("orders")}
	broker := l.start(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	const batches = 200
	var all []change.Batch
	for i := range batches {
		all = append(all, rows(table, 1, uint64(i+1), 5))
	}
	publish(t, p, all...)
	for n := range p.Acked() {
		if n == batches {
			break
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if !l.lied.Load() {
		t.Error("no batch was said to have timed out")
	}
	inOrder(t, cfg, fetch(t, s, batches*5), batches*5)
}

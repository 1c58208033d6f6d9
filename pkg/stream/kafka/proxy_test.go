package kafka_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// wire stands between a test and a broker of its own: every byte takes delay, in each direction, and all connections can be cut.
type wire struct {
	*testenv.Broker
	delay    time.Duration
	listener net.Listener

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// far starts a broker at the end of a wire.
func far(t testing.TB, delay time.Duration) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	private := testenv.StartKafka(t, "advertised.listeners=PLAINTEXT://"+address)
	w := &wire{Broker: &testenv.Broker{Addr: address}, delay: delay, listener: listener, open: map[net.Conn]struct{}{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for near, err := listener.Accept(); err == nil; near, err = listener.Accept() {
			wg.Go(func() { w.relay(t, near, private.Addr) })
		}
	})
	t.Cleanup(func() { // before the broker's own
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		w.cut()
		wg.Wait()
	})
	return w
}

// cut ends all connections; what is on its way arrives at the broker or doesn't.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close() // its readers see it
	}
}

func (w *wire) relay(t testing.TB, near net.Conn, address string) {
	broker, err := net.Dial("tcp", address)
	if err != nil {
		t.Log(errors.Join(err, near.Close()))
		return
	}
	w.mu.Lock()
	w.open[near] = struct{}{}
	w.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { late(broker, near, w.delay) })
	wg.Go(func() { late(near, broker, w.delay) })
	wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, near)
}

type parcel struct {
	bytes []byte
	due   time.Time
}

// late copies from one connection to the other, each byte a delay after it came, and closes both at the end.
func late(to, from net.Conn, delay time.Duration) {
	parcels := make(chan parcel, 1<<12)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer to.Close()
		for p := range parcels {
			<-time.After(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // and so the reader ends
			}
		}
	})
	for buf := make([]byte, 64<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			parcels <- parcel{bytes: append([]byte(nil), buf[:n]...), due: time.Now().Add(delay)}
		}
		if err != nil {
			close(parcels)
			wg.Wait()
			return
		}
	}
}

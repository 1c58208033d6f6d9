package sinktest

import (
	"net"
	"sync"
	"testing"
)

// proxy passes bytes on to a target, counts them, and cuts all connections where it is told to.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	passed  [2]int64 // bytes to the target, and from it
	limit   [2]int64 // cut once so many have passed; 0: never
	closing bool
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.closing = true
		p.cut()
		p.mu.Unlock()
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// count returns the bytes that have passed since the last call.
func (p *proxy) count() (out, in int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, in = p.passed[0], p.passed[1]
	p.passed = [2]int64{}
	return out, in
}

// cutAfter cuts all connections after so many bytes in a direction from now on; 0 lets that direction pass.
func (p *proxy) cutAfter(out, in int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.limit = [2]int64{}, [2]int64{out, in}
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		if p.closing {
			p.cut()
		}
		p.mu.Unlock()
		p.wg.Go(func() { p.pass(0, client, server) })
		p.wg.Go(func() { p.pass(1, server, client) })
	}
}

// pass copies from one end to the other until one of them ends.
func (p *proxy) pass(direction int, from, to net.Conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, from)
		_, _ = from.Close(), to.Close()
	}()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, werr := to.Write(b[:p.allow(direction, n)]); werr != nil {
				return
			}
			if p.spent(direction) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// allow returns how many of n bytes may pass.
func (p *proxy) allow(direction, n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := p.limit[direction]; limit > 0 && p.passed[direction]+int64(n) > limit {
		n = int(max(0, limit-p.passed[direction]))
	}
	p.passed[direction] += int64(n)
	return n
}

// spent cuts everything if the direction's limit is reached.
func (p *proxy) spent(direction int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := p.limit[direction]; limit == 0 || p.passed[direction] < limit {
		return false
	}
	p.cut()
	return true
}

func (p *proxy) cut() {
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

var errClosed = errors.New("the stream is closed")

const dialTimeout = 5 * time.Second

// sockets holds every open connection, so that Close can end those too on which a broker doesn't answer.
type sockets struct {
	mu     sync.Mutex
	open   map[*socket]struct{}
	closed bool
}

type socket struct {
	net.Conn
	set *sockets
}

func (s *sockets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close() // nothing was sent on it
		return nil, errClosed
	}
	c := &socket{Conn: conn, set: s}
	s.open[c] = struct{}{}
	return c, nil
}

// Close ends the connection and forgets it.
func (c *socket) Close() error {
	c.set.mu.Lock()
	delete(c.set.open, c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// close ends all connections; later dials are refused.
func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	open := make([]*socket, 0, len(s.open))
	for c := range s.open {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // whoever reads from it gets the error
	}
}

package postgres

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A backlog comes at busyBytes in busyTime or faster. No load whose changes somebody waits for does: that is some 50,000 rows/s.
const (
	busyBytes = 16 << 10
	busyTime  = 2 * time.Millisecond
	gather    = time.Millisecond // between two reads of a backlog
)

// paced is a socket that lets a backlog gather before it is read. A walsender sends a message at a time, so that a reader which is always
// there is woken for each of them, and each travels as a packet of its own: more than half of what a row costs the server. It stands
// beneath TLS, which brings a record at a time and doesn't show whether more has come. One goroutine reads.
type paced struct {
	net.Conn
	now  func() time.Time
	wait func(time.Duration)

	bytes int // came since the time
	since time.Time
	busy  bool // all that has come was read, and it came fast
}

// pace has the connections of config wait for a backlog.
func pace(config *pgconn.Config) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &paced{Conn: conn, now: time.Now, wait: time.Sleep}, nil
	}
}

// Read reads the socket, a moment later where it is a backlog's.
func (p *paced) Read(b []byte) (int, error) {
	if p.busy {
		p.busy = false
		p.wait(gather)
	}
	n, err := p.Conn.Read(b)
	if p.bytes += n; p.bytes >= busyBytes && n < len(b) {
		now := p.now()
		p.busy = now.Sub(p.since) <= busyTime*time.Duration(p.bytes)/busyBytes
		p.bytes, p.since = 0, now
	}
	return n, err
}

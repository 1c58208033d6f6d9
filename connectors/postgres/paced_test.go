package postgres

import (
	"net"
	"testing"
	"time"
)

// trickle is a socket that brings so many bytes, or as many as are asked for, each some time after the last.
type trickle struct {
	net.Conn
	clock *time.Time
	bytes int
	after time.Duration
}

func (s *trickle) Read(b []byte) (int, error) {
	*s.clock = s.clock.Add(s.after)
	return min(s.bytes, len(b)), nil
}

// TestOnlyABacklogIsWaitedFor: a read is late where what there was has been read and it came at the rate of a backlog, and nowhere else.
func TestOnlyABacklogIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bytes, room int
		after       time.Duration
		waits       int // of 1,000 reads
	}{
		"a thousand rows a second":          {bytes: 700, room: 1 << 20, after: time.Millisecond},
		"half of a backlog's rate":          {bytes: 4 << 10, room: 1 << 20, after: time.Millisecond},
		"large rows, one at a time":         {bytes: 64 << 10, room: 1 << 20, after: 9 * time.Millisecond},
		"a backlog":                         {bytes: 32 << 10, room: 1 << 20, after: time.Millisecond, waits: 999},
		"a backlog in small messages":       {bytes: 160, room: 1 << 20, after: 5 * time.Microsecond, waits: 9},
		"a backlog of which more is there":  {bytes: 1 << 20, room: 1 << 20, after: time.Millisecond},
		"a backlog's records under TLS":     {bytes: 1 << 20, room: 700, after: time.Microsecond},
		"a burst each two months":           {bytes: 64 << 10, room: 1 << 20, after: 1440 * time.Hour},
		"as many bytes as make the border":  {bytes: busyBytes, room: 1 << 20, after: busyTime, waits: 999},
		"a byte less than makes the border": {bytes: busyBytes - 1, room: 1 << 20, after: busyTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := time.Unix(0, 0)
			waits := 0
			p := &paced{Conn: &trickle{clock: &clock, bytes: c.bytes, after: c.after}, now: func() time.Time { return clock }, since: clock, wait: func(d time.Duration) {
				if d != gather {
					t.Errorf("waited %s", d)
				}
				waits++
			}}
			b := make([]byte, c.room)
			for range 1000 {
				if _, err := p.Read(b); err != nil {
					t.Fatal(err)
				}
			}
			if waits != c.waits {
				t.Errorf("waited %d times, want %d", waits, c.waits)
			}
		})
	}
}

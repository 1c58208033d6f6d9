package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// errAbsent: the cluster knows no such topic, or no such partition of it.
var errAbsent = errors.New("no such partition")

// absentFor is how long a partition has to be unknown before it is taken for deleted: a broker that starts may not know of it yet.
const absentFor = 10 * time.Second

// leaderNow asks for a lane's leader as it is now.
func (c *client) leaderNow(ctx context.Context, l change.Lane) (int32, error) {
	found, err := c.topics(ctx, l.Stream)
	if err != nil {
		return -1, err
	}
	if int(l.N) >= len(found[l.Stream].Partitions) {
		return -1, errAbsent
	}
	if broker := c.leader(l); broker >= 0 {
		return broker, nil
	}
	return -1, errNoLeader
}

// absence is since when a lane that we publish to has not been there.
type absence struct{ since time.Time }

// judge makes of an error of leaderNow what it means: change.ErrGap once the topic counts as deleted. Made anew it would begin with
// whatever comes next.
func (a *absence) judge(l *lane, err error) error {
	if !errors.Is(err, errAbsent) {
		a.since = time.Time{}
		return err
	}
	if a.since.IsZero() {
		a.since = time.Now()
	}
	if time.Since(a.since) < absentFor {
		return err
	}
	return gone(l.id, "is not there any more")
}

// follows says that a batch of ours which begins at offset base stands behind all that has been acknowledged before.
func (l *lane) follows(c *chunk, base int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if base < l.next {
		return gone(l.id, fmt.Sprintf("was acknowledged up to offset %d, and goes on at %d: it was made anew, or a broker has lost its end", l.next-1, base))
	}
	l.next = base + int64(c.count)
	return nil
}

// gone is the gap of a topic that has lost what was acknowledged.
func gone(l change.Lane, what string) error {
	return fmt.Errorf("%w: topic %s partition %d %s; what it held is published again only by a new snapshot: restore the topic, or stop, and start with --new-epoch, which reads all rows again",
		change.ErrGap, l.Stream, l.N, what)
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

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

// over says that a partition has been unknown for so long that it counts as deleted.
func (a *absence) over(err error) bool {
	if !errors.Is(err, errAbsent) {
		a.since = time.Time{}
		return false
	}
	if a.since.IsZero() {
		a.since = time.Now()
	}
	return time.Since(a.since) >= absentFor
}

// stillThere refuses topics of which something was acknowledged before and that hold nothing now (invariant 5): made anew, they would
// begin with whatever comes next. Retention leaves a topic's end where it is, so one that ends at 0 is another topic.
func (p *publisher) stillThere(specs []topicSpec) error {
	for _, spec := range specs {
		if !spec.announced {
			continue
		}
		lanes, err := p.present(spec.name)
		if err != nil {
			return err
		}
		ends, err := p.s.client.offsets(p.ctx, lanes, kafkago.LastOffset)
		if err != nil {
			return err
		}
		for _, l := range lanes {
			if ends[l] == 0 {
				return gone(l, "was made anew and has never held anything")
			}
		}
	}
	return nil
}

// present is the partitions of a topic that has to be there.
func (p *publisher) present(topic string) ([]change.Lane, error) {
	var pause backOff
	for absent := (absence{}); ; {
		lanes, err := p.s.lanes(p.ctx, []string{topic})
		switch {
		case err == nil && len(lanes) > 0:
			return lanes, nil
		case err == nil && absent.over(errAbsent):
			return nil, gone(change.Lane{Stream: topic}, "is not there any more")
		case err != nil && !passing(err):
			return nil, err
		}
		if err := pause.wait(p.ctx); err != nil {
			return nil, err
		}
	}
}

// follows says that a batch of ours which begins at offset base stands behind all that has been acknowledged before. One that was appended and
// not acknowledged, for the broker waited in vain for its followers, is sent again when those behind it may have been: it stands in front of these.
func (l *lane) follows(c *chunk, base int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case base >= l.next:
	case c.before != 0 && c.after <= base && base+int64(c.count) <= c.before:
		return nil
	case l == l.p.meta: // the next opening writes what is missing
		return fmt.Errorf("%s was acknowledged up to offset %d and goes on at %d: %w", l.id.Stream, l.next-1, base, kafkago.OffsetOutOfRange)
	default:
		return gone(l.id, fmt.Sprintf("was acknowledged up to offset %d, and goes on at %d: it was made anew, or a broker has lost its end", l.next-1, base))
	}
	l.next = base + int64(c.count)
	for _, f := range l.failed {
		if f.before == 0 {
			f.before = base
		}
	}
	return nil
}

// gone is the gap of a topic that has lost what was acknowledged.
func gone(l change.Lane, what string) error {
	return fmt.Errorf("%w: topic %s partition %d %s; what it held is published again only by a new snapshot: restore the topic, or begin anew: tailwater drop the pipeline, empty its target tables, delete its topics, start (docs/continuity.md)",
		change.ErrGap, l.Stream, l.N, what)
}

package direct

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// Config says what a Stream connects.
type Config struct {
	SourceID    string       // the stream's name in every Lane
	Sinks       []string     // names; a batch is acknowledged when each of them has committed it
	MemoryBytes int          // what batches that are not acknowledged may hold together; one batch may exceed it alone
	AheadBytes  int          // the same where a transaction that has ended is among them; 0: MemoryBytes
	Atomic      bool         // keep source transactions whole: one lane
	Lanes       int          // how many lanes if not Atomic; below 2: one
	Log         *slog.Logger // nil: silent
}

var (
	errClosed   = errors.New("stream is closed")
	errConfig   = fmt.Errorf("direct stream: want a source id, at least one sink and a memory share: %w", change.ErrPreflight)
	errNotOurs  = errors.New("no such delivery is outstanding")
	errReplaced = fmt.Errorf("a newer one has been opened: %w", change.ErrFenced)
)

// Stream is a stream.Stream inside one process. Its methods may be called from several goroutines.
type Stream struct {
	cfg   Config
	lanes int
	log   *slog.Logger

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever a waiter may go on
	closed  bool
	pub     *publisher         // nil: none open
	queue   []entry            // entries base, base+1, ...
	base    uint64             // number of queue[0]; entry numbers never repeat
	bytes   int                // held by queue
	blocked int                // bytes of the batch that waits for room, 0: none
	ended   cursor             // what is published up to here can be handed out, whatever follows
	last    change.Position    // Pos of the last change published
	highest change.Position    // all that has been published stands at or below it
	members map[string]*member // one for each of cfg.Sinks
}

var _ stream.Stream = (*Stream)(nil)

// New returns a stream that nobody publishes to yet.
func New(cfg Config) *Stream {
	s := &Stream{cfg: cfg, lanes: 1, log: cfg.Log, changed: make(chan struct{}), members: map[string]*member{}}
	if !cfg.Atomic && cfg.Lanes > 1 {
		s.lanes = cfg.Lanes
	}
	if s.cfg.AheadBytes <= 0 {
		s.cfg.AheadBytes = s.cfg.MemoryBytes
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, name := range cfg.Sinks {
		s.members[name] = &member{name: name, lanes: make([]lane, s.lanes)}
	}
	return s
}

// Known is 0: the sinks' marks tell.
func (s *Stream) Known(context.Context) (uint32, error) { return 0, nil }

// Publisher opens the one publisher. An older one is fenced, and what it had queued and no sink has committed is dropped: the new one
// replays it.
func (s *Stream) Publisher(_ context.Context, start stream.Start) (stream.Publisher, error) {
	if s.cfg.SourceID == "" || len(s.members) == 0 || s.cfg.MemoryBytes <= 0 {
		return nil, errConfig
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.pub != nil {
		s.pub.end(errReplaced)
	}
	next := s.next()
	s.queue, s.base, s.bytes, s.ended, s.last = nil, next, 0, cursor{n: next}, change.Position{}
	for _, m := range s.members {
		for i := range m.lanes {
			m.lanes[i].read, m.lanes[i].done = cursor{n: next}, cursor{n: next}
		}
	}
	s.pub = &publisher{stream: s, first: next, saved: start.Saved, acked: make(chan uint64, 1)}
	s.wake()
	return s.pub, nil
}

// Subscriber opens the subscriber of one of the configured sinks; an older one of that sink is fenced. What had been handed
// out to it and not committed comes again.
func (s *Stream) Subscriber(ctx context.Context, sub stream.Subscription) (stream.Subscriber, error) {
	m := s.members[sub.Sink]
	if m == nil {
		return nil, fmt.Errorf("direct stream %s has no sink %q: %w", s.cfg.SourceID, sub.Sink, change.ErrPreflight)
	}
	u := &subscriber{stream: s, member: m, lost: make(chan struct{})}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	if m.sub != nil {
		m.sub.end(errReplaced)
	}
	m.sub = u
	s.wake()
	s.mu.Unlock()

	marks, err := sub.Begin(ctx, s.all())
	if err == nil && len(marks) != 0 && len(marks) != s.lanes {
		err = fmt.Errorf("sink %s has marks of %d lanes of %s, %d are configured: the number of lanes can't change under a target: %w",
			sub.Sink, len(marks), s.cfg.SourceID, s.lanes, change.ErrPreflight)
	}
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ended {
		return nil, fmt.Errorf("subscribe %s to %s: %w", sub.Sink, s.cfg.SourceID, u.err)
	}
	m.begin(marks)
	s.wake()
	return u, nil
}

// Close ends every publisher and subscriber.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.pub != nil {
		s.pub.end(errClosed)
	}
	for _, m := range s.members {
		if m.sub != nil {
			m.sub.end(errClosed)
		}
	}
	s.wake()
	return nil
}

func (s *Stream) all() []change.Lane {
	lanes := make([]change.Lane, s.lanes)
	for i := range lanes {
		lanes[i] = change.Lane{Stream: s.cfg.SourceID, N: int32(i)}
	}
	return lanes
}

// full says that a batch of so many bytes has to wait (invariant 9). What can be handed out only bridges the time between a sink's calls: more of it
// would be read no sooner, and scanned by the collector again and again. A transaction that has not ended takes all the room there is. The caller holds mu.
func (s *Stream) full(bytes int) bool {
	switch {
	case len(s.queue) == 0:
		return false
	case s.bytes+bytes > s.cfg.MemoryBytes:
		return true
	case s.bytes+bytes <= s.cfg.AheadBytes:
		return false
	}
	for _, m := range s.members {
		for i := range m.lanes {
			if m.lanes[i].done.less(s.ended) {
				return true
			}
		}
	}
	return false
}

// next is the number that the next entry will have.
func (s *Stream) next() uint64 { return s.base + uint64(len(s.queue)) }

func (s *Stream) at(n uint64) *entry { return &s.queue[n-s.base] }

// wake lets every waiter look again. The caller holds mu.
func (s *Stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait gives mu up until something has changed. The caller holds mu, and holds it again afterwards.
func (s *Stream) wait(ctx context.Context) error {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

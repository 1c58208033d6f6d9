package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// shapes is what the schema topic holds as far as it has been read: one *change.Table for each fingerprint. Several goroutines may
// read on at once; what two of them have read counts once.
type shapes struct {
	s    *Stream
	lane change.Lane

	mu     sync.Mutex
	next   int64
	tables map[string]*known
	ours   map[string]bool // topics of our source id
	grown  chan struct{}   // closed and made anew when ours has grown
}

// known is a shape that has been read.
type known struct {
	table *change.Table
	given bool // to a reader, for whom one shape has one pointer
}

func newShapes(s *Stream) *shapes {
	return &shapes{s: s, lane: change.Lane{Stream: s.cfg.schemaTopic()}, tables: map[string]*known{}, ours: map[string]bool{},
		grown: make(chan struct{})}
}

// lookup is codec.Lookup over what has been read.
func (h *shapes) lookup(fingerprint string) (*change.Table, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if k, ok := h.tables[fingerprint]; ok {
		k.given = true
		return k.table, nil
	}
	return nil, fmt.Errorf("%w %.64q in %s", codec.ErrUnknownShape, fingerprint, h.lane.Stream)
}

// adopt says that t's shape has been read. Where no reader has asked for it, t itself stands for it from then on: of thousands of tables a process
// that captures keeps one Table each.
func (h *shapes) adopt(fingerprint string, t *change.Table) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.tables[fingerprint]
	if ok && !k.given {
		k.table = t
	}
	return ok
}

// topics is the topics of our source id that shapes name, in order.
func (h *shapes) topics() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.ours))
}

// watch is topics, and a channel that is closed when there are more.
func (h *shapes) watch() ([]string, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.ours)), h.grown
}

// refresh reads the schema topic to its end as of now; it may not exist yet.
func (h *shapes) refresh(ctx context.Context) error {
	return h.s.client.retry(ctx, func() error {
		found, err := h.s.client.topics(ctx, h.lane.Stream)
		if err != nil {
			return err
		}
		if _, ok := found[h.lane.Stream]; !ok {
			return nil
		}
		ends, err := h.s.client.offsets(ctx, []change.Lane{h.lane}, kafkago.LastOffset)
		if err != nil {
			return err
		}
		for h.cursor() < ends[h.lane] {
			if err := h.read(ctx, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *shapes) cursor() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// read reads what comes within wait.
func (h *shapes) read(ctx context.Context, wait time.Duration) error {
	from := h.cursor()
	f, err := h.s.client.fetchOne(ctx, fetchLane{lane: h.lane, offset: from, maxBytes: 4 << 20}, wait)
	if err != nil {
		return fmt.Errorf("read %s: %w", h.lane.Stream, err)
	}
	if f.code == kafkago.OffsetOutOfRange { // it begins higher, or was made anew: what it holds now counts as well
		h.mu.Lock()
		h.next = f.logStart
		h.mu.Unlock()
		if f.logStart < 0 || f.logStart == from {
			return fmt.Errorf("read %s from %d: %w", h.lane.Stream, from, f.code)
		}
		return nil
	}
	if f.code != 0 {
		h.s.client.forget(h.lane.Stream)
		return fmt.Errorf("read %s: %w", h.lane.Stream, classify(f.code))
	}
	for b := f.records; ; {
		batch, rest, ok, err := nextBatch(b)
		if err != nil {
			return fmt.Errorf("read %s: %w", h.lane.Stream, err)
		}
		if !ok {
			return nil
		}
		if err := h.add(&batch); err != nil {
			return fmt.Errorf("read %s: %w", h.lane.Stream, err)
		}
		b = rest
	}
}

func (h *shapes) add(batch *parsedBatch) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if batch.next <= h.next {
		return nil
	}
	if batch.control() {
		h.next = batch.next
		return nil
	}
	var r recordReader
	if err := r.open(batch, h.s.z); err != nil {
		return err
	}
	for {
		rec, offset, ok, err := r.read()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		fingerprint, t, err := codec.ParseSchemaRecord(rec.Key, rec.Value)
		if err != nil {
			return fmt.Errorf("offset %d: %w", offset, err)
		}
		if err := h.know(fingerprint, t); err != nil {
			return fmt.Errorf("offset %d: %w", offset, err)
		}
	}
	h.next = batch.next
	return nil
}

// know takes in one shape. h.mu is held.
func (h *shapes) know(fingerprint string, t *change.Table) error {
	if _, ok := h.tables[fingerprint]; ok {
		return nil
	}
	h.tables[fingerprint] = &known{table: t}
	if t.Source != h.s.cfg.SourceID {
		// Another pipeline under our prefix. Its template may not be ours, so a name that can't be is its own affair.
		if _, err := h.s.names.topic(t); err != nil && !errors.Is(err, change.ErrPreflight) {
			return err
		}
		return nil
	}
	topic, err := h.s.names.topic(t)
	if err != nil {
		return err
	}
	if !h.ours[topic] {
		h.ours[topic] = true
		close(h.grown)
		h.grown = make(chan struct{})
	}
	return nil
}

// fetchOne fetches one lane from its leader.
func (c *client) fetchOne(ctx context.Context, l fetchLane, wait time.Duration) (fetched, error) {
	groups, err := c.byLeader(ctx, []change.Lane{l.lane})
	if err != nil {
		return fetched{}, err
	}
	for broker := range groups {
		out, err := c.fetch(ctx, broker, []fetchLane{l}, wait)
		if err != nil {
			return fetched{}, err
		}
		if len(out) == 1 && out[0].lane == l.lane {
			return out[0], nil
		}
	}
	return fetched{}, fmt.Errorf("fetch %s/%d: the response is of something else", l.lane.Stream, l.lane.N)
}

// wrote takes in shapes that the publisher has written, ahead of reading them.
func (h *shapes) wrote(e *codec.Encoder, tables []*change.Table) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range tables {
		plan, err := e.Plan(t)
		if err != nil {
			return err
		}
		if err := h.know(plan.Fingerprint(), t); err != nil {
			return err
		}
	}
	return nil
}

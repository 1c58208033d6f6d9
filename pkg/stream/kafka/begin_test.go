package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestMarksThatDontFitAreGaps(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	publish(t, p, rows(table, 1, 10, 3)) // offset 0 is the fence's marker, 1 to 3 the rows
	acked(t, p, 1)
	closed(t, p)
	p = publisher(t, s, 2)
	publish(t, p, rows(table, 2, 1, 1)) // offset 4 is its fence's, 5 the row
	acked(t, p, 1)
	closed(t, p)
	pos := func(i int) change.Position { return rows(table, 1, 10, 3).Changes[i].Pos }
	later := pos(2)
	later.Commit++
	between := pos(1)
	between.Seq++
	cases := []struct {
		name string
		next int64
		pos  change.Position
		gap  bool
	}{
		{"at the last record", 4, pos(2), false},
		{"in the middle", 2, pos(0), false},
		{"a prefix of the next delivery is applied", 2, pos(1), false},
		{"all of the next delivery is applied", 2, pos(2), false},
		{"a prefix of the first delivery is applied", 0, pos(1), false},
		{"a Position that no record has", 2, between, true},
		{"a Position that no record has, at the first offset", 0, between, true},
		{"a Position that no record has, behind the fence's control batch", 1, between, true},
		{"the record is newer than the mark", 3, pos(0), true},
		{"the record is older than the mark", 4, later, true},
		{"beyond the end", 50, pos(2), true},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, cfg)
			sub := subscriber(t, s, fmt.Sprint("sink", i), change.Mark{Lane: change.Lane{Stream: cfg.Prefix + ".public.orders"}, Next: c.next, Pos: c.pos})
			if c.gap {
				if err := failure(t, sub); !errors.Is(err, change.ErrGap) {
					t.Errorf("ended with %v, want ErrGap", err)
				}
				return
			}
			defer closed(t, sub)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			d, err := sub.Fetch(ctx, 1<<20)
			if err != nil || d.From[0].Next != c.next || d.From[0].Pos != c.pos {
				t.Errorf("the first delivery is from %+v, %v", d.From, err)
			}
		})
	}
}

// TestMarkOfAnotherTopic: a mark of a topic that has been made anew since, with fewer records and with more, older and newer ones.
func TestMarkOfAnotherTopic(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cases := []struct {
		name  string
		holds []change.Batch
	}{
		{"fewer, older", []change.Batch{rows(nil, 1, 5, 2)}},
		{"as many, older", []change.Batch{rows(nil, 1, 5, 3)}},
		{"more, older", []change.Batch{rows(nil, 1, 5, 9)}},
		{"more, newer", []change.Batch{rows(nil, 1, 20, 9)}},
		{"older and newer", []change.Batch{rows(nil, 1, 5, 4), rows(nil, 1, 20, 4)}},
		{"many older, many newer", []change.Batch{rows(nil, 1, 5, 5000), rows(nil, 1, 20, 5000)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(broker, broker.Prefix(t))
			cfg.Partitions = 1
			s := open(t, cfg)
			p := publisher(t, s, 1)
			table := orders(cfg.SourceID, "orders")
			for _, b := range c.holds {
				for i := range b.Changes {
					b.Changes[i].Table = table
				}
				publish(t, p, b)
			}
			acked(t, p, uint64(len(c.holds)))
			closed(t, p)
			mark := change.Mark{Lane: change.Lane{Stream: cfg.Prefix + ".public.orders"}, Next: 4, Pos: change.Position{Epoch: 1, Commit: 10, Seq: change.SeqRow}}
			if err := failure(t, subscriber(t, s, "sink", mark)); !errors.Is(err, change.ErrGap) {
				t.Errorf("ended with %v, want ErrGap", err)
			}
		})
	}
}

// TestSnapshotRowsBelowTheMark: rows of a snapshot that stand below what the lane has delivered before don't lower its mark, and the sink
// goes on behind them.
func TestSnapshotRowsBelowTheMark(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	s := open(t, cfg)
	table := orders(cfg.SourceID, "orders")
	chunk := rows(table, 1, 20, 5000)
	for i := range chunk.Changes {
		c := &chunk.Changes[i]
		c.Op, c.Txn, c.Pos = change.SnapshotRow, nil, change.Position{Epoch: 1, Commit: 9, Seq: change.MaxSeq}
	}
	p := publisher(t, s, 1)
	publish(t, p, rows(table, 1, 10, 3), chunk, rows(table, 1, 30, 1)) // offsets 1 to 3, 4 to 5003, 5004
	acked(t, p, 3)
	closed(t, p)
	mark := change.Mark{Lane: change.Lane{Stream: cfg.Prefix + ".public.orders"}, Next: 5004, Pos: rows(table, 1, 10, 3).Changes[2].Pos}
	sub := subscriber(t, s, "sink", mark)
	defer closed(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if d, err := sub.Fetch(ctx, 1<<20); err != nil || len(d.Changes) != 1 || d.From[0] != mark {
		t.Errorf("the first delivery has %d changes from %+v, %v", len(d.Changes), d.From, err)
	}
}

// TestZeroMarkBeginsAnew: a target that has been emptied says so with zero marks, and the group's offset doesn't count.
func TestZeroMarkBeginsAnew(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	s := open(t, cfg)
	p := publisher(t, s, 1)
	publish(t, p, rows(orders(cfg.SourceID, "orders"), 1, 10, 3))
	acked(t, p, 1)
	closed(t, p)
	fetch(t, s, 3) // leaves the offset of the group of "reader" behind
	sub := subscriber(t, s, "reader", change.Mark{Lane: change.Lane{Stream: cfg.Prefix + ".public.orders"}})
	defer closed(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if d, err := sub.Fetch(ctx, 1<<20); err != nil || len(d.Changes) != 3 {
		t.Errorf("the first delivery has %d changes from %+v, %v; want all 3", len(d.Changes), d.From, err)
	}
}

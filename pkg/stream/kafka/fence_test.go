package kafka_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// update is one transaction that sets the note of row 1.
func update(t *change.Table, epoch uint32, commit uint64, note string) change.Batch {
	b := rows(t, epoch, commit, 1)
	b.Changes[0].Op = change.Update
	b.Changes[0].After = []change.Value{change.Int(1), change.Text(note)}
	return b
}

// TestThawedTwin: a publisher that has lost its place can't write a stale record behind a newer one, however late it comes.
func TestThawedTwin(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions = 1
	table := orders(cfg.SourceID, "orders")
	old := publisher(t, open(t, cfg), 1)
	publish(t, old, update(table, 1, 1, "v1"))
	acked(t, old, 1)

	p := publisher(t, open(t, cfg), 1) // another process: its own connections
	publish(t, p, update(table, 1, 1, "v1"))
	acked(t, p, 1) // it is there already: the partition is fenced, its tail read, and nothing of the new epoch written

	if err := old.Publish(t.Context(), update(table, 1, 2, "stale")); err != nil {
		t.Fatal(err)
	}
	for range old.Acked() {
	}
	if err := old.Close(); !errors.Is(err, change.ErrFenced) {
		t.Errorf("the twin ended with %v, want ErrFenced", err)
	}
	publish(t, p, update(table, 1, 2, "v2"), update(table, 1, 3, "v3"))
	acked(t, p, 3)
	closed(t, p)
	want := "[v1 v2 v3]"
	if got := fmt.Sprint(notes(t, open(t, cfg), 3)); got != want {
		t.Errorf("the topic holds %s, want %s", got, want)
	}
}

// TestFrozenBroker: the broker freezes with a batch in its socket; the publisher is replaced; the broker thaws and reads the old batch. Whatever
// it does with it, no older record stands behind a newer one, and none is lost or there twice.
func TestFrozenBroker(t *testing.T) {
	t.Parallel()
	broker := testenv.StartKafka(t)
	cfg := config(broker.Broker, broker.Prefix(t))
	cfg.Partitions = 1
	table := orders(cfg.SourceID, "orders")
	old := publisher(t, open(t, cfg), 1)
	publish(t, old, update(table, 1, 1, "v1"))
	acked(t, old, 1)
	fresh := open(t, cfg)

	broker.Freeze()
	sent := kafka.Requests(old)
	publish(t, old, update(table, 1, 2, "v2"), update(table, 1, 3, "v3"))
	testenv.Wait(t, "the batch is in the broker's socket", func() bool { return kafka.Requests(old) > sent })
	done := make(chan func(), 1)
	go func() { // it waits for the frozen broker
		p := publisher(t, fresh, 1)
		done <- func() {
			publish(t, p, update(table, 1, 2, "v2"), update(table, 1, 3, "v3"), update(table, 1, 4, "v4"))
			acked(t, p, 3)
			closed(t, p)
		}
	}()
	closed(t, old) // its process is gone; what is in the socket is not
	broker.Thaw()
	select {
	case goOn := <-done:
		goOn()
	case <-time.After(60 * time.Second):
		t.Fatal("the new publisher did not open")
	}
	want := "[v1 v2 v3 v4]"
	if got := fmt.Sprint(notes(t, open(t, cfg), 4)); got != want {
		t.Errorf("the topic holds %s, want %s", got, want)
	}
}

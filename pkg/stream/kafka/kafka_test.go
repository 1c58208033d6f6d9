package kafka_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func config(broker *testenv.Broker, prefix string) kafka.Config {
	return kafka.Config{SourceID: prefix + "s", Brokers: []string{broker.Addr}, Prefix: prefix, Partitions: 3, Replication: 1, Compression: kafka.Zstd}
}

func open(t testing.TB, cfg kafka.Config) *kafka.Stream {
	t.Helper()
	s, err := kafka.Open(t.Context(), cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func orders(source, name string) *change.Table {
	return &change.Table{Source: source, Engine: "postgres", Schema: "public", Name: name, Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "note", Native: "text", Kind: change.KindText, Nullable: true},
	}}
}

// rows is one transaction of n inserts at commit.
func rows(t *change.Table, epoch uint32, commit uint64, n int) change.Batch {
	txn := &change.Txn{ID: fmt.Sprintf("%d@0/%X", commit, commit), Committed: time.Unix(1700000000, 0).UTC()}
	b := change.Batch{Upto: change.Position{Epoch: epoch, Commit: commit, Seq: change.MaxSeq}, Resume: change.Resume(fmt.Sprint(commit))}
	for i := range n {
		b.Changes = append(b.Changes, change.Change{Op: change.Insert, Table: t, Txn: txn, Pos: change.Position{Epoch: epoch, Commit: commit, Seq: uint64(i)<<2 | change.SeqRow},
			After: []change.Value{change.Int(int64(commit)*1_000_000 + int64(i)), change.Text("note")}})
	}
	return b
}

func publisher(t testing.TB, s *kafka.Stream, epoch uint32) stream.Publisher {
	t.Helper()
	p, err := s.Publisher(t.Context(), stream.Start{Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func publish(t testing.TB, p stream.Publisher, b ...change.Batch) {
	t.Helper()
	for i := range b {
		if err := p.Publish(t.Context(), b[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// acked waits until n batches are acknowledged.
func acked(t testing.TB, p stream.Publisher, n uint64) {
	t.Helper()
	for {
		got, ok := <-p.Acked()
		if !ok {
			t.Fatalf("the publisher ended: %v", p.Close())
		}
		if got >= n {
			return
		}
	}
}

func closed(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// fetch reads n changes from the first record on, as a new sink, with what it commits.
func fetch(t testing.TB, s *kafka.Stream, n int) []change.Change {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), stream.Subscription{Sink: "reader", Begin: fromStart})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), 180*time.Second)
	defer cancel()
	var out []change.Change
	for len(out) < n {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch after %d changes: %v", len(out), err)
		}
		out = append(out, d.Changes...)
		if err := sub.Commit(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func fromStart(context.Context, []change.Lane) ([]change.Mark, error) { return nil, nil }

// notes is the second column of n changes.
func notes(t testing.TB, s *kafka.Stream, n int) []string {
	t.Helper()
	var out []string
	for _, c := range fetch(t, s, n) {
		out = append(out, c.After[1].Str())
	}
	return out
}

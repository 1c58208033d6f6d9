package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// wide is a table of 12 columns, and a batch of rows of it in transactions of 100.
func wide(source string) *change.Table {
	t := &change.Table{Source: source, Engine: "postgres", Schema: "public", Name: "orders", Key: []int{0}}
	t.Columns = append(t.Columns, change.Column{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64})
	for i := range 5 {
		t.Columns = append(t.Columns, change.Column{Name: fmt.Sprint("note", i), Native: "text", Kind: change.KindText, Nullable: true},
			change.Column{Name: fmt.Sprint("n", i), Native: "integer", Kind: change.KindInt, Bits: 32})
	}
	t.Columns = append(t.Columns, change.Column{Name: "at", Native: "timestamptz", Kind: change.KindInstant, Precision: 6})
	return t
}

func load(t *change.Table, commit uint64, n int) change.Batch {
	b := change.Batch{Upto: change.Position{Epoch: 1, Commit: commit + uint64(n/100), Seq: change.MaxSeq}}
	var txn *change.Txn
	for i := range n {
		at := commit + uint64(i/100)
		if i%100 == 0 {
			txn = &change.Txn{ID: fmt.Sprintf("%d@0/%X", at, at), Committed: time.Unix(1_700_000_000, 0).UTC()}
		}
		row := []change.Value{change.Int(int64(at)*100 + int64(i%100))}
		for j := range 5 {
			row = append(row, change.Text("customer note"), change.Int(int64(i*j)))
		}
		row = append(row, change.Instant(1e15+int64(i)))
		b.Changes = append(b.Changes, change.Change{Op: change.Insert, Table: t, After: row, Txn: txn,
			Pos: change.Position{Epoch: 1, Commit: at, Seq: uint64(i%100)<<2 | change.SeqRow}})
	}
	return b
}

// BenchmarkPublish is rows to acknowledged, over a real broker on the same machine.
func BenchmarkPublish(b *testing.B) {
	broker := testenv.Kafka(b)
	for _, by := range []kafka.Compression{kafka.None, kafka.LZ4, kafka.Zstd} {
		b.Run(by.String(), func(b *testing.B) {
			cfg := config(broker, broker.Prefix(b))
			cfg.Compression = by
			s := open(b, cfg)
			p := publisher(b, s, 1)
			table := wide(cfg.SourceID)
			const size = 2000
			var n uint64
			begun := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				publish(b, p, load(table, n*size/100+1, size))
				n++
			}
			acked(b, p, n)
			b.ReportMetric(float64(n*size)/time.Since(begun).Seconds(), "rows/s")
			closed(b, p)
		})
	}
}

// BenchmarkRead is records to deliveries, over a real broker on the same machine.
func BenchmarkRead(b *testing.B) {
	broker := testenv.Kafka(b)
	cfg := config(broker, broker.Prefix(b))
	s := open(b, cfg)
	p := publisher(b, s, 1)
	table := wide(cfg.SourceID)
	const total = 200_000
	for i := range total / 2000 {
		publish(b, p, load(table, uint64(i)*20+1, 2000))
	}
	acked(b, p, total/2000)
	closed(b, p)
	sink := 0
	for b.Loop() {
		sink++
		sub, err := s.Subscriber(b.Context(), stream.Subscription{Sink: fmt.Sprint("s", sink), Begin: fromStart})
		if err != nil {
			b.Fatal(err)
		}
		var begun time.Time
		for n := 0; n < total; {
			d, err := sub.Fetch(b.Context(), 4<<20)
			if err != nil {
				b.Fatal(err)
			}
			if begun.IsZero() {
				begun = time.Now()
			}
			n += len(d.Changes)
			if err := sub.Commit(b.Context(), d); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(total/time.Since(begun).Seconds(), "rows/s")
		closed(b, sub)
	}
}

// BenchmarkLatency is one row at a time, 1,000 a second, from Publish to its delivery.
func BenchmarkLatency(b *testing.B) {
	broker := testenv.Kafka(b)
	cfg := config(broker, broker.Prefix(b))
	s := open(b, cfg)
	p := publisher(b, s, 1)
	table := orders(cfg.SourceID, "orders")
	publish(b, p, rows(table, 1, 1, 1))
	acked(b, p, 1)
	sub, err := s.Subscriber(b.Context(), stream.Subscription{Sink: "sink", Begin: fromStart})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := receive(b.Context(), sub, 1, nil); err != nil {
		b.Fatal(err)
	}
	const total = 3000
	sent := make([]time.Time, total)
	done := make(chan []time.Duration, 1)
	go func() {
		took, err := receive(b.Context(), sub, total, sent)
		if err != nil {
			b.Error(err)
		}
		done <- took
	}()
	b.ResetTimer()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range total {
		<-tick.C
		sent[i] = time.Now()
		publish(b, p, rows(table, 1, uint64(i+2), 1))
	}
	took := <-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	closed(b, p)
	closed(b, sub)
}

// receive fetches n rows and says how long each was under way; the row of commit c was sent at sent[c-2].
func receive(ctx context.Context, sub stream.Subscriber, n int, sent []time.Time) ([]time.Duration, error) {
	var took []time.Duration
	for got := 0; got < n; {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			return took, err
		}
		now := time.Now()
		for i := range d.Changes {
			got++
			if sent != nil {
				took = append(took, now.Sub(sent[d.Changes[i].Pos.Commit-2]))
			}
		}
		if err := sub.Commit(ctx, d); err != nil {
			return took, err
		}
	}
	return took, nil
}

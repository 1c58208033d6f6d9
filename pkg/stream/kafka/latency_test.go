package kafka_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// BenchmarkTransactions is small transactions over 4 partitions from Publish to acknowledged, 1,000 a second and then as many as there
// are at once, with the broker on the same machine and at the end of a wire of 5 ms there and back.
func BenchmarkTransactions(b *testing.B) {
	for _, trip := range []time.Duration{0, 5 * time.Millisecond} {
		broker := testenv.Kafka(b)
		if trip > 0 {
			broker = far(b, trip/2).Broker
		}
		for _, size := range []int{1, 4} {
			b.Run(fmt.Sprintf("trip=%s/rows=%d", trip, size), func(b *testing.B) {
				cfg := config(broker, broker.Prefix(b))
				cfg.Partitions = 4
				p := publisher(b, open(b, cfg), 1)
				table := orders(cfg.SourceID, "orders")
				publish(b, p, rows(table, 1, 1, 100))
				acked(b, p, 1)
				b.ResetTimer()
				const total = 4000
				requests := kafka.Requests(p)
				begun := time.Now()
				took := paced(b, p, total, func(i int) change.Batch { return rows(table, 1, uint64(i+2), size) })
				b.ReportMetric(float64(kafka.Requests(p)-requests)/time.Since(begun).Seconds(), "requests/s")
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				const backlog = 50_000
				begun = time.Now()
				for i := range backlog {
					publish(b, p, rows(table, 1, uint64(total+i+2), size))
				}
				acked(b, p, 1+total+backlog)
				b.ReportMetric(backlog/time.Since(begun).Seconds(), "backlog-txns/s")
				b.ReportMetric(0, "ns/op")
				closed(b, p)
			})
		}
	}
}

// paced publishes n batches, one a millisecond, and says how long each took to be acknowledged.
func paced(b *testing.B, p stream.Publisher, n int, batch func(i int) change.Batch) []time.Duration {
	b.Helper()
	sent := make([]time.Time, n)
	took := make([]time.Duration, 0, n)
	ready := make(chan struct{}, n)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(took) < n {
			count, ok := <-p.Acked()
			now := time.Now()
			if !ok {
				return
			}
			for len(took) < int(count)-1 {
				<-ready
				took = append(took, now.Sub(sent[len(took)]))
			}
		}
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		sent[i] = time.Now()
		ready <- struct{}{}
		publish(b, p, batch(i))
	}
	<-done
	return took
}

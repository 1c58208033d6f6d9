package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// recordBytes is about what one of our records takes.
const recordBytes = 480

// producer stands in for source and connector where only the broker and this program are measured: records of our size, acknowledged by all
// replicas, one request under way; what comes meanwhile leaves together with the next. The topic has one partition.
func (o *options) producer(ctx context.Context, failed chan<- error) (insert func(id int64, customer int, note string) error, closeSource func()) {
	client := &kafka.Client{Addr: kafka.TCP(o.broker)}
	waiting := make(chan kafka.Record, o.rate*(o.warm+o.seconds))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for record := range waiting {
			records := []kafka.Record{record}
			for range len(waiting) {
				records = append(records, <-waiting)
			}
			if _, err := client.Produce(ctx, &kafka.ProduceRequest{
				Topic: o.topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
			}); err != nil {
				failed <- fmt.Errorf("produce: %w", err)
				return
			}
		}
	}()
	return func(id int64, _ int, note string) error {
			value := fmt.Sprintf(`{"id":%d,"note":"%s","rest":"`, id, note)
			value += strings.Repeat("x", recordBytes-len(value)-2) + `"}`
			waiting <- kafka.Record{Value: kafka.NewBytes([]byte(value))}
			return nil
		}, func() {
			close(waiting)
			<-done
		}
}

// Command latency writes single-row transactions at a steady rate and measures how long each takes from just before it is sent to the moment
// at which a consumer holds its record, and to the commit in the target. The time of sending travels in the row's note; both ends are
// on this machine, so there is one clock. It reads the topic with kafka-go and the target by LISTEN, never by our own decoders. The source is
// PostgreSQL, MySQL or MariaDB; the target PostgreSQL. Without a source it produces the records itself, which is what the broker takes; without either it shows what the machine gives.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"
)

type options struct {
	source, target, broker, topic string
	rate, seconds, warm           int
}

func main() {
	var o options
	flag.StringVar(&o.source, "source", "", "URL of the database that is written to, postgres://… or mysql://user@host:port/database; empty: the topic is written to")
	flag.StringVar(&o.target, "target", "", "URL of the target, whose table orders has the trigger of latency.sql; empty: none")
	flag.StringVar(&o.broker, "broker", "", "Kafka's address; empty: none")
	flag.StringVar(&o.topic, "topic", "", "topic")
	flag.IntVar(&o.rate, "rate", 1000, "transactions a second")
	flag.IntVar(&o.seconds, "seconds", 12, "seconds")
	flag.IntVar(&o.warm, "warm", 0, "seconds of the same load before those, not measured")
	flag.Parse()
	debug.SetGCPercent(-1) // what is measured shares two cores with this program
	debug.SetMemoryLimit(512 << 20)
	if err := o.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

// seen collects one end's latencies until all of count have come.
type seen struct {
	name string
	mu   sync.Mutex
	all  []time.Duration
	want int
	done chan struct{}
}

// note takes a row's note: the nanosecond at which it was sent, or something else on a row that only warms up.
func (s *seen) note(sent string) {
	ns, err := strconv.ParseInt(sent, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, time.Since(time.Unix(0, ns)))
	if len(s.all) == s.want {
		close(s.done)
	}
}

func (s *seen) print() {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.all)
	at := func(q float64) float64 {
		return float64(s.all[min(int(q*float64(len(s.all))), len(s.all)-1)].Microseconds()) / 1000
	}
	fmt.Printf("%s n=%d p50=%.2f p90=%.2f p99=%.2f max=%.2f\n", s.name, len(s.all), at(.5), at(.9), at(.99), at(1)) // milliseconds
}

func (o *options) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(o.warm+o.seconds+60)*time.Second, errors.New("not all rows arrived"))
	defer cancel()
	var ends []*seen
	failed := make(chan error, 16)
	end := func(name string) *seen {
		s := &seen{name: name, want: o.rate * o.seconds, done: make(chan struct{})}
		ends = append(ends, s)
		return s
	}
	if o.broker != "" {
		if err := o.watchTopic(ctx, end("topic"), failed); err != nil {
			return err
		}
	}
	if o.target != "" {
		if err := o.watchTarget(ctx, end("target"), failed); err != nil {
			return err
		}
	}
	if len(ends) == 0 {
		o.machine(end("arithmetic"))
	} else if err := o.write(ctx, failed); err != nil {
		return err
	}
	for _, s := range ends {
		select {
		case <-s.done:
			s.print()
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%s: %d of %d: %w", s.name, len(s.all), s.want, context.Cause(ctx))
		}
	}
	return nil
}

func (o *options) write(ctx context.Context, failed chan<- error) error {
	insert, closeSource, err := o.inserter(ctx, failed)
	if err != nil {
		return err
	}
	defer closeSource()
	tick := time.NewTicker(time.Second / time.Duration(o.rate))
	defer tick.Stop()
	first := time.Now().UnixNano()
	warming := o.rate * o.warm
	for i := range warming + o.rate*o.seconds {
		<-tick.C
		note := "warm"
		if i >= warming {
			note = strconv.FormatInt(time.Now().UnixNano(), 10)
		}
		if err := insert(first+int64(i), i, note); err != nil {
			return err
		}
	}
	return nil
}

// inserter connects to the source and returns what writes one row in a transaction of its own.
func (o *options) inserter(ctx context.Context, failed chan<- error) (insert func(id int64, customer int, note string) error, closeSource func(), err error) {
	if o.source == "" {
		insert, closeSource = o.producer(ctx, failed)
		return insert, closeSource, nil
	}
	if dsn, ok := strings.CutPrefix(o.source, "mysql://"); ok {
		user, rest, _ := strings.Cut(dsn, "@")
		host, database, _ := strings.Cut(rest, "/")
		db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)/%s?interpolateParams=true", user, host, database))
		if err != nil {
			return nil, nil, err
		}
		db.SetMaxOpenConns(1)
		return func(id int64, customer int, note string) error {
			_, err := db.ExecContext(ctx, "insert into orders (id, customer_id, status, amount, note) values (?, ?, 'new', 1.25, ?)", id, customer, note)
			return err
		}, func() { db.Close() }, nil
	}
	conn, err := pgx.Connect(ctx, o.source)
	if err != nil {
		return nil, nil, err
	}
	return func(id int64, customer int, note string) error {
		_, err := conn.Exec(ctx, "insert into orders (id, customer_id, status, amount, note) values ($1, $2, 'new', 1.25, $3)", id, customer, note)
		return err
	}, func() { conn.Close(ctx) }, nil
}

func (o *options) watchTopic(ctx context.Context, s *seen, failed chan<- error) error {
	conn, err := kafka.DialContext(ctx, "tcp", o.broker)
	if err != nil {
		return err
	}
	defer conn.Close()
	partitions, err := conn.ReadPartitions(o.topic)
	if err != nil {
		return err
	}
	client := &kafka.Client{Addr: kafka.TCP(o.broker)}
	for _, p := range partitions {
		offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{o.topic: {kafka.LastOffsetOf(p.ID)}}})
		if err != nil {
			return err
		}
		next := offsets.Topics[o.topic][0].LastOffset
		go func() {
			if err := o.follow(ctx, s, p.ID, next); err != nil && ctx.Err() == nil {
				failed <- err
			}
		}()
	}
	return nil
}

func (o *options) follow(ctx context.Context, s *seen, partition int, next int64) error {
	client := &kafka.Client{Addr: kafka.TCP(o.broker)}
	for {
		res, err := client.Fetch(ctx, &kafka.FetchRequest{Topic: o.topic, Partition: partition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second})
		if err != nil {
			return err
		}
		for {
			rec, err := res.Records.ReadRecord()
			if err != nil {
				break
			}
			if rec.Offset < next {
				continue
			}
			next = rec.Offset + 1
			if rec.Value == nil {
				continue
			}
			value, err := kafka.ReadAll(rec.Value)
			if err != nil {
				return err
			}
			s.note(note(value))
		}
	}
}

// note is the content of the record's field "note".
func note(value []byte) string {
	_, rest, _ := bytes.Cut(value, []byte(`"note":"`))
	sent, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(sent)
}

func (o *options) watchTarget(ctx context.Context, s *seen, failed chan<- error) error {
	conn, err := pgx.Connect(ctx, o.target)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "listen seen"); err != nil {
		return err
	}
	go func() {
		for {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				failed <- err
				return
			}
			s.note(n.Payload)
		}
	}()
	return nil
}

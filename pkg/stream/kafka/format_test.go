package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// inFormat is cfg in a format.
func inFormat(t testing.TB, cfg kafka.Config, f codec.Format) kafka.Config {
	t.Helper()
	cfg.Format = f
	if f == codec.Avro {
		cfg.Registry = &kafka.Registry{URL: testenv.Registry(t)}
	}
	return cfg
}

// records reads at least n records of a topic's partition 0, as a reader that knows nothing of us.
func records(t testing.TB, broker *testenv.Broker, topic string, n int) []kafkago.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	conn, err := kafkago.DialLeader(ctx, "tcp", broker.Addr, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, conn)
	if err := conn.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var out []kafkago.Message
	for offset := int64(0); len(out) < n; {
		if _, err := conn.Seek(offset, kafkago.SeekAbsolute|kafkago.SeekDontCheck); err != nil {
			t.Fatal(err)
		}
		batch := conn.ReadBatch(1, 1<<20)
		for {
			m, err := batch.ReadMessage()
			if err != nil {
				break
			}
			if len(m.Headers) > 0 { // what has none is a marker of the fence's transaction, which kafka-go doesn't pass over
				out = append(out, m)
			}
			offset = m.Offset + 1
		}
		offset = max(offset, batch.Offset())
		if err := batch.Close(); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	return out
}

// TestFormatsFollowEachOther: a topic whose format was changed between two runs is read from its first record to its last, because each
// record says how it is written.
func TestFormatsFollowEachOther(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	table := orders(cfg.SourceID, "orders")
	keyless := *table
	keyless.Name, keyless.Key = "history", nil
	formats := []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON, codec.Avro, codec.DebeziumJSON}
	var want []change.Change
	for i, f := range formats {
		s := open(t, inFormat(t, cfg, f))
		p := publisher(t, s, 1)
		b := rows(table, 1, uint64(10*i+1), 3)
		txn := b.Changes[0].Txn
		at := func(seq int) change.Position {
			return change.Position{Epoch: 1, Commit: uint64(10*i + 1), Seq: uint64(seq)<<2 | change.SeqRow}
		}
		b.Changes = append(b.Changes,
			change.Change{Op: change.Update, Table: table, Txn: txn, Pos: at(3), Before: []change.Value{b.Changes[0].After[0], change.Null()}, After: []change.Value{b.Changes[0].After[0], {}}},
			change.Change{Op: change.Delete, Table: table, Txn: txn, Pos: at(4), Before: b.Changes[1].After},
			change.Change{Op: change.Insert, Table: &keyless, Txn: txn, Pos: at(5), After: b.Changes[2].After},
			change.Change{Op: change.Delete, Table: &keyless, Txn: txn, Pos: at(6), Before: b.Changes[2].After})
		publish(t, p, b)
		acked(t, p, 1)
		closed(t, p)
		want = append(want, b.Changes...)
	}
	got := fetch(t, open(t, cfg), len(want))
	byPosition := func(a, b change.Change) int { return strings.Compare(a.Pos.String(), b.Pos.String()) }
	slices.SortFunc(got, byPosition)
	slices.SortFunc(want, byPosition)
	for i := range want {
		w, g := &want[i], &got[i]
		if w.Op != g.Op || w.Pos != g.Pos || *w.Txn != *g.Txn || w.Table.Name != g.Table.Name || !slices.Equal(w.Before, g.Before) || !slices.Equal(w.After, g.After) {
			t.Errorf("change %d is %+v, want %+v", i, g, w)
		}
	}
}

// TestAvroReadsAvro: Apache Avro reads keys and values of ours with the schemas that the registry has under the subjects of the topic; a
// table that has gained a column is read into the schema of before it; an incompatible one halts before a record of it is written.
func TestAvroReadsAvro(t *testing.T) {
	t.Parallel()
	broker, readers, address := testenv.Kafka(t), testenv.ForeignReaders(t), testenv.Registry(t)
	cfg := inFormat(t, config(broker, broker.Prefix(t)), codec.Avro)
	cfg.Partitions, cfg.Tombstones = 1, true
	s := open(t, cfg)
	p := publisher(t, s, 1)
	table := orders(cfg.SourceID, "orders")
	topic := cfg.Prefix + ".public.orders"
	first := rows(table, 1, 1, 1)
	wider := *table
	wider.Columns = append(slices.Clone(table.Columns), change.Column{Name: "paid", Native: "numeric(10,2)", Kind: change.KindDecimal, Precision: 10, Scale: 2, Nullable: true})
	second := rows(&wider, 1, 2, 1)
	second.Changes[0].After = append(second.Changes[0].After, change.Decimal("-1.50"))
	txn := second.Changes[0].Txn
	marker := change.Change{Op: change.NewShape, Table: &wider, Txn: txn, Pos: change.Position{Epoch: 1, Commit: 2, Seq: change.SeqShape}}
	deleted := change.Change{Op: change.Delete, Table: &wider, Txn: txn, Pos: change.Position{Epoch: 1, Commit: 2, Seq: 4 | change.SeqRow}, Before: []change.Value{change.Int(2000000), {}, {}}}
	second.Changes = append([]change.Change{marker}, append(second.Changes, deleted)...)
	publish(t, p, first)
	acked(t, p, 1)
	compatible(t, address, topic+"-value", "FULL")
	publish(t, p, second)
	acked(t, p, 2)
	var keys, values [][]byte
	for _, m := range records(t, broker, topic, 5) {
		if m.Key == nil && m.Value != nil || m.Key != nil && m.Key[0] != 0 {
			t.Errorf("a record has the key %q and the value %q", m.Key, m.Value)
		}
		if m.Key != nil {
			keys = append(keys, m.Key)
		}
		if m.Value != nil {
			values = append(values, m.Value)
		}
	}
	expect(t, readers, query{address, "", keys}, `["KEY","1000000"]`, `["KEY","2000000"]`, `["KEY","2000000"]`, `["KEY","2000000"]`)
	expect(t, readers, query{address, "", values}, `["+I","1000000","note"]`, `["+I","2000000","note","-1.50"]`, `["-D","2000000",null,null]`)
	older := fmt.Sprint(uint32(values[0][1])<<24 | uint32(values[0][2])<<16 | uint32(values[0][3])<<8 | uint32(values[0][4]))
	expect(t, readers, query{address, older, values}, `["+I","1000000","note"]`, `["+I","2000000","note"]`, `["-D","2000000",null]`)

	other := wider
	other.Columns = slices.Clone(wider.Columns)
	other.Columns[1].Kind = change.KindInt
	third := rows(&other, 1, 3, 1)
	third.Changes[0].After = []change.Value{change.Int(3), change.Int(3), change.Null()}
	publish(t, p, third)
	for range p.Acked() {
	}
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "incompatible") || !strings.Contains(err.Error(), topic+"-value") {
		t.Errorf("an incompatible shape: %v", err)
	}
	if n := len(records(t, broker, topic, 5)); n != 5 {
		t.Errorf("the topic has %d records, want 5", n)
	}
}

// TestAvroNeedsItsRegistry: an open without one that answers ends by what is wrong, and doctor says it.
func TestAvroNeedsItsRegistry(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Format = codec.Avro
	if _, err := kafka.Open(t.Context(), cfg, quiet()); !errors.Is(err, change.ErrPreflight) {
		t.Errorf("no registry: %v", err)
	}
	cfg.Registry = &kafka.Registry{URL: "http://" + broker.Addr}
	s := open(t, cfg)
	if _, err := s.Publisher(t.Context(), stream.Start{Epoch: 1}); !errors.Is(err, change.ErrUnreachable) || !strings.Contains(err.Error(), broker.Addr) {
		t.Errorf("a broker for a registry: %v", err)
	}
	if said := fmt.Sprint(kafka.Doctor(t.Context(), cfg)); !strings.Contains(said, "kafka.registry") || !strings.Contains(said, "stream.registry") {
		t.Errorf("doctor says %s", said)
	}
	said := fmt.Sprint(kafka.Doctor(t.Context(), inFormat(t, cfg, codec.Avro)))
	if !strings.Contains(said, "the schema registry at "+testenv.Registry(t)+" answers") {
		t.Errorf("doctor says %s", said)
	}
}

type query struct {
	registry, reader string
	records          [][]byte
}

func expect(t *testing.T, readers *testenv.Readers, q query, want ...string) {
	t.Helper()
	got, refusal := readers.Avro(q.registry, q.reader, q.records)
	if refusal != "" || !slices.Equal(got, want) {
		t.Errorf("Avro read\n%s\n%s\nwant\n%s", strings.Join(got, "\n"), refusal, strings.Join(want, "\n"))
	}
}

// compatible makes the registry refuse schemas of the subject that don't go with the earlier ones.
func compatible(t *testing.T, address, subject, level string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address+"/config/"+subject, strings.NewReader(`{"compatibility":"`+level+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("set compatibility: %v, %v", answer, err)
	}
}

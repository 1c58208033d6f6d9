package kafka_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka/internal/registry"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestDebeziumsTransformReadsAvro: Kafka Connect's converter and Debezium's own ExtractNewRecordState take our envelope in Avro for Debezium's,
// and what they make of it is what format flat writes of the same change.
func TestDebeziumsTransformReadsAvro(t *testing.T) {
	t.Parallel()
	readers, address := testenv.ForeignReaders(t), testenv.Registry(t)
	client, err := registry.New(registry.Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, engine := range []string{"postgres", "mysql", "mariadb"} {
		topic := "x" + engine + ".public.orders"
		table := orders("shop", "orders")
		table.Engine = engine
		table.Columns = append(table.Columns, change.Column{Name: "ratio", Native: "double", Kind: change.KindFloat64}, change.Column{Name: "photo", Native: "bytea", Kind: change.KindBytes},
			change.Column{Name: "small", Native: "integer", Kind: change.KindInt, Bits: 32}, change.Column{Name: "paid", Native: "boolean", Kind: change.KindBool})
		row := []change.Value{change.Int(1), change.Text("né"), change.Float64(0.5), change.Bytes("\x00\xff"), change.Int(-7), change.Bool(true)}
		old := append([]change.Value{change.Int(1), change.Null()}, row[2:]...)
		txn := &change.Txn{ID: "571@0/16B3748", Committed: time.UnixMilli(1700000000123).UTC()}
		if engine != "postgres" {
			txn.ID = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23"
		}
		pos := change.Position{Epoch: 1, Commit: 0x16B3748, Seq: change.SeqRow}
		changes := []change.Change{
			{Op: change.Insert, Table: table, Pos: pos, Txn: txn, After: row},
			{Op: change.Update, Table: table, Pos: pos, Txn: txn, Before: row, After: old},
			{Op: change.Delete, Table: table, Pos: pos, Txn: txn, Before: row},
			{Op: change.SnapshotRow, Table: table, Pos: pos, After: row},
		}
		avro := codec.NewEncoder(codec.Options{Format: codec.Avro, Database: "shop", Topic: func(*change.Table) (string, error) { return topic, nil },
			Register: func(subject, schema string) (uint32, error) { return client.Register(t.Context(), subject, schema) }})
		flat := codec.NewEncoder(codec.Options{Format: codec.Flat, Database: "shop"})
		var values [][]byte
		for i := range changes {
			value, err := avro.AppendValue(nil, &changes[i])
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		got, refusal := readers.Extract(address, topic, values)
		if len(got) != len(changes) {
			t.Fatalf("%s: %d of %d values were read: %s", engine, len(got), len(changes), refusal)
		}
		for i := range changes {
			want, err := flat.AppendValue(nil, &changes[i])
			if err != nil {
				t.Fatal(err)
			}
			var theirs, ours map[string]any
			if err := json.Unmarshal([]byte(got[i]), &theirs); err != nil {
				t.Fatalf("%s: %v", got[i], err)
			}
			if err := json.Unmarshal(want, &ours); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(theirs, ours) {
				t.Errorf("%s: of %s Debezium makes\n%s\nflat is\n%s", engine, changes[i].Op, got[i], want)
			}
		}
	}
}

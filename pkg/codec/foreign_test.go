package codec_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"pgregory.net/rapid"
)

// envelope is Debezium's, as its documentation of the PostgreSQL connector's change events lists it, without what we leave out.
// Source: Debezium 3.3, PostgreSQL connector, "Data change events".
type envelope struct {
	Before *json.RawMessage `json:"before"`
	After  *json.RawMessage `json:"after"`
	Source *struct {
		Version   string  `json:"version"`
		Connector string  `json:"connector"`
		Name      string  `json:"name"`
		Millis    *int64  `json:"ts_ms"`
		Snapshot  string  `json:"snapshot"`
		DB        string  `json:"db"`
		Schema    string  `json:"schema"`
		Table     string  `json:"table"`
		TxID      *uint64 `json:"txId"`
		LSN       *uint64 `json:"lsn"`
		GTID      string  `json:"gtid"`
		File      string  `json:"file"`
		Pos       *int64  `json:"pos"`
	} `json:"source"`
	Op     string `json:"op"`
	Millis *int64 `json:"ts_ms"`
}

func readEnvelope(t fail, value []byte) envelope {
	t.Helper()
	var e envelope
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return e
}

// TestForeignReader reads our records with encoding/json and nothing of ours, as a reader of Debezium's envelope would.
func TestForeignReader(t *testing.T) {
	t.Parallel()
	c := insertOrder(orders(), 7)
	c.Op, c.Before = change.Update, c.After
	e := readEnvelope(t, record(t, codec.NewEncoder(codec.Options{Database: "bench"}), &c).Value)
	src := e.Source
	if e.Op != "u" || e.Before == nil || e.After == nil || *e.Millis != 1730000000123 {
		t.Errorf("the envelope is %+v", e)
	}
	if src.Connector != "postgresql" || src.Name != "shop" || src.DB != "bench" || src.Schema != "public" || src.Table != "orders" ||
		src.Snapshot != "false" || *src.Millis != 1730000000123 || *src.TxID != 571 || *src.LSN != 0x16B3748 {
		t.Errorf("the source block is %+v", src)
	}
	var row struct {
		ID     int64       `json:"id"`
		Amount json.Number `json:"amount"` // takes a number that stands as a string
		At     string      `json:"created_at"`
	}
	if err := json.Unmarshal(*e.After, &row); err != nil || row.ID != 7 || row.Amount != "0.07" || row.At != "2024-10-27T03:33:20.123456Z" {
		t.Errorf("the row is %+v, %v", row, err)
	}
}

// TestForeignReaderOfAnything holds every record against what encoding/json makes of it.
func TestForeignReaderOfAnything(t *testing.T) {
	t.Parallel()
	ops := map[change.Op]string{change.Insert: "c", change.Update: "u", change.Delete: "d", change.SnapshotRow: "r"}
	rapid.Check(t, func(t *rapid.T) {
		c := genChange(t, genTable(t))
		if c.Op.IsMarker() {
			t.Skip("a marker's value is null")
		}
		value := record(t, codec.NewEncoder(codec.Options{}), &c).Value
		e := readEnvelope(t, value)
		if e.Op != ops[c.Op] || (e.Millis == nil) != (c.Txn == nil) || (e.Source.Snapshot == "true") != (c.Op == change.SnapshotRow) {
			t.Fatalf("%s", value)
		}
		compare(t, c.Table, c.Before, e.Before)
		compare(t, c.Table, c.After, e.After)
	})
}

func compare(t *rapid.T, table *change.Table, row []change.Value, raw *json.RawMessage) {
	if row == nil || raw == nil {
		if (row == nil) != (raw == nil) {
			t.Fatalf("a row is %s", *raw)
		}
		return
	}
	got := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(*raw))
	dec.UseNumber()
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%s: %v", *raw, err)
	}
	for i, v := range row {
		col := &table.Columns[i]
		g, there := got[col.Name]
		delete(got, col.Name)
		if there == v.IsUnset() {
			t.Fatalf("column %q is %+v and there: %v", col.Name, v, there)
		}
		if v.IsUnset() {
			continue
		}
		if want := foreign(col, v); g != want {
			t.Fatalf("column %q is %#v, want %#v", col.Name, g, want)
		}
	}
	if len(got) > 0 {
		t.Fatalf("columns %v besides the table's", got)
	}
}

// foreign is what a reader that knows JSON only should see of v.
func foreign(col *change.Column, v change.Value) any {
	switch v.Kind() {
	case change.KindNull:
		return nil
	case change.KindBool:
		return v.Bool()
	case change.KindBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.Str()))
	case change.KindInt, change.KindUint, change.KindFloat32, change.KindFloat64:
		text := string(change.AppendText(nil, col, v))
		if strings.HasSuffix(text, "N") || strings.HasSuffix(text, "y") {
			return text
		}
		return json.Number(text)
	case change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		return string(change.AppendText(nil, col, v))
	}
	return v.Str()
}

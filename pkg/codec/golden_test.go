package codec_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden is one record as it stands in testdata, and the change that it is.
type golden struct {
	name    string
	options codec.Options
	change  change.Change
}

func goldens() []golden {
	placeholder := codec.Options{Unset: codec.UnsetDebezium, Database: "bench"}
	table := orders()
	insert := insertOrder(table, 7)
	row := insert.After
	at := func(op change.Op, before, after []change.Value) change.Change {
		return change.Change{Op: op, Table: table, Pos: insert.Pos, Txn: insert.Txn, Before: before, After: after}
	}
	snapshot := at(change.SnapshotRow, nil, row)
	snapshot.Txn, snapshot.Pos.Seq = nil, change.MaxSeq
	chunk := at(change.Truncate, nil, nil)
	chunk.Txn, chunk.Pos = nil, snapshot.Pos
	partial := withUnset(at(change.Update, nil, row)).After
	keyOnly := make([]change.Value, len(row))
	keyOnly[0] = row[0]
	mysql := orders()
	mysql.Engine, mysql.Schema = "mysql", "bench"
	group := change.Change{Op: change.Insert, Table: mysql, After: row, Pos: change.Position{Epoch: 2, Commit: 7<<40 | 1234, Seq: 5},
		Txn: &change.Txn{ID: "3e11fa47-71ca-11e1-9e33-c80aa9429562:23", Committed: insert.Txn.Committed}}
	plain := codec.Options{Database: "bench"}
	return []golden{
		{"insert", plain, insert},
		{"update", plain, at(change.Update, row, row)},
		{"update_unset_omit", plain, at(change.Update, nil, partial)},
		{"update_unset_debezium", placeholder, at(change.Update, nil, partial)},
		{"delete_by_key", plain, at(change.Delete, keyOnly, nil)},
		{"snapshot_row", plain, snapshot},
		{"truncate", plain, at(change.Truncate, nil, nil)},
		{"truncate_chunk", plain, chunk},
		{"new_shape", plain, at(change.NewShape, nil, nil)},
		{"insert_mysql", codec.Options{}, group},
		{"every_kind", plain, everyKind()},
		{"keyless", plain, keyless()},
	}
}

func everyKind() change.Change {
	values := []change.Value{change.Bool(false), change.Int(math.MinInt64), change.Uint(math.MaxUint64), change.Float32(0.1),
		change.Float64(math.Inf(-1)), change.Decimal("12345678901234567890.10"), change.Text("é \"quoted\" \\ \n\x01𝄞"), change.Bytes("\x00\xff"),
		change.JSON(`{"a": 1.0}`), change.UUID("0f9a3c9e-5a55-4a8a-9a5e-0a1b2c3d4e5f"), change.Date(-2451545), change.Time(-3_600_000_001),
		change.Instant(change.Infinity), change.WallTime(1), change.Interval("P1Y2DT3.5S"), change.Bits("0101"), change.PartialDate("2024-00-00"), change.Native("(1,2)")}
	t := &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "every_kind"}
	for i, v := range values {
		t.Columns = append(t.Columns, change.Column{Name: v.Kind().String(), Native: "-", Kind: v.Kind(), Nullable: true, Precision: 6})
		if i > 0 && i < 3 {
			t.Key = append(t.Key, 3-i)
		}
	}
	extra := []change.Value{change.Null(), change.Float64(math.NaN()), change.PartialDate("0000-00-00"), change.Text("")}
	for i, k := range []change.Kind{change.KindText, change.KindFloat64, change.KindDate, change.KindText} {
		t.Columns = append(t.Columns, change.Column{Name: fmt.Sprintf("extra %d", i), Native: "-", Kind: k, Nullable: true})
	}
	c := insertOrder(orders(), 1)
	c.Table, c.After = t, append(values, extra...)
	return c
}

func keyless() change.Change {
	c := insertOrder(orders(), 1)
	t := *c.Table
	t.Key, t.Name = nil, "history"
	c.Table = &t
	c.Op, c.Before, c.After = change.Delete, c.After, nil
	return c
}

// text lays a record out for a person to read: one line each for key and value and for each header.
func text(r codec.Record) []byte {
	var b bytes.Buffer
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Key, h.Value)
	}
	fmt.Fprintf(&b, "key: %s\n", r.Key)
	if r.Value == nil {
		fmt.Fprintln(&b, "null value")
	} else {
		fmt.Fprintf(&b, "value: %s\n", r.Value)
	}
	return b.Bytes()
}

// untext is the inverse of text.
func untext(b []byte) codec.Record {
	var r codec.Record
	for line := range strings.Lines(string(b)) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "key":
			r.Key = []byte(rest)
		case "value":
			r.Value = []byte(rest)
		case "null value":
		default:
			r.Headers = append(r.Headers, codec.Header{Key: name, Value: []byte(rest)})
		}
	}
	return r
}

func check(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", path, got, want)
	}
	return want
}

// TestGoldenRecords holds what is written against testdata, and reads testdata back: what v1 has written, v1 reads.
func TestGoldenRecords(t *testing.T) {
	t.Parallel()
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			e := codec.NewEncoder(g.options)
			want := check(t, g.name, text(record(t, e, &g.change)))
			s := schemas{}
			s.add(t, e, g.change.Table)
			got, ok, err := codec.NewDecoder("shop", s.lookup).Decode(untext(want))
			if err != nil || !ok {
				t.Fatalf("decoded to %v, %v", ok, err)
			}
			if diff := difference(&g.change, &got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGoldenSchemaRecord(t *testing.T) {
	t.Parallel()
	p, err := codec.NewEncoder(codec.Options{}).Plan(orders())
	if err != nil {
		t.Fatal(err)
	}
	value, err := p.AppendSchema(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := untext(check(t, "schema", text(codec.Record{Key: []byte(p.Fingerprint()), Value: value})))
	fingerprint, table, err := codec.ParseSchemaRecord(r.Key, r.Value)
	if err != nil || fingerprint != p.Fingerprint() || table.String() != "public.orders" {
		t.Errorf("read back as %s, %v, %v", fingerprint, table, err)
	}
	if _, _, err := codec.ParseSchemaRecord([]byte(strings.Repeat("0", 32)), r.Value); err == nil {
		t.Error("a shape under another fingerprint was taken")
	}
}

func TestGoldenChange(t *testing.T) {
	t.Parallel()
	for _, g := range goldens() {
		switch g.name {
		case "insert", "update_unset_omit", "truncate_chunk":
		default:
			continue
		}
		b, err := codec.AppendChange(nil, &g.change)
		if err != nil {
			t.Fatal(err)
		}
		want := check(t, "parked_"+g.name, append(b, '\n'))
		got, err := codec.ParseChange(want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := difference(&g.change, &got); diff != "" {
			t.Errorf("%s: %s", g.name, diff)
		}
	}
}

// TestCommitTimeIsExact: what the format can't carry is refused, not rounded.
func TestCommitTimeIsExact(t *testing.T) {
	t.Parallel()
	e := codec.NewEncoder(codec.Options{})
	c := insertOrder(orders(), 1)
	c.Txn = &change.Txn{ID: "1", Committed: time.Unix(0, 1)}
	if _, err := e.AppendValue(nil, &c); err == nil {
		t.Error("a commit time in nanoseconds was cut to microseconds")
	}
}

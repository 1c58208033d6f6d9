package codec_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"pgregory.net/rapid"
)

// schemas is a schema topic: fingerprint to shape.
type schemas map[string][]byte

func (s schemas) lookup(fingerprint string) (*change.Table, error) {
	b, ok := s[fingerprint]
	if !ok {
		return nil, codec.ErrUnknownShape
	}
	_, t, err := codec.ParseSchemaRecord([]byte(fingerprint), b)
	return t, err
}

// fail is what testing.T and rapid.T have in common.
type fail interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (s schemas) add(t fail, e *codec.Encoder, table *change.Table) {
	t.Helper()
	p, err := e.Plan(table)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.AppendSchema(nil)
	if err != nil {
		t.Fatal(err)
	}
	s[p.Fingerprint()] = b
}

// record makes c's record, as a publisher does.
func record(t fail, e *codec.Encoder, c *change.Change) codec.Record {
	t.Helper()
	key, err := e.AppendKey(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	r := codec.Record{Key: key}
	if !c.Op.IsMarker() {
		if r.Value, err = e.AppendValue(nil, c); err != nil {
			t.Fatal(err)
		}
	}
	var h codec.Headers
	list, err := e.Headers(&h, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		r.Headers = append(r.Headers, codec.Header{Key: one.Key, Value: bytes.Clone(one.Value)})
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	for _, unset := range []codec.Unset{codec.UnsetOmit, codec.UnsetDebezium} {
		rapid.Check(t, func(t *rapid.T) {
			e := codec.NewEncoder(codec.Options{Unset: unset})
			s := schemas{}
			d := codec.NewDecoder("shop", s.lookup)
			table := genTable(t)
			s.add(t, e, table)
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				in := genChange(t, table)
				r := record(t, e, &in)
				out, ok, err := d.Decode(r)
				if err != nil || !ok {
					t.Fatalf("%s\n%s\ndecoded to %v, %v", r.Key, r.Value, ok, err)
				}
				if diff := difference(&in, &out); diff != "" {
					t.Fatalf("%s\n%s\ncame back different: %s", r.Key, r.Value, diff)
				}
			}
		})
	}
}

func TestChangeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := genChange(t, genTable(t))
		b, err := codec.AppendChange([]byte("before"), &in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := codec.ParseChange(b[len("before"):])
		if err != nil {
			t.Fatalf("%s\n%v", b, err)
		}
		if diff := difference(&in, &out); diff != "" {
			t.Fatalf("%s\ncame back different: %s", b, diff)
		}
	})
}

func TestPointersAreShared(t *testing.T) {
	t.Parallel()
	e := codec.NewEncoder(codec.Options{})
	s := schemas{}
	asked := 0
	d := codec.NewDecoder("shop", func(f string) (*change.Table, error) {
		asked++
		return s.lookup(f)
	})
	table := orders()
	first, other := insertOrder(table, 1), insertOrder(table, 2)
	other.Txn = first.Txn
	later := insertOrder(table, 3)
	later.Txn = &change.Txn{ID: "572@0/1", Committed: first.Txn.Committed}
	if _, _, err := d.Decode(record(t, e, &first)); !errors.Is(err, codec.ErrUnknownShape) {
		t.Fatalf("an unknown shape is %v", err)
	}
	s.add(t, e, table)
	var out []change.Change
	for _, c := range []change.Change{first, other, later} {
		got, _, err := d.Decode(record(t, e, &c))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got)
	}
	if asked != 2 || out[0].Table != out[1].Table || out[0].Table != out[2].Table {
		t.Errorf("one fingerprint has several tables, or was asked for %d times", asked)
	}
	if out[0].Txn != out[1].Txn || out[1].Txn == out[2].Txn {
		t.Error("changes of one transaction don't share it, or those of two do")
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	e := codec.NewEncoder(codec.Options{Tombstones: true})
	s := schemas{}
	table := orders()
	s.add(t, e, table)
	c := insertOrder(table, 1)
	if e.HasTombstone(&c) {
		t.Error("an insert has a tombstone")
	}
	c.Op, c.Before, c.After = change.Delete, c.After, nil
	if !e.HasTombstone(&c) {
		t.Error("a delete has no tombstone")
	}
	r := record(t, e, &c)
	r.Value = nil
	if got, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r); ok || err != nil {
		t.Errorf("a tombstone is %+v, %v, %v", got, ok, err)
	}
}

// TestDecodedChangeOwnsItsBytes overwrites a record after it was decoded.
func TestDecodedChangeOwnsItsBytes(t *testing.T) {
	t.Parallel()
	e := codec.NewEncoder(codec.Options{})
	s := schemas{}
	table := orders()
	s.add(t, e, table)
	c := insertOrder(table, 1)
	r := record(t, e, &c)
	d := codec.NewDecoder("shop", s.lookup)
	out, _, err := d.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	kept := slices.Clone(out.After)
	for i := range r.Value {
		r.Value[i] = 'x'
	}
	next := insertOrder(table, 2)
	if _, _, err := d.Decode(record(t, e, &next)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(kept, c.After) || !slices.Equal(out.After, c.After) {
		t.Error("a decoded row changed with the record that it came from")
	}
}

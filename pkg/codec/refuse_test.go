package codec_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// small is a table of one column of each way to be read.
func small() *change.Table {
	return &change.Table{Source: "shop", Engine: "postgres", Schema: "s", Name: "t", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Kind: change.KindInt}, {Name: "n", Kind: change.KindUint}, {Name: "x", Kind: change.KindFloat32}, {Name: "s", Kind: change.KindText},
		{Name: "b", Kind: change.KindBytes}, {Name: "at", Kind: change.KindInstant, Precision: 3}, {Name: "ok", Kind: change.KindBool}}}
}

func smallChange(t *change.Table) change.Change {
	return change.Change{Op: change.Insert, Table: t, Pos: change.Position{Epoch: 1, Commit: 2, Seq: 5}, Txn: insertOrder(orders(), 1).Txn,
		After: []change.Value{change.Int(1), change.Uint(2), change.Float32(0.5), change.Text("text"), change.Bytes("\x00"), change.Instant(0), change.Bool(true)}}
}

const smallRow = `{"id":1,"n":2,"x":0.5,"s":"text","b":"AA==","at":"2000-01-01T00:00:00.000Z","ok":true}`

// TestDecodeOtherForms: what others write for the same change.
func TestDecodeOtherForms(t *testing.T) {
	t.Parallel()
	envelope := func(row string) string {
		return `{"before":null,"after":` + row + `,"source":{"a":[1,{"b":null}],"c":"}"},"op":"c","ts_ms":1}`
	}
	cases := []struct{ name, value string }{
		{"ours", envelope(smallRow)},
		{"members in another order", `{"op":"c","ts_ms":null,"source":{},"after":` + smallRow + `,"before":null}`},
		{"columns in another order", envelope(`{"ok":true,"at":"2000-01-01T00:00:00.000Z","b":"AA==","s":"text","x":0.5,"n":2,"id":1}`)},
		{"white space", " {\n\"before\" : null , \"after\" : { \"id\" : 1 , \"n\":2,\"x\":5e-1,\t\"s\":\"text\",\"b\":\"AA==\",\"at\":\"2000-01-01T00:00:00.000Z\",\"ok\":true } ,\r\n\"source\":{ } , \"op\" : \"c\" , \"ts_ms\" : 1 } "},
		{"escapes", envelope(strings.NewReplacer(`"s":"text"`, `"\u0073":"t\u0065\u0078t"`).Replace(smallRow))},
	}
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	want := smallChange(small())
	s.add(t, e, want.Table)
	d := codec.NewDecoder("shop", s.lookup)
	for _, c := range cases {
		r := record(t, e, &want)
		r.Value = []byte(c.value)
		got, ok, err := d.Decode(r)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", c.name, ok, err)
			continue
		}
		if diff := difference(&want, &got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestDecodeRefuses replaces one part of a good value: the error says what is wrong and where.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, old, new, says string }{
		{"integer above 64 bits", `"id":1`, `"id":9223372036854775808`, "column id"},
		{"negative for unsigned", `"n":2`, `"n":-2`, "column n"},
		{"fraction for an integer", `"n":2`, `"n":2.0`, "column n"},
		{"exponent for an integer", `"n":2`, `"n":2e0`, "column n"},
		{"leading zero", `"n":2`, `"n":02`, "column n"},
		{"string for an integer", `"n":2`, `"n":"2"`, "column n"},
		{"number for text", `"s":"text"`, `"s":1`, "column s"},
		{"object for text", `"s":"text"`, `"s":{}`, "column s"},
		{"float out of range", `"x":0.5`, `"x":1e39`, "column x"},
		{"other name of infinity", `"x":0.5`, `"x":"inf"`, "column x"},
		{"hexadecimal float", `"x":0.5`, `"x":0x1p-1`, ""},
		{"text for a boolean", `"ok":true`, `"ok":"true"`, "column ok"},
		{"base64 with stray bits", `"AA=="`, `"AB=="`, "column b"},
		{"base64 with a line break", `"AA=="`, `"AA==\n"`, "column b"},
		{"no such day", `2000-01-01T`, `2000-02-30T`, "column at"},
		{"year that wraps round", `2000-01-01T`, `+9999999-01-01T`, "column at"},
		{"more digits than the column has", `00.000Z`, `00.0001Z`, "column at"},
		{"no zone", `00.000Z`, `00.000`, "column at"},
		{"blank for T", `2000-01-01T`, `2000-01-01 `, "column at"},
		{"column missing", `"n":2,`, ``, "column n"},
		{"last column missing", `,"ok":true`, ``, "column ok"},
		{"column of another table", `"n":2`, `"n":2,"m":3`, `"m"`},
		{"column twice", `"n":2`, `"n":2,"n":2`, "column n"},
		{"text column twice", `"s":"text"`, `"s":"text","s":"text"`, "column s"},
		{"other key", `"id":1`, `"id":2`, "key"},
		{"null key", `"id":1`, `"id":null`, "key"},
		{"half a surrogate pair", `"text"`, `"\ud834"`, "column s"},
		{"reversed pair", `"text"`, `"\udd1e\ud834"`, "column s"},
		{"control character", `"text"`, "\"a\nb\"", "column s"},
		{"not UTF-8", `"text"`, "\"a\xffb\"", "column s"},
		{"unknown escape", `"text"`, `"\x"`, "column s"},
		{"unknown op", `"op":"c"`, `"op":"t"`, "op"},
		{"op of another row", `"op":"c"`, `"op":"d"`, "delete"},
		{"snapshot with a transaction", `"op":"c"`, `"op":"r"`, "snapshot"},
		{"member missing", `,"ts_ms":1`, ``, "ts_ms"},
		{"member twice", `"op":"c"`, `"op":"c","op":"c"`, "op"},
		{"unknown member", `"op":"c"`, `"op":"c","transaction":null`, "transaction"},
		{"source of another type", `"source":{}`, `"source":1`, "source"},
		{"deep nesting", `"source":{}`, `"source":{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "nested"},
		{"more after it", `"ts_ms":1}`, `"ts_ms":1}}`, "the end"},
		{"cut off", `"ts_ms":1}`, `"ts_ms":1`, "ends early"},
		{"comma at the end", `"ok":true`, `"ok":true,`, "name"},
	}
	good := `{"before":null,"after":` + smallRow + `,"source":{},"op":"c","ts_ms":1}`
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	in := smallChange(small())
	s.add(t, e, in.Table)
	for _, c := range cases {
		r := record(t, e, &in)
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s: no %s in the value", c.name, c.old)
		}
		r.Value = []byte(strings.Replace(good, c.old, c.new, 1))
		_, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r)
		if ok || !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "s.t at 00000001-") {
			t.Errorf("%s: %v, %v", c.name, ok, err)
		}
	}
}

func TestHeadersRefused(t *testing.T) {
	t.Parallel()
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	in := smallChange(small())
	s.add(t, e, in.Table)
	set := func(key, value string) func(*codec.Record) {
		return func(r *codec.Record) {
			for i := range r.Headers {
				if r.Headers[i].Key == key {
					r.Headers[i].Value = []byte(value)
				}
			}
		}
	}
	add := func(key, value string) func(*codec.Record) {
		return func(r *codec.Record) { r.Headers = append(r.Headers, codec.Header{Key: key, Value: []byte(value)}) }
	}
	drop := func(key string) func(*codec.Record) {
		return func(r *codec.Record) {
			for i := range r.Headers {
				if r.Headers[i].Key == key {
					r.Headers = append(r.Headers[:i], r.Headers[i+1:]...)
					return
				}
			}
		}
	}
	cases := []struct {
		name string
		edit func(*codec.Record)
		want error
	}{
		{"none of ours", func(r *codec.Record) { r.Headers = []codec.Header{{Key: "traceparent"}} }, codec.ErrForeign},
		{"no source", drop("tw.source"), codec.ErrForeign},
		{"another source", set("tw.source", "shop2"), codec.ErrForeign},
		{"no position", drop("tw.pos"), change.ErrHalt},
		{"bad position", set("tw.pos", "00000001-00000000016b3748-0000000000000005"), change.ErrHalt},
		{"no shape", drop("tw.shape"), change.ErrHalt},
		{"another shape", set("tw.shape", "00"), codec.ErrUnknownShape},
		{"transaction without time", drop("tw.time"), change.ErrHalt},
		{"no transaction", func(r *codec.Record) { drop("tw.txn")(r); drop("tw.time")(r) }, change.ErrHalt},
		{"header twice", add("tw.pos", "x"), change.ErrHalt},
		{"header of a later release", add("tw.new", "x"), change.ErrHalt},
		{"empty unset", add("tw.unset", ""), change.ErrHalt},
		{"unset column with a value", add("tw.unset", "a1"), change.ErrHalt},
		{"unset in a row that isn't there", add("tw.unset", "b1"), change.ErrHalt},
		{"unset column out of range", add("tw.unset", "a7"), change.ErrHalt},
		{"unset columns not in order", add("tw.unset", "a2,1"), change.ErrHalt},
		{"unset columns that touch", add("tw.unset", "a1,2"), change.ErrHalt},
		{"empty value", func(r *codec.Record) { r.Value = []byte{} }, change.ErrHalt},
		{"marker with a value", func(r *codec.Record) { r.Key = []byte(`{"__tailwater":"truncate"}`) }, change.ErrHalt},
		{"unknown marker", func(r *codec.Record) { r.Key, r.Value = []byte(`{"__tailwater":"x"}`), nil }, change.ErrHalt},
	}
	for _, c := range cases {
		r := record(t, e, &in)
		c.edit(&r)
		if _, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r); ok || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, ok, err, c.want)
		}
	}
	r := record(t, e, &in)
	add("traceparent", "00-1")(&r)
	if _, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r); !ok || err != nil {
		t.Errorf("a header of others beside ours: %v", err)
	}
}

// TestEncodeRefuses: what would not come back as it is.
func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		edit func(*change.Change)
	}{
		{"text that is not UTF-8", func(c *change.Change) { c.After[3] = change.Text("a\xff") }},
		{"value of another kind", func(c *change.Change) { c.After[1] = change.Int(2) }},
		{"fraction digits that the column does not have", func(c *change.Change) { c.After[5] = change.Instant(1) }},
		{"partial date that the calendar has", func(c *change.Change) { c.After[5] = change.PartialDate("2024-01-10") }},
		{"partial date in a column of text", func(c *change.Change) { c.After[3] = change.PartialDate("0000-00-00") }},
		{"row too short", func(c *change.Change) { c.After = c.After[:3] }},
		{"no row", func(c *change.Change) { c.After = nil }},
		{"insert with an old row", func(c *change.Change) { c.Before = c.After }},
		{"delete without its row", func(c *change.Change) { c.Op = change.Delete }},
		{"row change without a transaction", func(c *change.Change) { c.Txn = nil }},
		{"snapshot row with one", func(c *change.Change) { c.Op = change.SnapshotRow }},
		{"unknown op", func(c *change.Change) { c.Op = 99 }},
		{"no table", func(c *change.Change) { c.Table = nil }},
		{"reserved column name", func(c *change.Change) { c.Table.Columns[0].Name = "__tailwater" }},
		{"two columns of one name", func(c *change.Change) { c.Table.Columns[0].Name = "n" }},
		{"too many columns", func(c *change.Change) {
			c.Table.Columns = make([]change.Column, 1<<15)
			c.After = make([]change.Value, 1<<15)
		}},
		{"key column out of range", func(c *change.Change) { c.Table.Key = []int{7} }},
		{"column without a kind", func(c *change.Change) { c.Table.Columns[0].Kind = change.KindNull }},
		{"date past the format", func(c *change.Change) {
			c.Table.Columns[1].Kind, c.After[1] = change.KindDate, change.Date(math.MaxInt64-1)
		}},
		{"clock past the format", func(c *change.Change) {
			c.Table.Columns[1].Kind, c.After[1] = change.KindTime, change.Time(math.MinInt64)
		}},
	}
	for _, c := range cases {
		in := smallChange(small())
		c.edit(&in)
		dst := []byte("kept")
		out, err := codec.NewEncoder(codec.Options{}).AppendValue(dst, &in)
		if !errors.Is(err, change.ErrHalt) || string(out) != "kept" {
			t.Errorf("%s: %s, %v", c.name, out, err)
		}
		if out, err = codec.AppendChange(dst, &in); !errors.Is(err, change.ErrHalt) || string(out) != "kept" {
			t.Errorf("%s, self-contained: %s, %v", c.name, out, err)
		}
	}
	unset := smallChange(small())
	unset.After[0] = change.Value{}
	if _, err := codec.NewEncoder(codec.Options{}).AppendKey(nil, &unset); !errors.Is(err, change.ErrUnsetKey) {
		t.Errorf("a key with an Unset column: %v", err)
	}
}

// TestPlaceholderText: text that happens to be Debezium's placeholder stays text, beside a column that is Unset.
func TestPlaceholderText(t *testing.T) {
	t.Parallel()
	e, s := codec.NewEncoder(codec.Options{Unset: codec.UnsetDebezium}), schemas{}
	in := smallChange(small())
	in.Op = change.Update
	in.After[3], in.After[4] = change.Text("__debezium_unavailable_value"), change.Value{}
	s.add(t, e, in.Table)
	out, ok, err := codec.NewDecoder("shop", s.lookup).Decode(record(t, e, &in))
	if err != nil || !ok {
		t.Fatal(err)
	}
	if diff := difference(&in, &out); diff != "" {
		t.Error(diff)
	}
}

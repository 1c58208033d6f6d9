package codec_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// fuzzHeaders reads headers from lines of "name: value".
func fuzzHeaders(s string) []codec.Header { return untext([]byte(s)).Headers }

func joinHeaders(list []codec.Header) string {
	var b strings.Builder
	for _, h := range list {
		b.WriteString(h.Key + ": " + string(h.Value) + "\n")
	}
	return b.String()
}

// FuzzDecode: no input makes it panic, and what decodes encodes again, to a record that decodes to an equal change.
func FuzzDecode(f *testing.F) {
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	for _, g := range goldens() {
		s.add(f, e, g.change.Table)
		r := record(f, codec.NewEncoder(g.options), &g.change)
		f.Add(r.Key, r.Value, r.Value == nil, joinHeaders(r.Headers))
	}
	f.Fuzz(func(t *testing.T, key, value []byte, null bool, headers string) {
		r := codec.Record{Key: key, Value: append([]byte{}, value...), Headers: fuzzHeaders(headers)}
		if null {
			r.Value = nil
		}
		d := codec.NewDecoder("shop", s.lookup)
		c, ok, err := d.Decode(r)
		if err != nil || !ok {
			return
		}
		if !null && !json.Valid(value) {
			t.Fatalf("%q is no JSON and was taken", value)
		}
		again, ok, err := d.Decode(record(t, codec.NewEncoder(codec.Options{}), &c))
		if err != nil || !ok {
			t.Fatalf("%q decoded, and encoded again does not: %v", value, err)
		}
		if diff := difference(&c, &again); diff != "" {
			t.Fatalf("%q: %s", value, diff)
		}
	})
}

// FuzzParseChange is FuzzDecode for the self-contained form.
func FuzzParseChange(f *testing.F) {
	for _, g := range goldens() {
		b, err := codec.AppendChange(nil, &g.change)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := codec.ParseChange(b)
		if err != nil {
			return
		}
		first, err := codec.AppendChange(nil, &c)
		if err != nil {
			t.Fatalf("%q parsed, and is refused: %v", b, err)
		}
		again, err := codec.ParseChange(first)
		if err != nil {
			t.Fatalf("%q parsed, %q does not: %v", b, first, err)
		}
		second, err := codec.AppendChange(nil, &again)
		if diff := difference(&c, &again); err != nil || diff != "" || !bytes.Equal(first, second) {
			t.Fatalf("%q: %s, %v", b, diff, err)
		}
	})
}

// FuzzRow puts any row object into an envelope that is in order, so that the fuzzer gets past it.
func FuzzRow(f *testing.F) {
	c := smallChange(small())
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	s.add(f, e, c.Table)
	f.Add(smallRow)
	f.Add(`{"id":1,"n":2,"x":"NaN","s":"\ud834\udd1e\n","b":"","at":"infinity","ok":null}`)
	f.Add(`{"id":1,"n":2,"x":-1e-7,"s":null,"b":null,"at":"0000-00-00 00:00:00","ok":false}`)
	f.Add(`{"id":1,"n":2,"x":0,"s":"é","b":"AAAA","at":"-4713-11-24T00:00:00.000Z","ok":false}`)
	headers := record(f, e, &c).Headers
	f.Fuzz(func(t *testing.T, row string) {
		r := codec.Record{Key: []byte(`{"id":1}`), Headers: headers,
			Value: []byte(`{"before":null,"after":` + row + `,"source":{},"op":"c","ts_ms":1}`)}
		d := codec.NewDecoder("shop", s.lookup)
		got, ok, err := d.Decode(r)
		if err != nil || !ok {
			return
		}
		if !json.Valid(r.Value) {
			t.Fatalf("%q is no JSON and was taken", row)
		}
		if got.After[0] != change.Int(1) {
			t.Fatalf("%q under the key 1", row)
		}
		again, ok, err := d.Decode(record(t, codec.NewEncoder(codec.Options{}), &got))
		if err != nil || !ok {
			t.Fatalf("%q decoded, and encoded again does not: %v", row, err)
		}
		if diff := difference(&got, &again); diff != "" {
			t.Fatalf("%q: %s", row, diff)
		}
	})
}

package codec_test

import (
	"encoding/json"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// FuzzFormats is FuzzDecode for the formats that have their own readers; what one of them reads it reads again behind itself, where it
// passes over what has not changed, and every format that carries it brings it back equal.
func FuzzFormats(f *testing.F) {
	s := schemas{}
	for _, format := range []codec.Format{codec.MaxwellJSON, codec.CanalJSON, codec.Avro} {
		e := codec.NewEncoder(optionsOf(format))
		for _, g := range formatGoldens(format) {
			if _, err := e.Plan(g.change.Table); err != nil {
				continue
			}
			s.add(f, e, g.change.Table)
			r := record(f, e, &g.change)
			f.Add(r.Key, r.Value, r.Value == nil, r.Key == nil, joinHeaders(r.Headers))
		}
	}
	o := optionsOf(codec.Avro)
	o.AsText = func(*change.Table, *change.Column) bool { return true }
	c := everyKind()
	e := codec.NewEncoder(o)
	s.add(f, e, c.Table)
	r := record(f, e, &c)
	f.Add(r.Key, r.Value, false, false, joinHeaders(r.Headers))
	f.Fuzz(func(t *testing.T, key, value []byte, null, keyless bool, headers string) {
		r := codec.Record{Key: append([]byte{}, key...), Value: append([]byte{}, value...), Headers: fuzzHeaders(headers)}
		if null {
			r.Value = nil
		}
		if keyless {
			r.Key = nil
		}
		d := codec.NewDecoder("shop", s.lookup)
		c, ok, err := d.Decode(r)
		if err != nil || !ok {
			return
		}
		if m, err := codec.ParseHeaders(r.Headers); err != nil || m.Format != codec.Avro && !null && !json.Valid(value) {
			t.Fatalf("%q is no JSON and was taken: %v", value, err)
		}
		again, ok, err := d.Decode(r)
		if err != nil || !ok {
			t.Fatalf("%q is read once and not twice: %v", value, err)
		}
		if diff := difference(&c, &again); diff != "" {
			t.Fatalf("%q read twice: %s", value, diff)
		}
		for _, format := range []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON} {
			back, ok, err := d.Decode(record(t, codec.NewEncoder(optionsOf(format)), &c))
			if err != nil || !ok {
				t.Fatalf("%q decoded, and in %s does not: %v", value, format, err)
			}
			if diff := difference(&c, &back); diff != "" {
				t.Fatalf("%q in %s: %s", value, format, diff)
			}
		}
	})
}

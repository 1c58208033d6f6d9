package codec_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// encode makes a whole record into reused buffers, as a publisher does.
type encode struct {
	e          *codec.Encoder
	h          codec.Headers
	key, value []byte
}

func (b *encode) run(t testing.TB, c *change.Change) (bytes int) {
	var err error
	if b.key, err = b.e.AppendKey(b.key[:0], c); err != nil {
		t.Fatal(err)
	}
	if b.value, err = b.e.AppendValue(b.value[:0], c); err != nil {
		t.Fatal(err)
	}
	list, err := b.e.Headers(&b.h, c)
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	return len(b.key) + len(b.value)
}

func withUnset(c change.Change) change.Change {
	c.Op = change.Update
	c.After = append([]change.Value(nil), c.After...)
	c.After[4] = change.Value{}
	return c
}

func TestAllocations(t *testing.T) {
	order, row := insertOrder(orders(), 7), insertWide(wide(), 7)
	update := withUnset(row)
	cases := []struct {
		name           string
		c              *change.Change
		encode, decode float64 // ceilings
	}{
		{"orders", &order, 0, 2},
		{"twelve columns", &row, 0, 2},
		{"twelve columns, one unset", &update, 0, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := encode{e: codec.NewEncoder(codec.Options{})}
			if n := testing.AllocsPerRun(100, func() { b.run(t, c.c) }); n > c.encode {
				t.Errorf("encoding costs %v allocations, at most %v", n, c.encode)
			}
			s := schemas{}
			s.add(t, b.e, c.c.Table)
			d, r := codec.NewDecoder("shop", s.lookup), record(t, b.e, c.c)
			n := testing.AllocsPerRun(100, func() {
				if _, ok, err := d.Decode(r); err != nil || !ok {
					t.Fatal(err)
				}
			})
			if n > c.decode {
				t.Errorf("decoding costs %v allocations, at most %v", n, c.decode)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	order, row := insertOrder(orders(), 1_234_567), insertWide(wide(), 1_234_567)
	for name, c := range map[string]*change.Change{"orders": &order, "wide": &row} {
		b.Run(name, func(b *testing.B) {
			e := encode{e: codec.NewEncoder(codec.Options{})}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = e.run(b, c)
			}
			b.SetBytes(int64(n))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	order, row := insertOrder(orders(), 1_234_567), insertWide(wide(), 1_234_567)
	for name, c := range map[string]*change.Change{"orders": &order, "wide": &row} {
		b.Run(name, func(b *testing.B) {
			e := codec.NewEncoder(codec.Options{})
			s := schemas{}
			s.add(b, e, c.Table)
			d, r := codec.NewDecoder("shop", s.lookup), record(b, e, c)
			b.ReportAllocs()
			b.SetBytes(int64(len(r.Key) + len(r.Value)))
			for b.Loop() {
				if _, ok, err := d.Decode(r); err != nil || !ok {
					b.Fatal(err)
				}
			}
		})
	}
}

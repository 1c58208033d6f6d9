package codec_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// BenchmarkFormats is BenchmarkEncode and BenchmarkDecode of the table of orders in each format.
func BenchmarkFormats(b *testing.B) {
	order := insertOrder(orders(), 1_234_567)
	for _, f := range []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON, codec.Flat, codec.Avro} {
		b.Run(f.String()+"/encode", func(b *testing.B) {
			e := encode{e: codec.NewEncoder(optionsOf(f))}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = e.run(b, &order)
			}
			b.SetBytes(int64(n))
		})
		if f == codec.Flat {
			continue
		}
		b.Run(f.String()+"/decode", func(b *testing.B) {
			e := codec.NewEncoder(optionsOf(f))
			s := schemas{}
			s.add(b, e, order.Table)
			d, r := codec.NewDecoder("shop", s.lookup), record(b, e, &order)
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

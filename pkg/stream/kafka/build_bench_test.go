package kafka

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// BenchmarkBuild is a record batch's whole way, from the pool and back: filled, compressed, sealed. Small ones are what thousands of tables with
// a few rows each make.
func BenchmarkBuild(b *testing.B) {
	p := packer{by: Zstd, z: compressorOf(b, 1<<24), pool: &chunkPool{}}
	for _, n := range []int{1, 100, 2000} {
		records, size := make([]record, n), 0
		for i := range records {
			records[i] = record{key: fmt.Appendf(nil, `{"id":%d}`, i), headers: []codec.Header{{Key: codec.HeaderPosition, Value: make([]byte, 42)}},
				value: fmt.Appendf(nil, `{"before":null,"after":{"id":%d,"name":"customer %d","price":"%d.50"},"op":"c"}`, i, i*7, i%100)}
			size += records[i].size()
		}
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c := p.pool.get()
				for i := range records {
					c.add(&records[i])
				}
				if err := finish(c, producer{id: 1}, p); err != nil {
					b.Fatal(err)
				}
				p.pool.put(c)
			}
		})
	}
}

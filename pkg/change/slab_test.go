package change_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestSlab: rows that lie beside each other in a slab never see each other's values, not even where one is appended to beyond its room.
func TestSlab(t *testing.T) {
	var s change.Slab
	var rows [][]change.Value
	for n := range 700 {
		size := n % 200
		row := s.Row(size)
		if len(row) != 0 || cap(row) != size {
			t.Fatalf("row of %d: len %d, cap %d", size, len(row), cap(row))
		}
		for range size {
			row = append(row, change.Int(int64(n)))
		}
		rows = append(rows, append(row, change.Int(int64(n)))) // one more than there is room for
	}
	for n, row := range rows {
		for i, v := range row {
			if v != change.Int(int64(n)) {
				t.Fatalf("row %d, column %d: %v", n, i, v)
			}
		}
	}
	if allocs := testing.AllocsPerRun(1000, func() { s.Row(8) }); allocs > 0.1 {
		t.Errorf("%.2f allocations a row", allocs)
	}
}

// TestSlabHoldsLittle: a row that outlives the others keeps no more of their text than the slab's bound.
func TestSlabHoldsLittle(t *testing.T) {
	var s change.Slab
	const size = 1 << 20
	row := func() []change.Value {
		r := append(s.Row(2), change.Int(1), change.Text(strings.Repeat("x", size)))
		s.Holds(size)
		return r
	}
	var kept [][]change.Value
	for range 64 {
		kept = append(kept, row())
		for range 3 {
			row()
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 2*64*size {
		t.Errorf("%d rows of a mebibyte keep %d MiB", len(kept), m.HeapAlloc>>20)
	}
	runtime.KeepAlive(kept)
}

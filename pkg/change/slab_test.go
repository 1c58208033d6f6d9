package change_test

import (
	"bytes"
	"runtime"
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
	if allocs := testing.AllocsPerRun(1000, func() { s.Row(8); s.Text([]byte("some forty bytes of text, for a short row")) }); allocs > 0.1 {
		t.Errorf("%.2f allocations a row", allocs)
	}
}

// TestSlabText: texts that lie beside each other are what was given, whatever their length, and stay so when what was given changes.
func TestSlabText(t *testing.T) {
	var s change.Slab
	var texts []string
	for n := range 3000 {
		b := bytes.Repeat([]byte{byte(n)}, n)
		texts = append(texts, s.Text(b))
		clear(b)
	}
	for n, text := range texts {
		if text != string(bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("text %d is %d bytes: %.20q", n, len(text), text)
		}
	}
}

// TestSlabHoldsLittle: a row that outlives the others keeps no more of their text than the slab's bound.
func TestSlabHoldsLittle(t *testing.T) {
	var s change.Slab
	const size = 1 << 20
	text := bytes.Repeat([]byte("x"), size)
	row := func() []change.Value {
		return append(s.Row(2), change.Int(1), change.Text(s.Text(text)))
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

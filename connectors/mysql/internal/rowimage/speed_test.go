package rowimage_test

import (
	"errors"
	"io"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// wide returns the recorded Insert of a row of twelve columns, and its plan.
func wide(tb testing.TB) (*rowimage.Plan, event) {
	tb.Helper()
	r := recordings(tb)[0]
	d := r.decoder()
	for _, e := range r.events {
		if err := d.event(e); err != nil {
			tb.Fatal(err)
		}
		if rowimage.IsRows(e.kind) {
			return d.plans[d.rows[0].table.ID], e
		}
	}
	tb.Fatal("no row event is recorded")
	return nil, event{}
}

func decodeEvent(tb testing.TB, r *rowimage.Reader, plan *rowimage.Plan, e event) {
	h, err := rowimage.ParseHeader(e.kind, e.body)
	if err == nil {
		err = r.Begin(plan, h)
	}
	for err == nil {
		_, _, err = r.Next()
	}
	if !errors.Is(err, io.EOF) {
		tb.Fatal(err)
	}
}

// TestAllocations is the ceiling: a row, or both images of an update, is one string; the values come from a slab of many rows.
func TestAllocations(t *testing.T) {
	plan, insert := wide(t)
	update := insert
	for _, e := range recordings(t)[0].events {
		if h, err := rowimage.ParseHeader(e.kind, e.body); err == nil && h.Op == change.Update {
			update = e
			break
		}
	}
	for name, e := range map[string]event{"insert": insert, "update": update} {
		var r rowimage.Reader
		decodeEvent(t, &r, plan, e)
		if n := testing.AllocsPerRun(100, func() { decodeEvent(t, &r, plan, e) }); n > 1 {
			t.Errorf("%.0f allocations for an %s, at most 1", n, name)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	plan, e := wide(b)
	var r rowimage.Reader
	b.ReportAllocs()
	b.SetBytes(int64(len(e.body)))
	for b.Loop() {
		decodeEvent(b, &r, plan, e)
	}
}

// BenchmarkGoMySQL is what the same row costs there, and its table map, which the end of a statement makes it forget.
func BenchmarkGoMySQL(b *testing.B) {
	r := recordings(b)[0]
	_, e := wide(b)
	decode := theirDecoder(b, r.events[0].body, r.flavor())
	b.ReportAllocs()
	b.SetBytes(int64(len(e.body)))
	for b.Loop() {
		decode(e)
	}
}

package rowimage_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestGoldenFrames decodes the recorded frames without a server.
func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	for _, r := range recordings(t) {
		got, file := r.text(t), filepath.Join(recorded, r.name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s, want\n%s", r.name, got, want)
		}
	}
}

// TestTruncated decodes every beginning of every recorded event, and each with a byte more: an error that halts, or no more than the
// rows before the cut, or, of a table map, whose last fields are optional, the same columns.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			d := r.decoder()
			for _, e := range r.events {
				for n := range e.body {
					if n > 500 && n < len(e.body)-500 {
						continue
					}
					truncated(t, d, e, n)
				}
				if err := d.event(e); err != nil {
					t.Fatal(err)
				}
				if err := d.try(event{e.kind, append(e.body[:len(e.body):len(e.body)], 0)}); !errors.Is(err, change.ErrHalt) {
					t.Fatalf("event %d and a byte more: %v", e.kind, err)
				}
			}
		})
	}
}

func truncated(t *testing.T, d *decoder, e event, n int) {
	t.Helper()
	rows := len(d.rows)
	err := d.try(event{e.kind, e.body[:n:n]})
	switch {
	case err != nil && !errors.Is(err, change.ErrHalt):
		t.Fatalf("event %d cut to %d of %d: %v doesn't halt", e.kind, n, len(e.body), err)
	case err != nil || rowimage.IsRows(e.kind):
		d.rows = d.rows[:rows]
		return
	case e.kind != tableMapEvent:
		t.Fatalf("event %d cut to %d of %d is accepted", e.kind, n, len(e.body))
	}
	part, err := rowimage.ParseTableMap(e.body[:n], d.flavor)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := rowimage.ParseTableMap(e.body, d.flavor)
	if err != nil || !reflect.DeepEqual(part.Types, whole.Types) {
		t.Fatalf("table map cut to %d of %d: %+v, %v", n, len(e.body), part.Types, err)
	}
}

// try decodes an event that the decoder's tables must not remember.
func (d *decoder) try(e event) error {
	if e.kind == tableMapEvent {
		_, err := rowimage.ParseTableMap(e.body, d.flavor)
		return err
	}
	once := &decoder{flavor: d.flavor, catalogue: d.catalogue, maps: d.maps, plans: d.plans, types: d.types}
	if e.kind == payloadEvent { // it brings tables of its own
		once.maps, once.plans, once.types = nil, nil, nil
	}
	return once.event(e)
}

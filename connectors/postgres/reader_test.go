package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const readShare = 1 << 20

var fresh = connectors.Start{Epoch: 1}

// reading is an opened source and what it has handed over.
type reading struct {
	t *testing.T
	connectors.Opened
	got    []change.Change
	shapes []*change.Table
}

func read(t *testing.T, c postgres.Config, start connectors.Start) *reading {
	t.Helper()
	return &reading{t: t, Opened: opened(t, c, start)}
}

// start is where the next source goes on.
func (r *reading) start() connectors.Start {
	return connectors.Start{Epoch: 1, Resume: r.Resume, Upto: r.Upto}
}

func (r *reading) close() {
	r.t.Helper()
	if err := r.Source.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// next reads one batch.
func (r *reading) next() error {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	b, err := r.Source.Read(ctx, readShare)
	if err != nil {
		return err
	}
	r.Resume, r.Upto = b.Resume, b.Upto
	for _, c := range b.Changes {
		if c.Op == change.NewShape {
			r.shapes = append(r.shapes, c.Table)
		} else {
			r.got = append(r.got, c)
		}
	}
	return nil
}

// all reads up to the log's present end and returns what has come since the last call.
func (r *reading) all() []change.Change {
	r.t.Helper()
	head, err := r.Source.Head(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for r.Upto.Less(head) {
		if err := r.next(); err != nil {
			r.t.Fatal(err)
		}
	}
	got := r.got
	r.got = nil
	return got
}

// failure reads until the source ends and returns why.
func (r *reading) failure() error {
	r.t.Helper()
	for {
		if err := r.next(); err != nil {
			return err
		}
	}
}

func wantError(t *testing.T, err, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("error %v, want %v", err, is)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

func openError(t *testing.T, c postgres.Config, start connectors.Start) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o, err := postgres.Open(c)(ctx, start)
	if err == nil {
		o.Source.Close()
		t.Fatal("opened")
	}
	return err
}

// lines writes changes one a line: operation, table, old and new row; ? is Unset.
func lines(changes []change.Change) string {
	var b []byte
	for _, c := range changes {
		b = append(append(append(b, c.Op.String()...), ' '), c.Table.Name...)
		b = appendRow(b, " -", c.Table, c.Before)
		b = append(appendRow(b, " +", c.Table, c.After), '\n')
	}
	return string(b)
}

func appendRow(b []byte, sign string, t *change.Table, row []change.Value) []byte {
	if row == nil {
		return b
	}
	b = append(b, sign...)
	for i, v := range row {
		if b = append(b, ' '); v.IsUnset() {
			b = append(b, '?')
		} else {
			b = change.AppendJSON(b, &t.Columns[i], v)
		}
	}
	return b
}

func want(t *testing.T, got []change.Change, text ...string) {
	t.Helper()
	expected := strings.Join(append(text, ""), "\n")
	if have := lines(got); have != expected {
		t.Fatalf("changes\n%swant\n%s", have, expected)
	}
}

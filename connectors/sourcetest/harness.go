package sourcetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Harness is a fresh database of a real server and what a test may do to it.
type Harness struct {
	// Open opens a Source on all tables of the database, without a snapshot.
	Open connectors.Open
	// Exec runs each statement in a transaction of its own.
	Exec func(sql ...string)
	// Txn runs the statements in one transaction.
	Txn func(sql ...string)
	// Rollback runs the statements in one transaction and rolls it back.
	Rollback func(sql ...string)
	// Identities are statements that change what table t's log carries of old rows, by name; a %s is the table. The key stays the
	// same under each.
	Identities map[string]string
	// Large is an SQL expression of a text too large for its row, which the log leaves out where a statement leaves it alone; empty: the
	// log carries all.
	Large string
	// Released is what the server was told it may forget; nil: it isn't told, and keeps its log by its own rules.
	Released func() string
	// Disconnect ends the Source's connections from the server's side.
	Disconnect func()
	// Patience is how long the server waits for an answer before it ends a connection.
	Patience time.Duration
}

// limit bounds each wait for the server.
const limit = 60 * time.Second

// maxBytes is a Read's share unless a case is about it.
const maxBytes = 1 << 20

// reader reads one opened Source.
type reader struct {
	t      *testing.T
	source connectors.Source
	opened connectors.Opened
	got    []change.Change // all rows and Truncates so far
	shapes int             // NewShapes so far
	upto   change.Position
	resume change.Resume
	places []placed // after each batch
	max    int
}

type placed struct {
	n      int // changes up to here
	resume change.Resume
	upto   change.Position
}

func open(t *testing.T, h Harness, start connectors.Start) *reader {
	t.Helper()
	r, err := tryOpen(t, h, start)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tryOpen opens, and waits while the server holds on to a connection that has just ended.
func tryOpen(t *testing.T, h Harness, start connectors.Start) (*reader, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		opened, err := h.Open(ctx, start)
		if errors.Is(err, change.ErrBusy) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		r := &reader{t: t, source: opened.Source, opened: opened, upto: opened.Upto, resume: opened.Resume, max: maxBytes}
		t.Cleanup(func() { r.source.Close() })
		return r, nil
	}
}

func (r *reader) close() {
	r.t.Helper()
	if err := r.source.Close(); err != nil {
		r.t.Fatalf("close: %v", err)
	}
}

// read reads one batch and checks what holds for every one.
func (r *reader) read() change.Batch {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	b, err := r.source.Read(ctx, r.max)
	if err != nil {
		r.t.Fatalf("read after %d changes: %v", len(r.got), err)
	}
	r.check(b)
	r.upto, r.resume = b.Upto, b.Resume
	for _, c := range b.Changes {
		if c.Op == change.NewShape {
			r.shapes++
			continue
		}
		r.got = append(r.got, c)
	}
	r.places = append(r.places, placed{len(r.got), b.Resume, b.Upto})
	return b
}

func (r *reader) check(b change.Batch) {
	r.t.Helper()
	if b.Upto.Less(r.upto) {
		r.t.Fatalf("upto went back from %s to %s", r.upto, b.Upto)
	}
	if b.Upto == r.upto && b.Resume != r.resume {
		r.t.Errorf("resume moved at upto %s", b.Upto)
	}
	last := r.opened.Upto
	if n := len(r.got); n > 0 {
		last = r.got[n-1].Pos
	}
	for i := range b.Changes {
		c := &b.Changes[i]
		if !last.Less(c.Pos) {
			r.t.Fatalf("%s at %s after %s", c.Op, c.Pos, last)
		}
		last = c.Pos
		if c.Txn == nil || c.Table == nil {
			r.t.Fatalf("%s at %s lacks its transaction or table", c.Op, c.Pos)
		}
		for _, row := range [][]change.Value{c.Before, c.After} {
			if row != nil && len(row) != len(c.Table.Columns) {
				r.t.Fatalf("%s at %s: %d values for %d columns", c.Op, c.Pos, len(row), len(c.Table.Columns))
			}
		}
	}
}

// readTo reads until n changes, shapes apart, have come and the log has been read to its present end.
func (r *reader) readTo(n int) []change.Change {
	r.t.Helper()
	head, err := r.source.Head(r.t.Context())
	if err != nil {
		r.t.Fatalf("head: %v", err)
	}
	for len(r.got) < n || r.upto.Less(head) {
		r.read()
	}
	if len(r.got) != n {
		r.t.Fatalf("%d changes, want %d:\n%s", len(r.got), n, texts(r.got))
	}
	return r.got
}

// texts writes changes for people and for comparison, without positions.
func texts(changes []change.Change) string {
	var b []byte
	for i := range changes {
		b = append(appendChange(b, &changes[i]), '\n')
	}
	return string(b)
}

func appendChange(b []byte, c *change.Change) []byte {
	b = append(append(append(b, c.Op.String()...), ' '), c.Table.Name...)
	if c.Before != nil {
		b = appendRow(append(b, " -"...), c.Table, c.Before)
	}
	if c.After != nil {
		b = appendRow(append(b, " +"...), c.Table, c.After)
	}
	return b
}

func appendRow(b []byte, t *change.Table, row []change.Value) []byte {
	for i, v := range row {
		b = append(b, ' ')
		switch {
		case v.IsUnset():
			b = append(b, '?')
		case len(v.Str()) > shown:
			b = append(b, "large"...)
		default:
			b = change.AppendJSON(b, &t.Columns[i], v)
		}
	}
	return b
}

// shown is the longest text that is written out.
const shown = 100

func want(t *testing.T, got []change.Change, lines ...string) {
	t.Helper()
	var text string
	for _, line := range lines {
		text += line + "\n"
	}
	if have := texts(got); have != text {
		t.Fatalf("changes\n%swant\n%s", have, text)
	}
}

// same fails unless both are the same changes at the same positions, in the same transactions.
func same(t *testing.T, got, want []change.Change) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d changes, want %d", len(got), len(want))
	}
	for i := range got {
		a, b := &got[i], &want[i]
		if a.Op != b.Op || a.Pos != b.Pos || *a.Txn != *b.Txn || a.Table.String() != b.Table.String() ||
			!slices.Equal(a.Before, b.Before) || !slices.Equal(a.After, b.After) {
			t.Fatalf("change %d is\n%s %s\nwant\n%s %s", i, appendChange(nil, a), a.Pos, appendChange(nil, b), b.Pos)
		}
	}
}

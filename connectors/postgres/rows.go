package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errColumns  = errors.New("a row has another number of columns than its table")
	errRowBytes = errors.New("the row is larger than max_row_bytes")
	errUnset    = errors.New("the row's key changes and the log doesn't carry this column")
	errIdentity = errors.New("the log doesn't tell which row this was, for a partition's replica identity is another than its root's")
)

// change takes the current message, an Insert, Update, Delete or Truncate of frame bytes.
//
// Every row counts in Seq, selected or not, so that a change of the selection moves no Position.
func (a *assembler) change(ctx context.Context, frame int) error {
	m := &a.message
	if m.Kind == pgoutput.Truncate {
		return a.truncate()
	}
	r, err := a.relation(m.OID)
	if err != nil {
		return err
	}
	if r.left != nil {
		a.noteLeft(r)
	}
	if r.table != nil {
		if err := a.rowChange(ctx, r, frame); err != nil {
			return fmt.Errorf("table %s.%s: %w", r.shape.Namespace, r.shape.Name, err)
		}
	}
	a.ordinal++
	return nil
}

func (a *assembler) truncate() error {
	for _, oid := range a.message.OIDs {
		r, err := a.relation(oid)
		if err != nil {
			return err
		}
		a.noteLeft(r)
		if r.table != nil {
			a.emit(r, change.Change{Op: change.Truncate}, change.SeqRow)
		}
		a.ordinal++
	}
	return nil
}

func (a *assembler) rowChange(ctx context.Context, r *streamed, frame int) error {
	m := &a.message
	var before, after []change.Value
	var err error
	if frame > a.maxRow { // no row of it can be larger otherwise
		if err := a.checkSize(r); err != nil {
			return err
		}
	}
	if m.Kind != pgoutput.Delete {
		if after, err = a.values(ctx, r, m.After, pgoutput.NoTuple); err != nil {
			return err
		}
	}
	if m.Old != pgoutput.NoTuple {
		if before, err = a.values(ctx, r, m.Before, m.Old); err == nil {
			err = told(r, before)
		}
		if err != nil {
			return err
		}
	}
	switch m.Kind {
	case pgoutput.Insert:
		a.emit(r, change.Change{Op: change.Insert, After: after}, change.SeqRow)
	case pgoutput.Delete:
		a.emit(r, change.Change{Op: change.Delete, Before: before}, change.SeqRow)
	default:
		return a.update(r, before, after)
	}
	return nil
}

// update emits an UPDATE as what it is: of one key, or of two.
//
// Invariant 3: a change of the key is Delete(old), then Insert(new); a new row with a hole in it can't be inserted and halts.
func (a *assembler) update(r *streamed, before, after []change.Value) error {
	for i := range after {
		// The log says that the statement left it alone, which it says of a large value only: an old row that has none there is of a partition that
		// logged no more than its key, whatever its identity is by now (see bareLeaf).
		if before != nil && after[i].IsUnset() && !before[i].IsNull() {
			after[i] = before[i]
		}
	}
	if before == nil || len(r.table.Key) > 0 && !keyChanges(r.table, before, after) {
		a.emit(r, change.Change{Op: change.Update, Before: before, After: after}, change.SeqRow)
		return nil
	}
	for i := range after {
		if after[i].IsUnset() {
			return fmt.Errorf("column %s: %w; run ALTER TABLE %s REPLICA IDENTITY FULL (and of a partitioned table the same on each partition), then take a new snapshot of the table: %w",
				r.table.Columns[i].Name, errUnset, quoteTable(r.table.Schema, r.table.Name), change.ErrHalt)
		}
	}
	a.emit(r, change.Change{Op: change.Delete, Before: before}, change.SeqRow)
	a.emit(r, change.Change{Op: change.Insert, After: after}, change.SeqInsert)
	return nil
}

func keyChanges(t *change.Table, before, after []change.Value) bool {
	for _, k := range t.Key {
		if before[k] != after[k] {
			return true
		}
	}
	return false
}

// values decodes a tuple. If a row has a label that its enumeration lacks, the list is read again, once for each: PostgreSQL doesn't
// describe a table anew when a type of it gains a label. A label renamed since stays as the log has it.
func (a *assembler) values(ctx context.Context, r *streamed, cells []pgoutput.Cell, old pgoutput.OldKind) ([]change.Value, error) {
	row, err := a.decode(r, cells, old)
	unknown := slices.DeleteFunc(a.row.UnknownLabels(), func(label string) bool { return slices.Contains(r.unlisted, label) })
	if err != nil || len(unknown) == 0 {
		return row, err
	}
	table, err := a.shapes.fromLog(ctx, r.shape, a.current.XID)
	if err != nil {
		return nil, err
	}
	if table != r.table {
		r.set(table)
	} else {
		r.unlisted = append(r.unlisted, unknown...)
	}
	return row, nil
}

// told halts on an old row that can't be told apart. Under a partitioned table the old row is the partition's, by the partition's identity.
func told(r *streamed, old []change.Value) error {
	if len(r.table.Key) == 0 && r.bare != "" {
		return fmt.Errorf("%w: run ALTER TABLE %s REPLICA IDENTITY FULL (the root's own doesn't reach its partitions), then take a new snapshot of the table: %w",
			errIdentity, r.bare, change.ErrHalt)
	}
	for _, k := range r.table.Key {
		if old[k].IsNull() {
			return fmt.Errorf("column %s: %w: run ALTER TABLE … REPLICA IDENTITY DEFAULT, or FULL, on each partition that has another one, then take a new snapshot of the table: %w",
				r.table.Columns[k].Name, errIdentity, change.ErrHalt)
		}
	}
	return nil
}

// decode decodes a tuple into a row of its own. In a key's tuple the columns outside the identity are not in the log, nor are they in a whole
// one where some partition logs no more than its key.
func (a *assembler) decode(r *streamed, cells []pgoutput.Cell, old pgoutput.OldKind) ([]change.Value, error) {
	columns := r.table.Columns
	if len(cells) != len(columns) {
		return nil, fmt.Errorf("%d columns for %d: %w: %w", len(cells), len(columns), errColumns, change.ErrHalt)
	}
	a.row.Begin(len(cells))
	for i := range cells {
		switch {
		case old == pgoutput.KeyTuple && !r.shape.Columns[i].Key, old == pgoutput.OldTuple && r.bare != "" && !r.key[i], cells[i].Kind == pgoutput.Unchanged:
			a.row.Unset()
		case cells[i].Kind == pgoutput.Null:
			a.row.Null()
		default:
			if err := a.row.Text(&columns[i], cells[i].Data); err != nil {
				return nil, err
			}
		}
	}
	return a.row.Values(), nil
}

// checkSize halts on a row above the limit, by table, key and size.
//
// Invariant 9: memory is bounded by bytes, so a row has a largest size too.
func (a *assembler) checkSize(r *streamed) error {
	for _, cells := range [][]pgoutput.Cell{a.message.After, a.message.Before} {
		texts := make([][]byte, len(cells))
		for i := range cells {
			texts[i] = cells[i].Data
		}
		if err := checkRow(r.table, texts, a.maxRow); err != nil {
			return err
		}
	}
	return nil
}

// checkRow is checkSize for the texts of a row's columns, of the stream's or a snapshot's.
func checkRow(t *change.Table, texts [][]byte, limit int) error {
	size := 0
	for i := range texts {
		n := len(texts[i])
		if i < len(t.Columns) && t.Columns[i].Kind == change.KindBytes {
			n /= 2 // hexadecimal
		}
		size += n
	}
	if size > limit {
		return fmt.Errorf("key %s of %d bytes, limit %d: %w: %w", keyText(t, texts), size, limit, errRowBytes, change.ErrHalt)
	}
	return nil
}

// shownKeyBytes is how much of a key's column an error quotes.
const shownKeyBytes = 200

func keyText(t *change.Table, texts [][]byte) string {
	var text []byte
	for _, k := range t.Key {
		if k < len(texts) {
			text = fmt.Appendf(text, "%s=%q ", t.Columns[k].Name, texts[k][:min(len(texts[k]), shownKeyBytes)])
		}
	}
	if text == nil {
		return "(none)"
	}
	return string(text[:len(text)-1])
}

package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errRowBytes = errors.New("the row is larger than max_row_bytes")
	errUnset    = errors.New("the row's key changes and the log doesn't carry this column")
	errKeyless  = errors.New("the log doesn't carry this column, which is needed to tell the row by (its key was another one, or none, when the row was written)")
	errPartIns  = errors.New("a new row lacks this column in the log")
	errFull     = errors.New("SET PERSIST binlog_row_image = FULL (MariaDB: SET GLOBAL, and in the option file), end the old sessions, then take a new snapshot of the table")
)

// delivery is one group on its way from frames to changes.
type delivery struct {
	a      *assembler
	shapes map[uint64]*shape
	left   map[uint64]bool // out: of sequences
	n      int             // frames so far
}

// deliver decodes the rows of the group.
func (a *assembler) deliver(ctx context.Context) error {
	if a.frames.size() == 0 {
		return nil
	}
	d := &a.delivery
	if d.shapes == nil {
		d.shapes, d.left = map[uint64]*shape{}, map[uint64]bool{}
	}
	clear(d.shapes)
	clear(d.left)
	d.a, d.n = a, 0
	return a.frames.each(func(f frame) error {
		n := d.n
		d.n++
		for _, c := range a.group.cuts {
			if c.from <= n && n < c.to {
				return nil
			}
		}
		return d.frame(ctx, f)
	})
}

func (d *delivery) frame(ctx context.Context, f frame) error {
	id, _ := tableID(f.body) // it was read before
	if f.kind == eventTableMap {
		s, err := d.a.shapeOf(ctx, f)
		if err == nil {
			d.left[id], err = d.a.sequence(ctx, s)
		}
		d.shapes[id] = s
		return err
	}
	s := d.shapes[id]
	if d.left[id] {
		return nil
	}
	if s == nil {
		return fmt.Errorf("table number %d: %w: %w", id, errMap, change.ErrHalt)
	}
	if err := d.rows(s, f); err != nil {
		return fmt.Errorf("table %s: %w", s.table, err)
	}
	return nil
}

// rows decodes a row event.
//
// Every row event and every row in it counts in Seq, selected or not, so a change of the selection moves no Position.
func (d *delivery) rows(s *shape, f frame) error {
	h, err := rowimage.ParseHeader(f.kind, f.body)
	if err != nil {
		return err
	}
	if err := d.a.row.Begin(s.plan, h); err != nil {
		return err
	}
	if f.offset>>placeBits != 0 {
		return fmt.Errorf("offset %d in its transaction: %w: %w", f.offset, errPlace, change.ErrHalt)
	}
	for n := uint64(0); ; n++ {
		before, after, err := d.a.row.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n>>rowBits != 0 {
			return fmt.Errorf("row %d of one event: %w: %w", n, errPlace, change.ErrHalt)
		}
		if err := d.row(s, change.Change{Op: h.Op, Before: before, After: after}, f.offset<<rowBits|n); err != nil {
			return err
		}
		if d.a.segment.Bytes >= segmentBytes {
			if err := d.a.flush(); err != nil {
				return err
			}
		}
	}
}

func (d *delivery) row(s *shape, c change.Change, place uint64) error {
	for _, row := range [][]change.Value{c.Before, c.After} {
		if err := d.a.shapes.zero.apply(s, row); err != nil {
			return err
		}
		if err := checkRow(s.table, row, d.a.maxRow); err != nil {
			return err
		}
	}
	switch c.Op {
	case change.Insert:
		if i := unset(s, c.After); i >= 0 {
			return fmt.Errorf("column %s: %w; %w: %w", s.table.Columns[i].Name, errPartIns, errFull, change.ErrHalt)
		}
	case change.Update:
		return d.update(s, c.Before, c.After, place)
	case change.Delete:
		if err := told(s, c.Before); err != nil {
			return err
		}
	}
	d.emit(s, c, place<<2|change.SeqRow)
	return nil
}

// update emits an UPDATE as what it is: of one key, or of two.
//
// Invariant 3: a change of the key is Delete(old), then Insert(new); a new row with a hole in it can't be inserted and halts.
// Invariant 7: what neither image carries stays Unset.
func (d *delivery) update(s *shape, before, after []change.Value, place uint64) error {
	if err := told(s, before); err != nil {
		return err
	}
	for i := range after {
		if after[i].IsUnset() {
			after[i] = before[i] // the log says that the statement left it alone
		}
	}
	if len(s.table.Key) > 0 && !keyChanges(s.table, before, after) {
		d.emit(s, change.Change{Op: change.Update, Before: before, After: after}, place<<2|change.SeqRow)
		return nil
	}
	if i := unset(s, after); i >= 0 {
		return fmt.Errorf("column %s: %w; %w: %w", s.table.Columns[i].Name, errUnset, errFull, change.ErrHalt)
	}
	d.emit(s, change.Change{Op: change.Delete, Before: before}, place<<2|change.SeqRow)
	d.emit(s, change.Change{Op: change.Insert, After: after}, place<<2|change.SeqInsert)
	return nil
}

// told returns an error for an old row that can't be told apart: its key, or without one all of it, must be in the log.
func told(s *shape, row []change.Value) error {
	missing := -1
	if len(s.table.Key) == 0 {
		missing = unset(s, row)
	}
	for _, k := range s.table.Key {
		if row[k].IsUnset() {
			missing = k
		}
	}
	if missing < 0 {
		return nil
	}
	return fmt.Errorf("column %s: %w; %w: %w", s.table.Columns[missing].Name, errKeyless, errFull, change.ErrHalt)
}

// unset returns the first column that a row should have and hasn't, or -1. A generated column the target computes itself.
func unset(s *shape, row []change.Value) int {
	for i := range row {
		if row[i].IsUnset() && !s.table.Columns[i].Generated {
			return i
		}
	}
	return -1
}

// keyChanges compares bytes, as change.AppendKey does. Where the column's collation takes two texts for one, the Delete and the Insert
// share a lane (change.AppendLaneKey), so their order holds.
func keyChanges(t *change.Table, before, after []change.Value) bool {
	for _, k := range t.Key {
		if before[k] != after[k] {
			return true
		}
	}
	return false
}

// emit adds a change of the group, and before the first one of a shape that shape.
func (d *delivery) emit(s *shape, c change.Change, seq uint64) {
	d.a.announce(s.table, seq)
	c.Table = s.table
	d.a.add(c, seq)
}

// announce adds the NewShape of a table whose last one was another.
func (a *assembler) announce(t *change.Table, seq uint64) {
	name := tableName{t.Schema, t.Name}
	if a.announced[name] == t {
		return
	}
	a.announced[name] = t
	a.add(change.Change{Op: change.NewShape, Table: t}, seq&^3|change.SeqShape)
}

func (a *assembler) add(c change.Change, seq uint64) {
	c.Pos = change.Position{Epoch: a.epoch, Commit: commitOf(a.file, a.group.offset), Seq: seq}
	c.Txn = a.txn()
	a.segment.Add(&c)
}

// checkRow halts on a row above the limit, by table, key and size.
//
// Invariant 9: memory is bounded by bytes, so a row has a largest size too.
func checkRow(t *change.Table, row []change.Value, limit int) error {
	size := 0
	for i := range row {
		size += len(row[i].Str())
	}
	if size <= limit {
		return nil
	}
	return fmt.Errorf("key %s of %d bytes, limit %d: %w: %w", keyText(t, row), size, limit, errRowBytes, change.ErrHalt)
}

// shownKeyBytes is how much of a key an error quotes.
const shownKeyBytes = 200

func keyText(t *change.Table, row []change.Value) string {
	if len(t.Key) == 0 {
		return "(none)"
	}
	key, err := change.AppendKey(nil, t, row)
	if err != nil {
		return "(not in the log)"
	}
	return string(key[:min(len(key), shownKeyBytes)])
}

package rowimage

import (
	"fmt"
	"io"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Plan is how rows of one shape are decoded: made once for a TableMap, used for all its row events.
type Plan struct {
	types   []myvalue.Type // as the log has them
	visible []myvalue.Type
}

// Types are the types of the values that rows have: all of the plan's but the hidden.
func (p *Plan) Types() []myvalue.Type { return p.visible }

// Key returns the ordinals of m's key among Types, in the key's order.
func (p *Plan) Key(m *TableMap) ([]int, error) {
	var key []int
	for _, at := range m.Key {
		if at >= len(p.types) || p.types[at].Hidden {
			return nil, fmt.Errorf("%s: the key has a column that the log leaves out of some images: %w", m, change.ErrHalt)
		}
		ordinal := 0
		for i := range at {
			if !p.types[i].Hidden {
				ordinal++
			}
		}
		key = append(key, ordinal)
	}
	return key, nil
}

// NewPlan makes the plan of a table's columns: TableMap.Types after myvalue.Agree. A column that can't be carried, or that the log leaves
// ambiguous and the catalogue hasn't explained, is an error that names it.
func NewPlan(types []myvalue.Type) (*Plan, error) {
	for i := range types {
		if err := types[i].Carried(); err != nil {
			return nil, fmt.Errorf("column %s: %w", types[i].Name, err)
		}
	}
	return &Plan{types: types, visible: myvalue.Visible(types)}, nil
}

// Reader decodes the rows of one event after another. It is scratch memory that one goroutine owns; the zero Reader is ready.
type Reader struct {
	MaxBytes int // most bytes that a compressed row event may have uncompressed; 0: 1 GiB

	plan          *Plan
	op            change.Op
	before, after []byte // which columns the images hold
	rest          []byte
	row           myvalue.Row
	inflate       inflater
}

// Begin starts an event. The body that h came from stays untouched until the last Next.
func (r *Reader) Begin(p *Plan, h Header) error {
	w := wire{b: h.rest}
	n := w.packed()
	if w.bad || n != uint64(len(p.types)) {
		r.rest = nil
		return fmt.Errorf("row event of table %d: %d columns, its table map has %d: %w", h.Table, n, len(p.types), change.ErrHalt)
	}
	r.plan, r.op = p, h.Op
	r.before = w.take((n + 7) / 8)
	r.after = r.before
	if h.Op == change.Update {
		r.after = w.take((n + 7) / 8)
	}
	r.rest = w.b
	if w.bad {
		r.rest = nil
		return fmt.Errorf("row event of table %d: %w", h.Table, w.err())
	}
	if h.compressed {
		var err error
		if r.rest, err = r.inflate.rows(r.rest, r.MaxBytes); err != nil {
			return fmt.Errorf("row event of table %d: %w: %w", h.Table, err, change.ErrHalt)
		}
	}
	if len(r.rest) == 0 { // even a row of NULLs has its bits
		return fmt.Errorf("row event of table %d: no row: %w", h.Table, change.ErrHalt)
	}
	return nil
}

// Next returns the next row: Insert has after, Delete before, Update both. A column that the image lacks is Unset. The slices are the
// caller's. io.EOF ends the event.
func (r *Reader) Next() (before, after []change.Value, err error) {
	if len(r.rest) == 0 {
		return nil, nil, io.EOF
	}
	n := len(r.plan.visible)
	switch r.op {
	case change.Update:
		r.row.Begin(2 * n)
		if err = r.image(r.before); err == nil {
			err = r.image(r.after)
		}
	default:
		r.row.Begin(n)
		err = r.image(r.before)
	}
	if err != nil {
		r.rest = nil
		return nil, nil, err
	}
	values := r.row.Values()
	switch r.op {
	case change.Insert:
		return nil, values, nil
	case change.Delete:
		return values, nil, nil
	}
	return values[:n:n], values[n:], nil
}

// image adds the columns of one image: a bit for each that it holds says NULL, then come the cells of the others.
func (r *Reader) image(present []byte) error {
	held := 0
	for i := range r.plan.types {
		if bit(present, i) {
			held++
		}
	}
	size := (held + 7) / 8
	if held == 0 || len(r.rest) < size {
		return fmt.Errorf("row image of %d columns: %w: %w", held, errShort, change.ErrHalt)
	}
	nulls := r.rest[:size]
	r.rest = r.rest[size:]
	held = 0
	for i := range r.plan.types {
		t := &r.plan.types[i]
		here := bit(present, i)
		null := here && bit(nulls, held)
		if here {
			held++
		}
		switch {
		case !here && !t.Hidden:
			r.row.Unset()
		case null && !t.Hidden:
			r.row.Null()
		case here && !null:
			if err := r.cell(t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reader) cell(t *myvalue.Type) error {
	var n int
	var err error
	if t.Hidden {
		n, err = t.Skip(r.rest)
	} else {
		n, err = r.row.Binary(t, r.rest)
	}
	if err != nil {
		return err
	}
	r.rest = r.rest[n:]
	return nil
}

package mysql

import (
	"context"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// writer appends the statements of steps to a script, and sends it as it fills.
type writer struct {
	x     *script
	plans map[*change.Table]*plan
	keeps bool // the target's rows stay where the source truncates

	trusts  bool                   // foreign keys are checked only for plans that say so
	checked string                 // foreign_key_checks; empty: whatever an earlier writer has left
	anew    map[*change.Table]bool // rows of these that are written whole are deleted first, all of a step
}

func (s *Sink) writer(x *script, run *call) writer {
	return writer{x: x, plans: run.plans, keeps: s.config.Policy.Of(sinks.KindTruncate) == sinks.Ignore, trusts: s.config.TrustKeys}
}

// check has the server check foreign keys from here on, or not.
func (w *writer) check(checked bool) {
	want := map[bool]string{true: "1", false: "0"}[checked]
	if w.trusts && w.checked != want {
		w.checked = want
		w.x.add("SET foreign_key_checks = " + want)
	}
}

// write writes all steps in order. The server works on what was sent while more is being encoded; nothing is under way when write returns.
func (w *writer) write(ctx context.Context, steps []upsert.Step) error {
	return w.x.settle(w.steps(ctx, steps))
}

func (w *writer) steps(ctx context.Context, steps []upsert.Step) error {
	for i := range steps {
		if err := w.takeOut(ctx, steps[i].Runs); err != nil {
			return err
		}
		for _, run := range steps[i].Runs {
			if err := w.run(ctx, run); err != nil {
				return err
			}
		}
		if err := w.markers(ctx, steps[i].Markers); err != nil {
			return err
		}
	}
	return nil
}

// takeOut deletes the rows that are to be written anew.
func (w *writer) takeOut(ctx context.Context, runs []*upsert.Run) error {
	for _, run := range runs {
		if !w.anew[run.Table] || run.Action != upsert.Put || run.Present != nil {
			continue
		}
		if err := w.run(ctx, &upsert.Run{Table: run.Table, Action: upsert.Remove, Rows: run.Rows}); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) run(ctx context.Context, run *upsert.Run) error {
	p := w.plans[run.Table]
	if p.absent {
		return nil
	}
	w.check(p.checked)
	columns := p.whole
	if run.Present != nil {
		columns = p.present(run.Present)
	}
	switch run.Action {
	case upsert.Put, upsert.Add:
		return w.inserts(ctx, p, columns, run.Rows)
	case upsert.Remove:
		if p.mode != SoftDelete {
			return w.removes(ctx, p, run.Rows)
		}
		return w.each(ctx, run.Rows, -1, nil, p.appendStamp)
	case upsert.Patch:
		miss := reject(sinks.CodeRowMissing, "%s: the change has not all columns and the target has no row of its key", p)
		return w.each(ctx, run.Rows, 1, miss, func(dst []byte, row *upsert.Row) ([]byte, error) { return p.appendPatch(dst, columns, row) })
	}
	return w.each(ctx, run.Rows, -1, nil, func(dst []byte, row *upsert.Row) ([]byte, error) { return p.appendRemoveOne(dst, columns, row) })
}

// each writes one statement a row. Invariant 7: a Patch that didn't find its row is refused, never inserted.
func (w *writer) each(ctx context.Context, rows []upsert.Row, hits int64, miss error, statement func([]byte, *upsert.Row) ([]byte, error)) error {
	for i := range rows {
		start := len(w.x.b)
		var err error
		if w.x.b, err = statement(w.x.b, &rows[i]); err != nil {
			return err
		}
		if err := w.fits(ctx, start); err != nil {
			return err
		}
		w.x.end(hits, miss)
		if w.x.full() {
			if err := w.x.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// fits refuses a row whose statement alone is larger than what the server takes.
func (w *writer) fits(ctx context.Context, start int) error {
	if n := len(w.x.b) - start; n > w.x.limit {
		return reject(codePacket, "a statement of %d bytes for one row, and the target's max_allowed_packet takes %d", n, w.x.limit)
	}
	return w.x.room(ctx, start)
}

// inserts writes rows, several a statement. A row that would make the statement larger than the server takes begins the next.
func (w *writer) inserts(ctx context.Context, p *plan, columns []int, rows []upsert.Row) error {
	in := p.put
	if len(columns) != len(p.whole) {
		in = p.insert(columns)
	}
	for len(rows) > 0 {
		start, n := len(w.x.b), 0
		w.x.b = append(w.x.b, in.head...)
		for n < len(rows) && n < statementRows && !w.x.full() {
			before := len(w.x.b)
			if n > 0 {
				w.x.b = append(w.x.b, ",\n"...)
			}
			var err error
			if w.x.b, err = p.appendRow(w.x.b, columns, &rows[n]); err != nil {
				return err
			}
			if len(w.x.b)+len(in.tail) > w.x.limit && n > 0 {
				w.x.b = w.x.b[:before]
				break
			}
			n++
		}
		if n == 0 { // what had come before fills the script
			w.x.b = w.x.b[:start]
		} else {
			w.x.b = append(w.x.b, in.tail...)
			if err := w.fits(ctx, start); err != nil {
				return err
			}
			w.x.end(-1, nil)
		}
		rows = rows[n:]
		if len(rows) > 0 || w.x.full() {
			if err := w.x.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// removes deletes rows by their keys, several a statement.
func (w *writer) removes(ctx context.Context, p *plan, rows []upsert.Row) error {
	for len(rows) > 0 {
		n := min(len(rows), removedRows)
		start := len(w.x.b)
		var err error
		if w.x.b, err = p.appendRemove(w.x.b, rows[:n]); err != nil {
			return err
		}
		if err := w.fits(ctx, start); err != nil {
			return err
		}
		w.x.end(-1, nil)
		rows = rows[n:]
		if w.x.full() {
			if err := w.x.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// markers writes the Truncates among neighbours of one transaction. A NewShape needs nothing: its plan has been made ahead of the transaction.
func (w *writer) markers(ctx context.Context, markers []*change.Change) error {
	var emptied []*plan
	for _, m := range markers {
		p := w.plans[m.Table]
		switch {
		case m.Op != change.Truncate, p.absent, w.keeps && m.Txn != nil:
		case p.mode == Upsert:
			emptied = append(emptied, p)
		case p.mode == Append:
			w.check(p.checked)
			row := upsert.Row{Last: m, Values: make([]change.Value, len(m.Table.Columns))} // all Unset: a Truncate has no row
			if err := w.inserts(ctx, p, p.own, []upsert.Row{row}); err != nil {
				return err
			}
		default:
			at, err := datetimeOf(&targetColumn{fraction: 6})(nil, upsert.StampOf(m))
			if err != nil {
				return err
			}
			w.x.add(p.stampAll(string(at)))
		}
	}
	if len(emptied) > 0 {
		w.check(slices.ContainsFunc(emptied, func(p *plan) bool { return p.checked }))
	}
	for _, statement := range emptySQL(emptied) {
		w.x.add(statement)
	}
	return nil
}

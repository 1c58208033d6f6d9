package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// A statement takes at most so many rows and about so many bytes: the server starts on the first while the next is being encoded,
// and no array comes near its limit of 1 GiB unless one row does.
const (
	statementRows  = 2048
	statementBytes = 4 << 20
	firstRows      = 256 // of a table, in a call's first fold
)

// writer queues the statements of steps. It belongs to one call; its buffers are used again for each statement.
type writer struct {
	x       *exchange
	plans   map[*change.Table]*plan
	keeps   bool                   // the target's rows stay where the source truncates
	trusts  bool                   // foreign keys are checked only for plans that say so
	checked bool                   // they are from here on
	anew    map[*change.Table]bool // rows of these that are written whole are deleted first, all of a step
	args    [][]byte
	oids    []uint32
	formats []int16
}

func (s *Sink) writer(x *exchange, run *call) writer {
	return writer{x: x, plans: run.plans, keeps: s.config.Policy.Of(sinks.KindTruncate) == sinks.Ignore, trusts: s.config.TrustKeys}
}

// check has the server check foreign keys from here on, or not.
func (w *writer) check(checked bool) {
	if !w.trusts || w.checked == checked {
		return
	}
	w.checked = checked
	w.x.exec("SET LOCAL session_replication_role = " + map[bool]string{true: "origin", false: "replica"}[checked])
}

// write queues all steps in order.
func (w *writer) write(steps []upsert.Step) error {
	for i := range steps {
		if err := w.takeOut(steps[i].Runs); err != nil {
			return err
		}
		for _, run := range steps[i].Runs {
			if err := w.run(run); err != nil {
				return err
			}
		}
		if err := w.markers(steps[i].Markers); err != nil {
			return err
		}
	}
	w.check(false)
	return nil
}

// takeOut deletes the rows that are to be written anew.
func (w *writer) takeOut(runs []*upsert.Run) error {
	for _, run := range runs {
		if !w.anew[run.Table] || run.Action != upsert.Put || run.Present != nil {
			continue
		}
		if err := w.run(&upsert.Run{Table: run.Table, Action: upsert.Remove, Rows: run.Rows}); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) run(run *upsert.Run) error {
	p := w.plans[run.Table]
	if p.absent {
		return nil
	}
	w.check(p.checked)
	if run.Action == upsert.RemoveOne {
		return w.removeOnes(p, run)
	}
	columns, sql := p.present(run.Present), ""
	switch run.Action {
	case upsert.Remove:
		columns, sql = p.removed(), p.remove
	case upsert.Put:
		if sql = p.put; run.Present != nil {
			sql = p.putSQL(columns)
		}
	case upsert.Patch:
		sql = p.patchSQL(columns)
	case upsert.Add:
		sql = p.addSQL(columns)
	}
	for rows := run.Rows; len(rows) > 0; {
		n := statementLength(rows)
		var read func(*pgconn.ResultReader) error
		switch {
		case run.Action == upsert.Patch:
			read = hits(n, reject(sinks.CodeRowMissing, "%s: the change has not all columns and the target has no row of its key", p))
		case run.Action == upsert.Put && len(columns) > len(p.key): // a row of nothing but a key may be there already
			read = hits(n, reject(codeRowSkipped, "%s: a trigger or a rule of the target skipped the row", p))
		}
		if err := w.send(p, columns, rows[:n], statement{sql: sql, read: read}); err != nil {
			return err
		}
		if run.Action == upsert.Remove && p.skips {
			if err := w.send(p, p.key, rows[:n], statement{sql: p.keptSQL(), read: none(reject(codeRowSkipped, "%s: a trigger or a rule of the target keeps the row", p))}); err != nil {
				return err
			}
		}
		if err := w.x.flush(); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// statementLength is how many of rows go into the next statement; at least one.
func statementLength(rows []upsert.Row) int {
	size := 0
	for i := range rows {
		for j := range rows[i].Values {
			size += len(rows[i].Values[j].Str()) + 8
		}
		if i > 0 && (size > statementBytes || i == statementRows) {
			return i
		}
	}
	return len(rows)
}

// codeRowSkipped is the code of a row that the target took without an error and did not write.
const codeRowSkipped = "row_skipped"

// hits checks that a statement wrote each of its n rows; miss is what it means if not. Invariant 7: a Patch that didn't find its row is refused,
// never inserted.
func hits(n int, miss error) func(*pgconn.ResultReader) error {
	return func(rr *pgconn.ResultReader) error {
		tag, err := rr.Close()
		if err == nil && tag.RowsAffected() != int64(n) {
			return miss
		}
		return err
	}
}

// none checks that a statement finds nothing.
func none(found error) func(*pgconn.ResultReader) error {
	return func(rr *pgconn.ResultReader) error {
		tag, err := rr.Close()
		if err == nil && tag.RowsAffected() > 0 {
			return found
		}
		return err
	}
}

// send queues one statement over the columns of rows.
func (w *writer) send(p *plan, columns []int, rows []upsert.Row, st statement) error {
	for len(w.args) < len(columns) {
		w.args = append(w.args, nil)
	}
	w.oids, w.formats = w.oids[:0], w.formats[:0]
	for i, c := range columns {
		var err error
		if w.args[i], err = p.columns[c].appendArray(w.args[i][:0], rows); err != nil {
			return err
		}
		w.oids, w.formats = append(w.oids, p.columns[c].way.param.array), append(w.formats, 1)
	}
	st.args, st.oids, st.formats = w.args[:len(columns)], w.oids, w.formats
	if st.sql == p.put { // only this one: how a delete or a patch finds its rows has to be planned anew as the target grows
		w.x.sendNamed(preparedName(w.x.pg, st.sql), st)
		return nil
	}
	w.x.send(st)
	return nil
}

// removeOnes deletes one row for each of the run's: two equal rows need two statements, since one would find the same row twice.
func (w *writer) removeOnes(p *plan, run *upsert.Run) error {
	columns := p.removedOne(run)
	sql := p.removeOneSQL(columns)
	for i := range run.Rows {
		if err := w.send(p, columns, run.Rows[i:i+1], statement{sql: sql}); err != nil {
			return err
		}
	}
	return w.x.flush()
}

// removedOne returns the columns that removeOneSQL takes: the row's own, and when it was deleted if that is kept.
func (p *plan) removedOne(run *upsert.Run) []int {
	var columns []int
	for _, c := range p.present(run.Present) {
		if p.columns[c].source >= 0 || p.columns[c].name == upsert.ColumnDeleted {
			columns = append(columns, c)
		}
	}
	return columns
}

// markers queues the Truncates among neighbours of one transaction; where rows go, as one statement, since foreign keys may forbid
// to empty the tables one by one. A NewShape needs nothing: its plan has been made ahead of the transaction.
func (w *writer) markers(markers []*change.Change) error {
	var emptied []*plan
	for _, m := range markers {
		p := w.plans[m.Table]
		switch {
		case m.Op != change.Truncate, p.absent, w.keeps && m.Txn != nil:
		case p.mode == Upsert:
			emptied = append(emptied, p)
		default:
			if err := w.keepingTruncate(p, m); err != nil {
				return err
			}
		}
	}
	if len(emptied) > 0 {
		w.check(slices.ContainsFunc(emptied, func(p *plan) bool { return p.checked }))
		w.x.exec(truncateSQL(emptied))
	}
	return nil
}

// keepingTruncate queues a Truncate of a table whose rows stay.
func (w *writer) keepingTruncate(p *plan, m *change.Change) error {
	w.check(p.checked)
	row := upsert.Row{Last: m}
	if p.mode == Append {
		row.Values = make([]change.Value, len(m.Table.Columns)) // all Unset: a Truncate has no row
		return w.send(p, p.own, []upsert.Row{row}, statement{sql: p.addSQL(p.own)})
	}
	b, err := appendMicros(nil, upsert.StampOf(m))
	if err != nil {
		return err
	}
	w.x.send(statement{sql: p.stampAllSQL(), args: [][]byte{b}, oids: []uint32{oidTimestamptz}, formats: []int16{1}})
	return nil
}

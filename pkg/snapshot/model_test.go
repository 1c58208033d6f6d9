package snapshot_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"pgregory.net/rapid"
)

// model is a database whose transactions are logged at one moment and visible at another. All of it runs on the goroutine that
// calls Read, one random step after the other; the Runner's worker only hands its calls over and waits.
type model struct {
	t       *rapid.T
	lsn     uint64
	txns    []*modelTxn
	tables  map[string]*modelTable
	calls   chan *call
	pending *call
	budget  int  // random steps left before all comes to rest
	nudged  bool // an answer to Nudge is due
	refuse  int  // how many Opens run into their patience
	cursor  int  // txns delivered whole
	part    int  // changes delivered of txns[cursor]
	limit   int  // rows of a chunk at most; 0: any number
	lookups int  // answered so far
	upto    change.Position
	resume  change.Resume

	floor     int             // places before it don't hold a part that has come and is gone by now
	recreated bool            // some table was, or rows came beside the log
	changed   map[string]bool // tables to be looked at again
}

type modelTable struct {
	name   string
	shapes []*change.Table
	made   int // how often it was created
	turned int // how often its rows were changed beside the log
	parts  []modelPart
}

type modelTxn struct {
	txn     *change.Txn
	lsn     uint64
	visible bool
	changes []change.Change
	locks   map[string]bool // "table/key"; "table/*": the whole table
	effects []effect
}

// effect is what a transaction does to a table: a nil row takes the key away, no key all of them.
type effect struct {
	table, key string
	row        []change.Value
}

type call struct {
	sel     snapshot.Select
	kind    string
	chunk   snapshot.Chunk
	horizon string
	err     error
	reply   chan struct{}
}

var keyless = map[string]bool{"public.h": true}

func newModel(t *rapid.T) *model {
	m := &model{t: t, lsn: 10, tables: map[string]*modelTable{}, changed: map[string]bool{}, calls: make(chan *call, 4),
		budget: rapid.IntRange(0, 250).Draw(t, "budget"), refuse: rapid.IntRange(0, 1).Draw(t, "refuse")}
	for _, name := range []string{"public.a", "public.h", "public.b"} {
		m.tables[name] = &modelTable{name: name, parts: newParts(name)}
		m.alter(name)
	}
	first := m.begin()
	for _, name := range slices.Sorted(maps.Keys(m.tables)) {
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			m.write(first, name)
		}
	}
	first.visible = rapid.Bool().Draw(t, "visible") // the log begins behind it all the same
	m.log(first)
	m.cursor = len(m.txns)
	m.upto, m.resume = m.end(), change.Resume(strconv.FormatUint(m.lsn+5, 10))
	return m
}

// alter gives a table a new shape.
func (m *model) alter(name string) {
	t := m.tables[name]
	shape := &change.Table{Source: "s", Engine: "model", Schema: "public", Name: name[len("public."):], Columns: []change.Column{
		{Name: "id", Native: "int", Kind: change.KindInt}, {Name: "v", Native: fmt.Sprintf("int%04d", len(t.shapes)), Kind: change.KindInt},
		{Name: "big", Native: "text", Kind: change.KindInt}}, Key: []int{0}}
	if keyless[name] {
		shape.Key = nil
	}
	t.shapes = append(t.shapes, shape)
}

func (t *modelTable) shape() *change.Table { return t.shapes[len(t.shapes)-1] }

// end is the Position that Upto reaches once all of the log has been read.
func (m *model) end() change.Position {
	return change.Position{Epoch: 1, Commit: m.lsn + 4, Seq: change.MaxSeq}
}

func (m *model) begin() *modelTxn {
	return &modelTxn{lsn: m.lsn + 10, txn: &change.Txn{ID: strconv.FormatUint(m.lsn+10, 10)}, locks: map[string]bool{}}
}

func (m *model) log(x *modelTxn) {
	if len(x.changes) > 0 {
		m.lsn = x.lsn
		m.txns = append(m.txns, x)
	}
}

// locked says that a transaction that isn't visible yet holds the row.
func (m *model) locked(table, key string) bool {
	for _, x := range m.txns {
		if x.visible {
			continue
		}
		if x.locks[table+"/"+key] || x.locks[table+"/*"] {
			return true
		}
		if key == "*" {
			for lock := range x.locks {
				if lock[:len(table)+1] == table+"/" {
					return true
				}
			}
		}
	}
	return false
}

// state is the rows of a table as the transactions which see says leave them, x's own included.
func (m *model) state(table string, see func(*modelTxn) bool, x *modelTxn) map[string][]change.Value {
	rows := map[string][]change.Value{}
	list := m.txns
	if x != nil {
		list = append(slices.Clone(list), x)
	}
	for _, y := range list {
		if y != x && !see(y) {
			continue
		}
		for _, e := range y.effects {
			switch {
			case e.table != table:
			case e.key == "*":
				clear(rows)
			case e.row == nil:
				delete(rows, e.key)
			default:
				rows[e.key] = e.row
			}
		}
	}
	return rows
}

func always(*modelTxn) bool { return true }

// write adds one random row operation to x.
func (m *model) write(x *modelTxn, name string) {
	id := int64(rapid.IntRange(1, 7).Draw(m.t, "id"))
	key := strconv.FormatInt(id, 10)
	if m.locked(name, key) || !m.tables[name].takes(id) {
		return
	}
	rows := m.state(name, always, x)
	old, exists := rows[key]
	v := change.Int(int64(x.lsn))
	whole := func(id int64) []change.Value { return []change.Value{change.Int(id), v, v} }
	switch op := rapid.IntRange(0, 9).Draw(m.t, "op"); {
	case !exists:
		m.emit(x, name, change.Change{Op: change.Insert, After: whole(id)}, key)
	case op <= 2:
		m.emit(x, name, change.Change{Op: change.Delete, Before: old}, key)
	case keyless[name]:
		m.emit(x, name, change.Change{Op: change.Delete, Before: old}, key)
		m.emit(x, name, change.Change{Op: change.Insert, After: whole(id)}, key)
	case op <= 6:
		m.emit(x, name, change.Change{Op: change.Update, After: []change.Value{change.Int(id), v, {}}}, key)
	case op <= 7:
		to := int64(rapid.IntRange(1, 7).Draw(m.t, "to"))
		other := strconv.FormatInt(to, 10)
		if _, taken := rows[other]; taken || m.locked(name, other) || !m.tables[name].takes(to) {
			return
		}
		m.emit(x, name, change.Change{Op: change.Delete, Before: []change.Value{change.Int(id), {}, {}}}, key)
		m.emit(x, name, change.Change{Op: change.Insert, After: []change.Value{change.Int(to), v, old[2]}}, other)
	default:
		m.emit(x, name, change.Change{Op: change.Update, After: whole(id)}, key)
	}
}

func (m *model) emit(x *modelTxn, name string, c change.Change, key string) {
	e := effect{table: name, key: key}
	if c.Op != change.Delete {
		e.row = slices.Clone(c.After)
		if e.row[2].IsUnset() {
			e.row[2] = m.state(name, always, x)[key][2]
		}
	}
	c.Table, c.Txn = m.tables[name].shape(), x.txn
	c.Pos = change.Position{Epoch: 1, Commit: x.lsn, Seq: uint64(len(x.changes))<<2 | change.SeqRow}
	x.locks[name+"/"+key] = true
	x.changes = append(x.changes, c)
	x.effects = append(x.effects, e)
}

// createAgain drops a table and creates it again, which no log tells.
func (m *model) createAgain(name string) {
	if m.locked(name, "*") {
		return
	}
	x := m.begin()
	x.effects, x.visible = []effect{{table: name, key: "*"}}, true
	m.lsn = x.lsn
	m.txns = append(m.txns, x)
	m.tables[name].made++
	m.recreated, m.changed[name] = true, true
	m.tables[name].parts = newParts(name)
	m.alter(name)
}

// rewrite gives the rows of a table other values and keeps their keys, as an ALTER does, which no log tells.
func (m *model) rewrite(name string) {
	if m.locked(name, "*") {
		return
	}
	x := m.begin()
	x.visible = true
	v := change.Int(int64(x.lsn))
	for key, row := range m.state(name, always, nil) {
		x.effects = append(x.effects, effect{table: name, key: key, row: []change.Value{row[0], v, v}})
	}
	m.lsn = x.lsn
	m.txns = append(m.txns, x)
	m.tables[name].turned++
	m.changed[name] = true
	m.alter(name)
}

// step makes one random thing happen on the server.
func (m *model) step() {
	names := []string{"public.a", "public.h", "public.b"}
	switch n := rapid.IntRange(0, 19).Draw(m.t, "step"); {
	case n <= 8:
		x := m.begin()
		for range rapid.IntRange(1, 4).Draw(m.t, "ops") {
			m.write(x, rapid.SampledFrom(names).Draw(m.t, "table"))
		}
		x.visible = rapid.Bool().Draw(m.t, "visible")
		m.log(x)
	case n <= 9:
		name := rapid.SampledFrom(names).Draw(m.t, "table")
		if x := m.begin(); !m.locked(name, "*") {
			c := change.Change{Op: change.Truncate}
			m.emit(x, name, change.Change{Op: change.Delete, Before: []change.Value{change.Int(0), {}, {}}}, "*")
			x.changes[0].Op, x.changes[0].Before = c.Op, nil
			x.visible = rapid.Bool().Draw(m.t, "visible")
			m.log(x)
		}
	case n <= 10:
		if name := rapid.SampledFrom(names).Draw(m.t, "table"); !m.locked(name, "*") {
			m.alter(name)
		}
	case n <= 11:
		m.createAgain(rapid.SampledFrom(names).Draw(m.t, "table"))
	case n <= 12:
		m.repart(rapid.SampledFrom(names).Draw(m.t, "table"))
	case n <= 13:
		m.rewrite(rapid.SampledFrom(names).Draw(m.t, "table"))
	case n <= 15 && len(m.txns) > 0:
		if x := rapid.SampledFrom(m.txns).Draw(m.t, "txn"); !x.visible {
			x.visible = true
		}
	default:
		m.serve()
	}
}

// Read is snapshot.Log's.
func (m *model) Read(ctx context.Context, _ int, wake <-chan struct{}) (change.Batch, error) {
	for {
		synctest.Wait() // so that nothing depends on the scheduler
		rest := m.budget == 0
		if !rest {
			m.budget--
			m.step()
		} else {
			for _, x := range m.txns {
				x.visible = true
			}
			for m.serve() {
			}
		}
		deliver := rest || rapid.IntRange(0, 2).Draw(m.t, "deliver") == 0
		if deliver && m.cursor < len(m.txns) {
			return m.deliver(), nil
		}
		if m.cursor == len(m.txns) && m.nudged {
			m.nudged = false
			m.upto, m.resume = m.end(), change.Resume(strconv.FormatUint(m.lsn+5, 10))
			return change.Batch{Upto: m.upto, Resume: m.resume}, nil
		}
		select {
		case <-wake:
			return change.Batch{Upto: m.upto, Resume: m.resume}, nil
		default:
		}
		if rest {
			select {
			case <-wake:
				return change.Batch{Upto: m.upto, Resume: m.resume}, nil
			case <-ctx.Done():
				return change.Batch{}, ctx.Err()
			}
		}
	}
}

// deliver hands over some changes, up to the end of a transaction or not.
func (m *model) deliver() change.Batch {
	var out []change.Change
	for n := rapid.IntRange(1, 6).Draw(m.t, "changes"); n > 0 && m.cursor < len(m.txns); n-- {
		x := m.txns[m.cursor]
		if len(x.changes) > 0 {
			out = append(out, x.changes[m.part])
			m.part++
		}
		if m.part == len(x.changes) {
			m.cursor, m.part = m.cursor+1, 0
			m.upto = change.Position{Epoch: 1, Commit: x.lsn, Seq: change.MaxSeq}
			m.resume = change.Resume(strconv.FormatUint(x.lsn+1, 10))
		}
	}
	return change.Batch{Changes: out, Upto: m.upto, Resume: m.resume}
}

// restart stands the log at a saved place.
func (m *model) restart(resume change.Resume, upto change.Position) {
	at, _ := strconv.ParseUint(string(resume), 10, 64)
	m.cursor = slices.IndexFunc(m.txns, func(x *modelTxn) bool { return x.lsn >= at })
	if m.cursor < 0 {
		m.cursor = len(m.txns)
	}
	m.part, m.upto, m.resume, m.pending, m.nudged = 0, upto, resume, nil, false
	m.calls = make(chan *call, 4)
}

func (m *model) Nudge() { m.nudged = true }

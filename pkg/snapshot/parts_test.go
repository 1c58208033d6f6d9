package snapshot_test

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"pgregory.net/rapid"
)

// TestPartGoesBeforeItsRowsAreRead: the stream may bring rows of a part that has come long before all others are read. They don't stay at the target if
// it goes in between, whoever has seen it.
func TestPartGoesBeforeItsRowsAreRead(t *testing.T) {
	for _, seen := range []string{"by a Lookup", "by a look only", "at the start only"} {
		t.Run(seen, func(t *testing.T) {
			inBubble(t, func(t *rapid.T) { partComesAndGoes(t, seen) })
		})
	}
}

func partComesAndGoes(t *rapid.T, seen string) {
	const name = "public.b"
	m := newModel(t)
	m.budget, m.limit = 0, 1 // three rows are three Reads at least
	r := &run{t: t, m: m, g: newTarget(t)}
	m.moveHigh(name, true)
	clear(m.changed)
	for id := range int64(3) {
		m.insert(name, id+1)
	}
	r.places = []place{{m.resume, m.upto, nil, r.g.clone()}}
	r.open()
	defer func() { _ = r.close() }()
	switch seen {
	case "at the start only":
		r.toEnd()
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		last := r.places[len(r.places)-1]
		m.moveHigh(name, false)
		m.restart(last.resume, last.upto)
		r.open()
	case "by a look only":
		r.begin(name)
		m.moveHigh(name, false)
		r.look()
	default:
		r.begin(name)
		m.moveHigh(name, false)
		r.runner.Look(name)
		for before := m.lookups; m.lookups == before; {
			r.read()
		}
		synctest.Wait()
		r.read()
	}
	m.insert(name, 5)
	m.moveHigh(name, true)
	r.look()
	r.toEnd()
	if got, want := r.g.content(name), m.content(name); got != want {
		t.Fatalf("the target has\n%s\nthe source\n%s", got, want)
	}
}

// begin reads until a table's rows are being read.
func (r *run) begin(name string) {
	for {
		for _, p := range r.runner.Progress() {
			if p.Table != name || p.Started.IsZero() {
				continue
			}
			if p.Done {
				r.t.Fatal("all its rows were read at once")
			}
			return
		}
		r.read()
	}
}

// insert logs a row unless it is there.
func (m *model) insert(name string, id int64) {
	key := strconv.FormatInt(id, 10)
	if m.state(name, always, nil)[key] != nil {
		return
	}
	x := m.begin()
	v := change.Int(int64(x.lsn))
	m.emit(x, name, change.Change{Op: change.Insert, After: []change.Value{change.Int(id), v, v}}, key)
	x.visible = true
	m.log(x)
}

// moveHigh takes the part of the high ids away, or brings it back with a row.
func (m *model) moveHigh(name string, away bool) {
	p := &m.tables[name].parts[1]
	x := m.begin()
	x.visible = true
	for id := p.low; id <= p.high; id++ {
		x.effects = append(x.effects, effect{table: name, key: strconv.FormatInt(id, 10)})
	}
	if v := change.Int(int64(x.lsn)); !away {
		x.effects[0].row = []change.Value{change.Int(p.low), v, v}
	}
	p.version++
	p.away = away
	m.lsn = x.lsn
	m.txns = append(m.txns, x)
	m.changed[name], m.recreated = true, true
}

// TestPartGoesWhileItsRowsAreRead: the table is emptied once, and read whole; so it is found by the next Lookup.
func TestPartGoesWhileItsRowsAreRead(t *testing.T) {
	inBubble(t, func(t *rapid.T) {
		const name = "public.b"
		m := newModel(t)
		m.budget, m.limit = 0, 1
		r := &run{t: t, m: m, g: newTarget(t)}
		m.moveHigh(name, true)
		clear(m.changed)
		r.places = []place{{m.resume, m.upto, nil, r.g.clone()}}
		r.open()
		defer func() { _ = r.close() }()
		r.toEnd()
		m.moveHigh(name, false)
		r.look()
		for before := m.lookups; m.lookups < before+2; { // by the second one the new part's rows are to be read
			r.read()
		}
		m.moveHigh(name, true)
		r.look()
		r.toEnd()
		r.runner.Look(name)
		r.toEnd()
		if got, want := r.g.content(name), m.content(name); got != want || r.g.emptied[name] != 1 {
			t.Fatalf("the target was emptied %d times and has\n%s\nthe source\n%s", r.g.emptied[name], got, want)
		}
	})
}

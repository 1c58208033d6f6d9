package snapshot_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"pgregory.net/rapid"
)

// modelPart is a partition: the rows of some ids. It comes, goes and is emptied without a word in the log.
type modelPart struct {
	name      string
	low, high int64
	version   int
	away      bool
	looked    bool // the Runner has been told of it since it came
	known     int  // the first place that may hold it, or unknown
}

// unknown: the part has come, and no progress that was handed over since can hold it.
const unknown = -1

// newParts makes those of a table; public.a has none.
func newParts(name string) []modelPart {
	if name == "public.a" {
		return nil
	}
	return []modelPart{{name: "lo", low: 1, high: 3}, {name: "hi", low: 4, high: 7}}
}

func (t *modelTable) takes(id int64) bool {
	for _, p := range t.parts {
		if p.low <= id && id <= p.high {
			return !p.away
		}
	}
	return true
}

// repart takes a part away, empties it, or brings it back with rows.
func (m *model) repart(name string) {
	t := m.tables[name]
	if len(t.parts) == 0 {
		return
	}
	p := &t.parts[rapid.IntRange(0, 1).Draw(m.t, "part")]
	if p.known == unknown {
		return // no look at a catalogue tells of one that came and went between two of them: see decisions.md of connectors/postgres
	}
	for id := p.low; id <= p.high; id++ {
		if m.locked(name, strconv.FormatInt(id, 10)) {
			return
		}
	}
	m.changed[name], m.recreated = true, true
	x := m.begin()
	x.visible = true
	back := p.away
	for id := p.low; id <= p.high; id++ {
		e := effect{table: name, key: strconv.FormatInt(id, 10)}
		if v := change.Int(int64(x.lsn)); back && rapid.Bool().Draw(m.t, "row") {
			e.row = []change.Value{change.Int(id), v, v}
		}
		x.effects = append(x.effects, e)
	}
	p.version++
	if p.away = !back && rapid.Bool().Draw(m.t, "away"); p.away {
		m.floor = max(m.floor, p.known)
	} else if back {
		p.looked, p.known = false, unknown
	}
	m.lsn = x.lsn
	m.txns = append(m.txns, x)
}

func (m *model) partsOf(name string) []snapshot.Part {
	t := m.tables[name]
	if len(t.parts) == 0 {
		return nil
	}
	rows := m.state(name, always, nil)
	list := []snapshot.Part{{ID: "root", Empty: true}}
	for _, p := range t.parts {
		if p.away {
			continue
		}
		part := snapshot.Part{ID: fmt.Sprint(p.name, p.version), Where: p.name, Empty: true}
		for id := p.low; id <= p.high; id++ {
			part.Empty = part.Empty && rows[strconv.FormatInt(id, 10)] == nil
		}
		list = append(list, part)
	}
	return list
}

// partsMatch is the model's WHERE: the names of parts.
func partsMatch(where, key string) bool {
	id, _ := strconv.ParseInt(key, 10, 64)
	if where == "" {
		return true
	}
	for _, p := range newParts("public.b") {
		if strings.Contains(where, p.name) && p.low <= id && id <= p.high {
			return true
		}
	}
	return false
}

// noted is called with the place that a progress handed over is saved with: it may hold all parts that the Runner has been told of.
func (m *model) noted(place int) {
	for _, t := range m.tables {
		for i := range t.parts {
			if p := &t.parts[i]; p.looked && p.known == unknown {
				p.known = place
			}
		}
	}
}

// reopened tells a Runner that begins at a place of all parts.
func (m *model) reopened(place int) {
	for _, t := range m.tables {
		for i := range t.parts {
			if p := &t.parts[i]; p.known > place {
				p.known = unknown
			}
			t.parts[i].looked = true
		}
	}
}

// seen is what a connector's look at the catalogue finds.
func (m *model) seen(name string) []snapshot.Part {
	t := m.tables[name]
	for i := range t.parts {
		t.parts[i].looked = true
	}
	return m.partsOf(name)
}

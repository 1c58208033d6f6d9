package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// parkedKeys is the set of keys that have parked changes: lane key (folded, as lanes are hashed) to the exact keys under it and how many
// changes each has parked. Only keys are kept, so parked_limit bounds it. The zero value is empty.
type parkedKeys struct {
	keys map[string]map[string]int
	n    int // changes
}

// rowKey is a row's lane key and exact key, each with its table.
type rowKey struct{ lane, exact string }

// keysOf is what every key of a table begins with.
func keysOf(t *change.Table) string { return t.Schema + "\x00" + t.Name + "\x00" }

func keyOf(c *change.Change) (rowKey, error) {
	table := keysOf(c.Table)
	lane, err := change.AppendLaneKey([]byte(table), c.Table, c.Row())
	if err != nil {
		return rowKey{}, fmt.Errorf("key of a row at %s: %w: %w", c.Pos, err, change.ErrHalt)
	}
	k := rowKey{lane: string(lane)}
	if change.LaneKeyIsKey(c.Table) {
		k.exact = k.lane
		return k, nil
	}
	exact, err := change.AppendKey([]byte(table), c.Table, c.Row())
	k.exact = string(exact)
	return k, err
}

func (p *parkedKeys) add(k rowKey) {
	if p.keys == nil {
		p.keys = map[string]map[string]int{}
	}
	if p.keys[k.lane] == nil {
		p.keys[k.lane] = map[string]int{}
	}
	p.keys[k.lane][k.exact]++
	p.n++
}

func (p *parkedKeys) holds(k rowKey) bool { return p.keys[k.lane] != nil }

// supersedable says that k is the only key parked under its lane key: a snapshot row of it stands for all that is parked there.
func (p *parkedKeys) supersedable(k rowKey) bool {
	under := p.keys[k.lane]
	return len(under) == 1 && under[k.exact] > 0
}

func (p *parkedKeys) remove(k rowKey) {
	p.n -= p.keys[k.lane][k.exact]
	delete(p.keys[k.lane], k.exact)
	if len(p.keys[k.lane]) == 0 {
		delete(p.keys, k.lane)
	}
}

// truncate forgets all keys of a table.
func (p *parkedKeys) truncate(t *change.Table) {
	table := keysOf(t)
	for lane, under := range p.keys {
		if !strings.HasPrefix(lane, table) {
			continue
		}
		for _, n := range under {
			p.n -= n
		}
		delete(p.keys, lane)
	}
}

// clone is a copy to try things on.
func (p *parkedKeys) clone() parkedKeys {
	c := parkedKeys{keys: make(map[string]map[string]int, len(p.keys)), n: p.n}
	for lane, under := range p.keys {
		c.keys[lane] = make(map[string]int, len(under))
		for k, n := range under {
			c.keys[lane][k] = n
		}
	}
	return c
}

// job is one call of ApplyAt in the making.
type job struct {
	changes  []change.Change
	parked   []sinks.Parked
	from, to []change.Mark
	lanes    []*laneState
	waited   change.Position // order has been waited for up to here
	since    time.Time       // when the first of these waits began
}

// behind parks the changes of j whose key is parked already (invariant 8); they have no code of their own. A SnapshotRow supersedes
// what is parked of its key, a Truncate what is parked of its table: it is applied, and what comes after it as well.
func (j *job) behind(keys *parkedKeys) error {
	if keys.n == 0 {
		return nil
	}
	return j.route(keys.clone(), nil)
}

// refuse parks the changes that the target refused, by index into changes, and all later ones of their keys.
func (j *job) refuse(refused []sinks.Refused) error {
	byIndex := make(map[int]*sinks.Refused, len(refused))
	for i := range refused {
		byIndex[refused[i].Index] = &refused[i]
	}
	return j.route(parkedKeys{}, byIndex)
}

func (j *job) route(held parkedKeys, refused map[int]*sinks.Refused) error {
	kept := make([]change.Change, 0, len(j.changes))
	for i := range j.changes {
		c := &j.changes[i]
		why := refused[i]
		if c.Op == change.Truncate {
			held.truncate(c.Table)
			j.untable(c)
		}
		if c.Op.IsMarker() || why == nil && held.n == 0 {
			kept = append(kept, *c)
			continue
		}
		k, err := keyOf(c)
		if err != nil {
			return err
		}
		switch {
		case why != nil:
			j.park(c, why.Code, why.Cause.Error())
			held.add(k)
		case !held.holds(k):
			kept = append(kept, *c)
		case c.Op == change.SnapshotRow && held.supersedable(k):
			held.remove(k)
			if err := j.unpark(k, c.Pos); err != nil {
				return err
			}
			kept = append(kept, *c)
		default:
			j.park(c, "", "")
			held.add(k)
		}
	}
	j.changes = kept
	return nil
}

func (j *job) park(c *change.Change, code, cause string) {
	j.parked = append(j.parked, sinks.Parked{Change: *c, Lane: j.to[0].Lane, Code: code, Cause: cause})
}

// unpark drops what this very call would have parked of a key up to the Position of a snapshot row of the call, which supersedes it. What
// stands above was refused behind that row, in an earlier try.
func (j *job) unpark(k rowKey, upto change.Position) error {
	var kept []sinks.Parked
	for _, p := range j.parked {
		other, err := keyOf(&p.Change)
		if err != nil {
			return err
		}
		if other != k || upto.Less(p.Change.Pos) {
			kept = append(kept, p)
		}
	}
	j.parked = kept
	return nil
}

// untable drops what this very call would have parked of a table up to a Truncate of the call.
func (j *job) untable(marker *change.Change) {
	j.parked = slices.DeleteFunc(j.parked, func(p sinks.Parked) bool {
		return keysOf(p.Change.Table) == keysOf(marker.Table) && !marker.Pos.Less(p.Change.Pos)
	})
}

// record brings the lanes' keys up to date once j is durable, in the order in which the target did it. What is parked is of a job of one
// lane. It returns how many more changes are parked than before.
func (j *job) record() (int, error) {
	before := 0
	for _, s := range j.lanes {
		before += s.parked.n
	}
	keys := j.keys()
	for i := range j.changes {
		c := &j.changes[i]
		switch {
		case c.Op == change.Truncate:
			for _, s := range j.lanes {
				s.parked.truncate(c.Table)
			}
		case c.Op == change.SnapshotRow && keys.n > 0:
			k, err := keyOf(c)
			if err != nil {
				return 0, err
			}
			if keys.holds(k) {
				keys.remove(k)
			}
		}
	}
	for i := range j.parked {
		k, err := keyOf(&j.parked[i].Change)
		if err != nil {
			return 0, err
		}
		keys.add(k)
	}
	after := 0
	for _, s := range j.lanes {
		after += s.parked.n
	}
	return after - before, nil
}

// cut takes the first n changes, and what is parked at or below the last of them, into a job of their own whose marks move no
// offset: what is left of the delivery begins at the same one, and the Position tells what of it is done.
func (j *job) cut(n int) *job {
	last := j.changes[n-1].Pos
	from := j.from[0]
	to := change.Mark{Lane: from.Lane, Next: from.Next, Pos: max2(from.Pos, last)}
	head := &job{changes: j.changes[:n:n], from: j.from, to: []change.Mark{to}, lanes: j.lanes, waited: j.waited}
	var rest []sinks.Parked
	for _, p := range j.parked {
		if last.Less(p.Change.Pos) {
			rest = append(rest, p)
		} else {
			head.parked = append(head.parked, p)
		}
	}
	j.changes, j.parked, j.from = j.changes[n:], rest, head.to
	return head
}

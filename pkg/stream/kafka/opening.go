package kafka

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// maxRoutes bounds how many table versions are remembered; their topics are kept.
const maxRoutes = 1 << 14

// openAtOnce is for how many tables topics are opened together, at most.
const openAtOnce = 256

// openTopics sees to it that the tables of changes have a topic that is ours, with their shapes written. That takes some ten milliseconds
// for one as for many, so it is done for what waits in the queue too.
func (p *publisher) openTopics(changes []change.Change) error {
	tables := p.unrouted(nil, changes)
	if len(tables) == 0 {
		return nil
	}
	if len(p.routes) > maxRoutes {
		clear(p.routes)
		tables = p.unrouted(nil, changes)
	}
	own := len(tables)
	tables = p.lookAhead(tables)
	err := p.openTables(tables)
	if err != nil && len(tables) > own && !passing(err) {
		return p.openTables(tables[:own]) // what is wrong with a later one is said in its turn, behind all that comes before it
	}
	return err
}

// unrouted adds the tables of changes whose topic isn't open.
func (p *publisher) unrouted(tables []*change.Table, changes []change.Change) []*change.Table {
	last := p.last
	for i := range changes {
		t := changes[i].Table
		if t == last {
			continue
		}
		last = t
		if p.routes[t] == nil && !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
	}
	return tables
}

// lookAhead adds tables of batches that wait.
func (p *publisher) lookAhead(tables []*change.Table) []*change.Table {
	for i := 0; len(tables) < openAtOnce; i++ {
		if i == len(p.ahead) {
			if i == queueLength {
				break
			}
			select {
			case q := <-p.queue:
				p.ahead = append(p.ahead, q)
			default:
				return tables
			}
		}
		tables = p.unrouted(tables, p.ahead[i].batch.Changes)
	}
	return tables
}

// openTables opens all of tables or, with an error, none.
func (p *publisher) openTables(tables []*change.Table) error {
	var specs []topicSpec
	topics := make([]string, len(tables))
	for i, t := range tables {
		if t.Source != p.s.cfg.SourceID {
			return fmt.Errorf("%w: table %s is of source %s, the publisher of %s", change.ErrHalt, t, t.Source, p.s.cfg.SourceID)
		}
		name, err := p.s.names.topic(t)
		if err != nil {
			return err
		}
		topics[i] = name
		if p.topics[name] == nil && !slices.ContainsFunc(specs, func(s topicSpec) bool { return s.name == name }) {
			spec := p.s.cfg.tableSpec(name)
			_, spec.announced = p.announced[t.String()]
			specs = append(specs, spec)
		}
	}
	if err := p.fenceTopics(specs); err != nil {
		return err
	}
	if err := p.writeShapes(tables); err != nil {
		return err
	}
	for i, t := range tables {
		p.routes[t] = p.topics[topics[i]]
	}
	return nil
}

// fenceTopics makes new topics, fences all their partitions in one transaction, and reads their tails.
func (p *publisher) fenceTopics(specs []topicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	if err := p.stillThere(specs); err != nil {
		return err
	}
	if err := p.s.ensureTopics(p.ctx, specs); err != nil {
		return err
	}
	var lanes []change.Lane
	for _, spec := range specs {
		for n := range spec.partitions {
			lanes = append(lanes, change.Lane{Stream: spec.name, N: int32(n)})
		}
	}
	ends, err := p.s.fence(p.ctx, p.producer, lanes)
	if err != nil {
		return err
	}
	replays, err := p.replays(p.ctx, ends)
	if err != nil {
		return err
	}
	opened := map[string]*topic{}
	for _, id := range lanes {
		tail := ends[id].tail
		if tail.Epoch > p.epoch {
			return fmt.Errorf("%w: topic %s partition %d ends at %s, above our epoch %d: the checkpoint is older than what was published; restore it, or begin a new epoch with a resnapshot",
				change.ErrGap, id.Stream, id.N, tail, p.epoch)
		}
		t := opened[id.Stream]
		if t == nil {
			t = &topic{name: id.Stream}
			opened[id.Stream] = t
		}
		t.lanes = append(t.lanes, &lane{p: p, id: id, tail: tail, next: ends[id].next, acked: tail != (change.Position{}), replay: replays[id]})
	}
	maps.Copy(p.topics, opened)
	p.log.Debug("topics open", "topics", len(opened), "partitions", len(lanes))
	return nil
}

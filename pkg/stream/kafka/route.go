package kafka

import (
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// put encodes one change into its lane, or a marker into all lanes of its topic, except where it is there already.
func (p *publisher) put(c *change.Change, index uint64) error {
	if c.Table != p.last {
		p.last, p.route = c.Table, p.routes[c.Table]
	}
	if c.Pos.Epoch != p.epoch {
		return fmt.Errorf("%w: %s of %s at %s: the publisher was opened for epoch %d", change.ErrHalt, c.Op, c.Table, c.Pos, p.epoch)
	}
	e, rec := p.encoder, &p.rec
	var err error
	if rec.key, err = e.AppendKey(rec.key[:0], c); err != nil {
		return err
	}
	out := [2]record{}
	if keyed, err := e.HasKey(c); err != nil {
		return err
	} else if keyed {
		out[0].key = rec.key
	}
	if !c.Op.IsMarker() {
		if rec.value, err = e.AppendValue(rec.value[:0], c); err != nil {
			return err
		}
		out[0].value = rec.value
	}
	if out[0].headers, err = e.Headers(&rec.headers, c); err != nil {
		return err
	}
	records := out[:1]
	if e.HasTombstone(c) { // in the delete's own record batch, so that no crash comes between them
		out[1] = record{key: rec.key, headers: out[0].headers}
		records = out[:2]
	}
	if err := p.fits(c, records); err != nil {
		return err
	}
	if c.Op.IsMarker() {
		for _, l := range p.route.lanes {
			if err := p.append(l, c, index, records); err != nil {
				return err
			}
		}
		return nil
	}
	l, err := p.laneOf(c)
	if err != nil {
		return err
	}
	return p.append(l, c, index, records)
}

// laneOf hashes the change's lane key; the record key is in rec already.
func (p *publisher) laneOf(c *change.Change) (*lane, error) {
	plan, err := p.encoder.Plan(c.Table)
	if err != nil {
		return nil, err
	}
	key := p.rec.key
	if !plan.LaneKeyIsKey() {
		if p.rec.lane, err = p.encoder.AppendLaneKey(p.rec.lane[:0], c); err != nil {
			return nil, err
		}
		key = p.rec.lane
	}
	return p.route.lanes[change.LaneOf(key, int32(len(p.route.lanes)))], nil
}

func (p *publisher) append(l *lane, c *change.Change, index uint64, records []record) error {
	there := published(l.tail, c)
	if l.replay != nil { // asked in any case: it counts
		held, err := p.replayed(l, c)
		if err != nil {
			return fmt.Errorf("topic %s partition %d: %w", l.id.Stream, l.id.N, err)
		}
		there = there || held
	}
	if there {
		p.skipped++
		return nil
	}
	if !l.kicked {
		l.kicked = true
		p.kicked = append(p.kicked, l)
	}
	if full := l.add(index, records...); full != nil {
		select {
		case p.full <- full:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	return nil
}

// replayed says that the lane holds c from before a change of server. The first row that it doesn't hold is past all of that.
func (p *publisher) replayed(l *lane, c *change.Change) (bool, error) {
	plan, err := p.encoder.Plan(c.Table)
	if err != nil {
		return false, err
	}
	there, err := l.replay.holds(c, plan.Fingerprint())
	if !there && err == nil && c.Txn != nil && c.Op != change.NewShape {
		l.replay = nil
	}
	return there, err
}

// published is the tail dedupe: within one Epoch what the log handed over at or below the partition's tail is there already; what a
// snapshot handed over is never taken for such, because an unfinished chunk is repeated whole.
func published(tail change.Position, c *change.Change) bool {
	return c.Txn != nil && tail.Epoch == c.Pos.Epoch && !tail.Less(c.Pos)
}

// fits refuses what no batch can hold (invariant 9).
func (p *publisher) fits(c *change.Change, records []record) error {
	size := batchHeader
	for i := range records {
		size += records[i].size()
	}
	if size <= p.s.cfg.MaxRecord {
		return nil
	}
	return fmt.Errorf("%w: %s of table %s, key %.200q, at %s takes %d bytes in Kafka, %s allows %d: raise it and the topic's max.message.bytes",
		change.ErrHalt, c.Op, c.Table, p.rec.key, c.Pos, size, p.s.cfg.setting("max_record"), p.s.cfg.MaxRecord)
}

// maxRoutes bounds how many table versions are remembered; their topics are kept.
const maxRoutes = 1 << 14

// openTopics sees to it that the tables of changes have a topic that is ours, with their shapes written.
func (p *publisher) openTopics(changes []change.Change) error {
	var tables []*change.Table
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
	if len(tables) == 0 {
		return nil
	}
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
	if len(p.routes) > maxRoutes {
		clear(p.routes)
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
	for _, id := range lanes {
		tail := ends[id].tail
		if tail.Epoch > p.epoch {
			return fmt.Errorf("%w: topic %s partition %d ends at %s, above our epoch %d: the checkpoint is older than what was published; restore it, or begin a new epoch with a resnapshot",
				change.ErrGap, id.Stream, id.N, tail, p.epoch)
		}
		t := p.topics[id.Stream]
		if t == nil {
			t = &topic{name: id.Stream}
			p.topics[id.Stream] = t
		}
		t.lanes = append(t.lanes, &lane{p: p, id: id, tail: tail, next: ends[id].next, acked: tail != (change.Position{}), replay: replays[id]})
	}
	return nil
}

// writeShapes writes the shapes that the schema topic lacks and returns once it has them: no record is published before its shape.
func (p *publisher) writeShapes(tables []*change.Table) error {
	c := newChunk()
	var written []*change.Table
	for _, t := range tables {
		plan, err := p.encoder.Plan(t)
		if err != nil {
			return err
		}
		if p.s.shapes.has(plan.Fingerprint()) {
			continue
		}
		value, err := plan.AppendSchema(nil)
		if err != nil {
			return err
		}
		r := record{key: []byte(plan.Fingerprint()), value: value}
		if size := batchHeader + r.size(); size > p.s.cfg.MaxRecord {
			return fmt.Errorf("%w: the shape of table %s takes %d bytes, %s allows %d", change.ErrHalt, t, size, p.s.cfg.setting("max_record"), p.s.cfg.MaxRecord)
		}
		if len(c.buf)+r.size() > p.s.cfg.batchBytes() {
			if err := p.meta.deliver(c); err != nil {
				return err
			}
			c = newChunk()
		}
		c.add(&r)
		written = append(written, t)
	}
	if len(written) == 0 {
		return nil
	}
	if err := p.meta.deliver(c); err != nil {
		return err
	}
	return p.s.shapes.wrote(p.encoder, written)
}

package kafka

import (
	"fmt"

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

// writeShapes writes the shapes that the schema topic lacks and returns once it has them: no record is published before its shape.
func (p *publisher) writeShapes(tables []*change.Table) error {
	c := newChunk()
	var written []*change.Table
	for _, t := range tables {
		plan, err := p.encoder.Plan(t)
		if err != nil {
			return err
		}
		if p.s.shapes.adopt(plan.Fingerprint(), t) {
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

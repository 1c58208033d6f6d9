package codec

import (
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Unset says how a column that the log did not carry stands in "after".
type Unset uint8

// The ways. In "before" such a column is always left out, and both ways the record's header tw.unset names it.
const (
	UnsetOmit     Unset = iota // it is left out
	UnsetDebezium              // it holds Debezium's placeholder
)

// Options is what a topic's readers expect.
type Options struct {
	Unset      Unset
	Tombstones bool   // whether a null value under the same key follows each Delete
	Database   string // source.db of a Postgres source, whose tables don't know it; MySQL's is the table's schema
}

// Plan is what an Encoder knows of one *change.Table.
type Plan struct {
	*layout
	fingerprint string
	shape       []byte // fingerprint
	source      []byte // source id
	block       []byte // `,"source":{`… as far as it is the same for every change of the table
	laneIsKey   bool
	stamp       stamp
}

// Table is the table that the plan is for.
func (p *Plan) Table() *change.Table { return p.table }

// Fingerprint is the table's change.Fingerprint: the key of its record in the schema topic.
func (p *Plan) Fingerprint() string { return p.fingerprint }

// LaneKeyIsKey says that the lane key is the record key, so that one call serves both.
func (p *Plan) LaneKeyIsKey() bool { return p.laneIsKey }

// Encoder makes records out of changes. It keeps one Plan for each *change.Table that it meets. One goroutine uses it at a time; what
// its methods append to is the caller's.
type Encoder struct {
	options Options
	plans   map[*change.Table]*Plan
	last    *Plan
}

// maxPlans bounds the tables that an Encoder or Decoder remembers; one more and it begins anew.
const maxPlans = 1 << 14

// NewEncoder returns an Encoder that writes as o says.
func NewEncoder(o Options) *Encoder {
	return &Encoder{options: o, plans: map[*change.Table]*Plan{}}
}

// Plan returns the plan for t, made when t is first met. A table that the format can't carry is change.ErrHalt.
func (e *Encoder) Plan(t *change.Table) (*Plan, error) {
	if e.last != nil && e.last.table == t {
		return e.last, nil
	}
	p, ok := e.plans[t]
	if !ok {
		var err error
		if p, err = newPlan(t, e.options.Database); err != nil {
			return nil, err
		}
		if len(e.plans) >= maxPlans {
			clear(e.plans)
		}
		e.plans[t] = p
	}
	e.last = p
	return p, nil
}

func newPlan(t *change.Table, database string) (*Plan, error) {
	l, err := newLayout(t)
	if err != nil {
		return nil, err
	}
	fingerprint, err := change.Fingerprint(t)
	if err != nil {
		return nil, errorf("%w", err)
	}
	return &Plan{layout: l, fingerprint: fingerprint, shape: []byte(fingerprint), source: []byte(t.Source),
		block: appendSourceHead(nil, t, database), laneIsKey: change.LaneKeyIsKey(t)}, nil
}

func (e *Encoder) planFor(c *change.Change) (*Plan, error) {
	if err := check(c); err != nil {
		return nil, err
	}
	return e.Plan(c.Table)
}

// AppendKey appends the record key of c: the row's key, or a marker's reserved key.
func (e *Encoder) AppendKey(dst []byte, c *change.Change) ([]byte, error) {
	if _, err := e.planFor(c); err != nil {
		return dst, err
	}
	if c.Op.IsMarker() {
		return append(dst, markerKey(c.Op)...), nil
	}
	out, err := change.AppendKey(dst, c.Table, c.Row())
	if err != nil {
		return dst, errorf("key of %s at %s: %w", c.Op, c.Pos, err)
	}
	return out, nil
}

// AppendLaneKey appends what the lane of c is hashed from (change.LaneOf). A marker has none: it goes down every lane.
func (e *Encoder) AppendLaneKey(dst []byte, c *change.Change) ([]byte, error) {
	if _, err := e.planFor(c); err != nil {
		return dst, err
	}
	if c.Op.IsMarker() {
		return dst, errorf("%s of %s at %s goes down every lane", c.Op, c.Table, c.Pos)
	}
	out, err := change.AppendLaneKey(dst, c.Table, c.Row())
	if err != nil {
		return dst, errorf("lane of %s at %s: %w", c.Op, c.Pos, err)
	}
	return out, nil
}

// AppendValue appends the record value of c. A marker's value is null, so for a marker it is an error, as it is for a row that
// does not fit its table; dst then comes back as it was.
func (e *Encoder) AppendValue(dst []byte, c *change.Change) ([]byte, error) {
	p, err := e.planFor(c)
	if err != nil {
		return dst, err
	}
	if c.Op.IsMarker() {
		return dst, errorf("the value of %s of %s at %s is null", c.Op, c.Table, c.Pos)
	}
	if err := p.stampFor(c); err != nil {
		return dst, err
	}
	out := append(dst, `{"before":`...)
	if out, err = p.appendRow(out, c.Before, UnsetOmit); err != nil {
		return dst, errorf("encode %s of %s at %s: before: %w", c.Op, c.Table, c.Pos, err)
	}
	out = append(out, `,"after":`...)
	if out, err = p.appendRow(out, c.After, e.options.Unset); err != nil {
		return dst, errorf("encode %s of %s at %s: after: %w", c.Op, c.Table, c.Pos, err)
	}
	out = append(out, p.stamp.source...)
	out = append(out, `,"op":"`...)
	out = append(out, opLetter(c.Op))
	return append(out, p.stamp.end...), nil
}

// HasTombstone says that a record with c's key, c's headers and a null value follows c in the same record batch.
func (e *Encoder) HasTombstone(c *change.Change) bool {
	return e.options.Tombstones && c.Op == change.Delete
}

func opLetter(o change.Op) byte {
	switch o {
	case change.Insert:
		return 'c'
	case change.Update:
		return 'u'
	case change.Delete:
		return 'd'
	}
	return 'r'
}

const (
	truncateKey = `{"` + reserved + `":"truncate"}`
	shapeKey    = `{"` + reserved + `":"shape"}`
)

func markerKey(o change.Op) string {
	if o == change.Truncate {
		return truncateKey
	}
	return shapeKey
}

// stamp is what all changes of one table in one source transaction share.
type stamp struct {
	made   bool
	txn    *change.Txn
	commit uint64
	source []byte // `,"source":{…}`
	end    []byte // `","ts_ms":…}`
	id     []byte // tw.txn
	micros []byte // tw.time
}

// stampFor makes p's stamp that of c.
func (p *Plan) stampFor(c *change.Change) error {
	s := &p.stamp
	if s.made && s.txn == c.Txn && s.commit == c.Pos.Commit {
		return nil
	}
	s.made, s.txn, s.commit = false, c.Txn, c.Pos.Commit
	s.id, s.micros = s.id[:0], s.micros[:0]
	milli := []byte("null")
	if c.Txn != nil {
		us := c.Txn.Committed.UnixMicro()
		if !timeOf(us).Equal(c.Txn.Committed) {
			return errorf("%s of %s at %s: commit time %s is not in whole microseconds of the years we can carry", c.Op, c.Table, c.Pos, c.Txn.Committed)
		}
		s.id = append(s.id, c.Txn.ID...)
		s.micros = strconv.AppendInt(s.micros, us, 10)
		milli = strconv.AppendInt(nil, c.Txn.Committed.UnixMilli(), 10)
	}
	s.source = p.appendSourceTail(append(s.source[:0], p.block...), c, milli)
	s.end = append(append(append(s.end[:0], `","ts_ms":`...), milli...), '}')
	s.made = true
	return nil
}

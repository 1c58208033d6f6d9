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
	Format     Format
	Unset      Unset
	Tombstones bool   // whether a null value under the same key follows each Delete
	Database   string // source.db of a Postgres source, whose tables don't know it; MySQL's is the table's schema

	// Of Avro only. Topic is the topic of a table. Register makes a schema known under a subject and returns its number: nothing is
	// written under a number that it has not returned.
	Topic    func(t *change.Table) (string, error)
	Register func(subject, schema string) (uint32, error)
	AsText   func(t *change.Table, c *change.Column) bool // the column is text in Avro, whatever it holds; nil: none is
}

// Plan is what an Encoder knows of one *change.Table.
type Plan struct {
	*layout
	fingerprint string
	shape       []byte // fingerprint
	source      []byte // source id
	format      Format
	form        envelope
	text        []byte // tw.text
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
		if p, err = newPlan(t, &e.options); err != nil {
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

func newPlan(t *change.Table, o *Options) (*Plan, error) {
	l, err := newLayout(t)
	if err != nil {
		return nil, err
	}
	fingerprint, err := change.Fingerprint(t)
	if err != nil {
		return nil, errorf("%w", err)
	}
	p := &Plan{layout: l, fingerprint: fingerprint, shape: []byte(fingerprint), source: []byte(t.Source), format: o.Format,
		laneIsKey: change.LaneKeyIsKey(t) && o.Format != MaxwellJSON && o.Format != Avro}
	if p.form, err = newEnvelope(p, o); err != nil {
		return nil, err
	}
	return p, nil
}

func (e *Encoder) planFor(c *change.Change) (*Plan, error) {
	if err := check(c); err != nil {
		return nil, err
	}
	return e.Plan(c.Table)
}

// HasKey says that c's record has a key. One without has a null key: in Avro a marker, and a row of a table without a key.
func (e *Encoder) HasKey(c *change.Change) (bool, error) {
	p, err := e.planFor(c)
	if err != nil {
		return false, err
	}
	return p.form.hasKey(c), nil
}

// AppendKey appends the record key of c: the row's key, or a marker's reserved key. It appends nothing where there is none.
func (e *Encoder) AppendKey(dst []byte, c *change.Change) ([]byte, error) {
	p, err := e.planFor(c)
	if err != nil {
		return dst, err
	}
	if !p.form.hasKey(c) {
		return dst, nil
	}
	if c.Op.IsMarker() {
		return append(dst, markerKey(c.Op)...), nil
	}
	out, err := p.form.key(dst, c)
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
	out, err := p.form.value(dst, c)
	if err != nil {
		return dst, errorf("encode %s of %s at %s: %w", c.Op, c.Table, c.Pos, err)
	}
	return out, nil
}

// HasTombstone says that a record with c's key, c's headers and a null value follows c in the same record batch.
func (e *Encoder) HasTombstone(c *change.Change) bool {
	return e.options.Tombstones && c.Op == change.Delete && (e.options.Format != Avro || len(c.Table.Key) > 0)
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
	shared []byte // the envelope's
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
	if c.Txn != nil {
		us := c.Txn.Committed.UnixMicro()
		if !timeOf(us).Equal(c.Txn.Committed) {
			return errorf("%s of %s at %s: commit time %s is not in whole microseconds of the years we can carry", c.Op, c.Table, c.Pos, c.Txn.Committed)
		}
		s.id = append(s.id, c.Txn.ID...)
		s.micros = strconv.AppendInt(s.micros, us, 10)
	}
	s.shared = p.form.stamp(s.shared[:0], c)
	s.made = true
	return nil
}

package codec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Record is one Kafka record. A nil Value is null.
type Record struct {
	Key, Value []byte
	Headers    []Header
}

// Lookup returns the table whose fingerprint that is, or an error that wraps ErrUnknownShape. It is asked once for each fingerprint,
// and again after an error.
type Lookup func(fingerprint string) (*change.Table, error)

// Decoder makes changes out of records of one source. One fingerprint has one *change.Table for as long as it lives, and consecutive
// records of one source transaction share one *change.Txn. One goroutine uses it at a time.
type Decoder struct {
	source string
	lookup Lookup
	tables map[string]*layout
	last   *layout
	shape  []byte // of last

	txn         *change.Txn
	id, micros  []byte // of txn
	unset       unsetSet
	block       []byte // the last source block
	rows        rowReader
	key, member []byte
	scratch     []byte // what is passed over

	head       []byte // what the last record of Maxwell's or Canal's had in front of its type
	headFormat Format
	headSeen   int // the members in it

	maxwellKeys map[*layout]*maxwellKeys
	avroRows    map[avroShape]*avroRow
	avroLast    *avroRow
}

// NewDecoder returns a Decoder of the records of that source id, which asks lookup for the tables.
func NewDecoder(source string, lookup Lookup) *Decoder {
	return &Decoder{source: source, lookup: lookup, tables: map[string]*layout{}, scratch: make([]byte, 0, 1<<10),
		maxwellKeys: map[*layout]*maxwellKeys{}, avroRows: map[avroShape]*avroRow{}}
}

// Decode returns the change that r is. ok is false for a tombstone, which only repeats the delete before it. The change owns its bytes:
// r may be used again. Errors: ErrForeign, ErrUnknownShape, what lookup returned, and change.ErrHalt for a record of ours that is
// not what this format says.
func (d *Decoder) Decode(r Record) (c change.Change, ok bool, err error) {
	m, err := ParseHeaders(r.Headers)
	if err != nil {
		return change.Change{}, false, err
	}
	if string(m.Source) != d.source {
		return change.Change{}, false, fmt.Errorf("%w: it is one of source %.255q, not %q", ErrForeign, m.Source, d.source)
	}
	l, err := d.layoutFor(m.Shape)
	if err != nil {
		return change.Change{}, false, fmt.Errorf("record at %s: %w", m.Position, err)
	}
	c = change.Change{Table: l.table, Pos: m.Position, Txn: d.txnFor(&m)}
	if err := d.unset.parse(m.Unset, len(l.columns)); err != nil {
		return change.Change{}, false, fmt.Errorf("record of %s at %s: %w", l.table, m.Position, err)
	}
	ok, err = d.record(&c, l, frame{Record: r, format: m.Format, marker: m.Marker, text: m.Text})
	if err != nil {
		return change.Change{}, false, errorf("decode record of %s at %s: %w", l.table, m.Position, err)
	}
	if !ok {
		return change.Change{}, false, nil
	}
	return c, true, nil
}

// layoutFor returns the layout of the table with that fingerprint.
func (d *Decoder) layoutFor(fingerprint []byte) (*layout, error) {
	if d.last != nil && bytes.Equal(d.shape, fingerprint) {
		return d.last, nil
	}
	l, ok := d.tables[string(fingerprint)]
	if !ok {
		var err error
		if l, err = d.find(string(fingerprint)); err != nil {
			return nil, err
		}
		d.tables[string(fingerprint)] = l
	}
	d.last, d.shape = l, append(d.shape[:0], fingerprint...)
	return l, nil
}

func (d *Decoder) find(fingerprint string) (*layout, error) {
	if len(d.tables) >= maxPlans { // one fingerprint, one pointer: none may be forgotten
		return nil, errorf("more than %d table shapes in one stream", maxPlans)
	}
	t, err := d.lookup(fingerprint)
	if err != nil {
		return nil, fmt.Errorf("shape %.64q: %w", fingerprint, err)
	}
	if t == nil {
		return nil, fmt.Errorf("shape %.64q: %w", fingerprint, ErrUnknownShape)
	}
	is, err := change.Fingerprint(t)
	if err != nil {
		return nil, errorf("shape %.64q: %w", fingerprint, err)
	}
	if is != fingerprint || t.Source != d.source {
		return nil, errorf("shape %.64q is that of %s of source %q, whose fingerprint is %s", fingerprint, t, t.Source, is)
	}
	return newLayout(t)
}

func (d *Decoder) txnFor(m *Meta) *change.Txn {
	if !m.HasTxn {
		return nil
	}
	if d.txn == nil || !bytes.Equal(d.id, m.TxnID) || !bytes.Equal(d.micros, m.micros) {
		d.id, d.micros = append(d.id[:0], m.TxnID...), append(d.micros[:0], m.micros...)
		d.txn = &change.Txn{ID: string(m.TxnID), Committed: m.Committed}
	}
	return d.txn
}

var (
	errMarker     = errors.New("a marker has a null value and no columns")
	errTombstone  = errors.New("a null value without a transaction follows no delete")
	errKey        = errors.New("the record's key is not that of its row")
	errEmptyValue = errors.New("the value is empty; it is neither null nor a change")
)

// frame is a record and what its headers say of its form.
type frame struct {
	Record
	format Format
	marker []byte
	text   []byte
}

// record reads key and value into c, whose other fields are set.
func (d *Decoder) record(c *change.Change, l *layout, r frame) (ok bool, err error) {
	if r.marker != nil || bytes.HasPrefix(r.Key, []byte(`{"`+reserved+`"`)) {
		return true, d.marker(c, r)
	}
	if r.Value == nil {
		if c.Txn == nil {
			return false, errTombstone
		}
		return false, nil
	}
	if len(r.Value) == 0 {
		return false, errEmptyValue
	}
	d.rows.dialect = r.format.dialect()
	switch r.format {
	case MaxwellJSON, CanalJSON:
		err = d.rowFirst(c, l, r)
	case Avro:
		var row *avroRow
		if row, err = d.avroRowOf(l, r.text); err == nil {
			err = d.avro(c, row, r.Value)
		}
	case Flat:
		err = errFlat
	default:
		err = d.envelope(c, l, r.Value)
	}
	if err != nil {
		return false, err
	}
	if err := check(c); err != nil {
		return false, err
	}
	return true, d.checkKey(c, l, r)
}

var errFlat = errors.New("format flat has no old rows, so a sink can't follow it: use another format for a pipeline with sinks")

// checkKey holds the record's key against the row.
func (d *Decoder) checkKey(c *change.Change, l *layout, r frame) (err error) {
	switch r.format {
	case Avro:
		return d.avroKey(c, d.avroLast, r.Key) // which the value was read with
	case MaxwellJSON:
		keys := d.maxwellKeys[l]
		if keys == nil {
			keys = newMaxwellKeys(l)
			d.maxwellKeys[l] = keys
		}
		d.key, err = keys.append(d.key[:0], c.Row())
	default:
		d.key, err = change.AppendKey(d.key[:0], c.Table, c.Row())
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(d.key, r.Key) {
		return fmt.Errorf("%w: %.255q, want %.255q", errKey, r.Key, d.key)
	}
	return nil
}

func (d *Decoder) marker(c *change.Change, r frame) error {
	switch {
	case string(r.Key) == truncateKey && r.marker == nil, r.Key == nil && string(r.marker) == string(truncateText):
		c.Op = change.Truncate
	case string(r.Key) == shapeKey && r.marker == nil, r.Key == nil && string(r.marker) == string(shapeText):
		c.Op = change.NewShape
	default:
		return fmt.Errorf("marker %.255q %.64q is not one of wire format v1: read it with a later release", r.Key, r.marker)
	}
	if r.Value != nil || d.unset.afterCount+d.unset.beforeCount > 0 {
		return errMarker
	}
	return nil
}

// The members of the envelope, as bits.
const (
	sawBefore = 1 << iota
	sawAfter
	sawSource
	sawOp
	sawTime
	sawAll = 1<<iota - 1
)

// envelope reads the value. Its members may stand in any order; each stands once, and none is missing.
func (d *Decoder) envelope(c *change.Change, l *layout, value []byte) error {
	s := scanner{b: value}
	if !s.take('{') {
		return s.want("an object")
	}
	d.rows.begin()
	seen := 0
	for first := true; ; first = false {
		more, err := s.next(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if d.member, err = s.name(d.member); err != nil {
			return err
		}
		bit := memberBit(d.member)
		if bit == 0 || seen&bit != 0 {
			return fmt.Errorf("member %.64q is unknown or stands twice", d.member)
		}
		seen |= bit
		if err := d.read(&s, c, l, bit); err != nil {
			return fmt.Errorf("%s: %w", d.member, err)
		}
	}
	if seen != sawAll {
		return errors.New("it needs before, after, source, op and ts_ms")
	}
	if err := s.end(); err != nil {
		return err
	}
	d.rows.finish()
	return nil
}

func memberBit(name []byte) int {
	switch string(name) {
	case "before":
		return sawBefore
	case "after":
		return sawAfter
	case "source":
		return sawSource
	case "op":
		return sawOp
	case "ts_ms":
		return sawTime
	}
	return 0
}

// read reads one member of the envelope.
func (d *Decoder) read(s *scanner, c *change.Change, l *layout, bit int) (err error) {
	switch bit {
	case sawBefore:
		c.Before, err = d.rows.read(s, l, unsetColumns{set: d.unset.before, count: d.unset.beforeCount})
	case sawAfter:
		c.After, err = d.rows.read(s, l, unsetColumns{set: d.unset.after, count: d.unset.afterCount, placeholders: true})
	case sawSource:
		err = d.passSource(s)
	case sawOp:
		c.Op, err = d.op(s)
	case sawTime:
		if s.peek(); !s.word("null") {
			_, _, err = s.number()
		}
	}
	return err
}

// passSource passes over the source block, which says nothing that the headers don't say. It is mostly that of the record before.
func (d *Decoder) passSource(s *scanner) error {
	if s.peek() != '{' {
		return s.want("an object")
	}
	if len(d.block) > 0 && bytes.HasPrefix(s.b[s.i:], d.block) {
		s.i += len(d.block)
		return nil
	}
	start := s.i
	if err := s.skip(d.scratch[:0], 0); err != nil {
		return err
	}
	if block := s.b[start:s.i]; len(block) <= 4096 {
		d.block = append(d.block[:0], block...)
	}
	return nil
}

func (d *Decoder) op(s *scanner) (change.Op, error) {
	s.peek()
	switch {
	case s.word(`"c"`):
		return change.Insert, nil
	case s.word(`"u"`):
		return change.Update, nil
	case s.word(`"d"`):
		return change.Delete, nil
	case s.word(`"r"`):
		return change.SnapshotRow, nil
	}
	return 0, s.want(`"c", "u", "d" or "r"`)
}

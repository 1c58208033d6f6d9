package codec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// later is where data and old stand in a value that says only behind them what they are; 0: it has been read, or there is none.
type later struct{ data, old int }

// rowFirst reads a value of Maxwell's or Canal's: the row in data, of an update the columns that were different in old. Members may
// stand in any order; each stands once. What is not one of the format's is refused.
func (d *Decoder) rowFirst(c *change.Change, l *layout, r frame) error {
	s := scanner{b: r.Value}
	d.rows.begin()
	seen := 0
	var wait later
	if err := d.passHead(&s, r.format, &seen); err != nil {
		return err
	}
	for first := true; ; first = false { // behind the head of the record before there is no comma either
		more, err := s.next(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := s.i
		if d.member, err = s.name(d.member); err != nil {
			return err
		}
		bit := r.format.member(d.member)
		if bit == 0 || seen&bit != 0 {
			return fmt.Errorf("member %.64q is unknown or stands twice", d.member)
		}
		if bit == rowType && seen != d.headSeen && seen&(rowData|rowOld) == 0 && at < maxHead {
			d.head, d.headSeen = append(d.head[:0], s.b[:at]...), seen
		}
		seen |= bit
		if err := d.readFirst(&s, c, rowPart{l: l, bit: bit, wait: &wait, format: r.format}); err != nil {
			return fmt.Errorf("%s: %w", d.member, err)
		}
	}
	if err := s.end(); err != nil {
		return err
	}
	if seen&(rowType|rowData) != rowType|rowData {
		return errors.New("it needs type and data")
	}
	if err := d.readLater(&s, c, rowPart{l: l, wait: &wait, format: r.format}); err != nil {
		return err
	}
	d.rows.finish()
	return d.fillOld(c, l)
}

// maxHead is the longest head that is kept.
const maxHead = 64 << 10

// passHead takes the { and passes over what the record before, of the same format, had in front of its type, if this one has the same.
func (d *Decoder) passHead(s *scanner, f Format, seen *int) error {
	if d.headFormat == f && len(d.head) > 0 && bytes.HasPrefix(s.b, d.head) {
		s.i, *seen = len(d.head), d.headSeen
		return nil
	}
	d.headSeen, d.headFormat = 0, f
	d.head = d.head[:0]
	if !s.take('{') {
		return s.want("an object")
	}
	return nil
}

// readLater reads the rows that stood in front of the type.
func (d *Decoder) readLater(s *scanner, c *change.Change, p rowPart) error {
	if s.i = p.wait.data; s.i > 0 {
		p.bit = rowData
		if err := d.readRow(s, c, p); err != nil {
			return fmt.Errorf("data: %w", err)
		}
	}
	if s.i = p.wait.old; s.i > 0 {
		p.bit = rowOld
		if err := d.readRow(s, c, p); err != nil {
			return fmt.Errorf("old: %w", err)
		}
	}
	return nil
}

// The members that say something to us, as bits; the others of a format have one each above.
const (
	rowType = 1 << iota
	rowData
	rowOld
	rowOthers
)

var (
	maxwellMembers = []string{"database", "table", "ts", "xid", "xoffset", "commit", "position", "gtid", "server_id", "thread_id", "schema_id", "primary_key", "primary_key_columns"}
	canalMembers   = []string{"id", "database", "table", "pkNames", "isDdl", "es", "ts", "sql", "sqlType", "mysqlType", "gtid"}
)

// member returns the bit of a member, 0 for one that is unknown.
func (f Format) member(name []byte) int {
	switch string(name) {
	case "type":
		return rowType
	case "data":
		return rowData
	case "old":
		return rowOld
	}
	others := maxwellMembers
	if f == CanalJSON {
		others = canalMembers
	}
	for i, other := range others {
		if string(name) == other {
			return rowOthers << i
		}
	}
	return 0
}

// rowPart is a member of a value.
type rowPart struct {
	l      *layout
	bit    int
	wait   *later
	format Format
}

func (d *Decoder) readFirst(s *scanner, c *change.Change, p rowPart) error {
	switch p.bit {
	case rowType:
		var err error
		if d.scratch, err = s.text(d.scratch[:0]); err != nil {
			return err
		}
		if c.Op = p.format.op(d.scratch, c.Txn == nil); c.Op == 0 {
			return fmt.Errorf("%.64q is no type of row change", d.scratch)
		}
		return nil
	case rowData, rowOld:
		if c.Op != 0 {
			return d.readRow(s, c, p)
		}
		s.peek()
		if p.bit == rowData {
			p.wait.data = s.i
		} else {
			p.wait.old = s.i
		}
	}
	return s.skip(d.scratch[:0], 0)
}

// op is the operation that a type names; 0: none. A snapshot has no word of its own in Canal's.
func (f Format) op(name []byte, snapshot bool) change.Op {
	switch string(name) {
	case "insert", "INSERT":
		if (string(name) == "INSERT") != (f == CanalJSON) {
			return 0
		}
		if snapshot && f == CanalJSON {
			return change.SnapshotRow
		}
		return change.Insert
	case "update":
		if f == MaxwellJSON {
			return change.Update
		}
	case "delete":
		if f == MaxwellJSON {
			return change.Delete
		}
	case "bootstrap-insert":
		if f == MaxwellJSON {
			return change.SnapshotRow
		}
	case "UPDATE":
		if f == CanalJSON {
			return change.Update
		}
	case "DELETE":
		if f == CanalJSON {
			return change.Delete
		}
	}
	return 0
}

// readRow reads data or old; c.Op is known.
func (d *Decoder) readRow(s *scanner, c *change.Change, p rowPart) (err error) {
	list := p.format == CanalJSON && s.peek() == '['
	if list {
		s.i++
	}
	before := unsetColumns{set: d.unset.before, count: d.unset.beforeCount}
	switch {
	case p.bit == rowOld:
		before.partial = true
		if c.Op != change.Update {
			if s.peek(); !s.word("null") {
				return errors.New("only an update has an old row")
			}
			return nil
		}
		c.Before, err = d.rows.read(s, p.l, before)
	case c.Op == change.Delete:
		c.Before, err = d.rows.read(s, p.l, before)
	default:
		c.After, err = d.rows.read(s, p.l, unsetColumns{set: d.unset.after, count: d.unset.afterCount})
	}
	if err == nil && list && !s.take(']') {
		err = s.want("the end of a list of one row")
	}
	return err
}

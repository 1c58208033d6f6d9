package codec

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// maxwell is the envelope of Maxwell's daemon, section 12. Source: zendesk/maxwell, docs/docs/dataformat.md.
type maxwell struct {
	p    *Plan
	head []byte // `{"database":…,"table":…,"type":"`
	keys *maxwellKeys
}

func newMaxwell(p *Plan) *maxwell {
	head := change.AppendJSONString([]byte(`{"database":`), p.table.Schema)
	head = append(change.AppendJSONString(append(head, `,"table":`...), p.table.Name), `,"type":"`...)
	return &maxwell{p: p, head: head, keys: newMaxwellKeys(p.layout)}
}

// maxwellKeys makes a table's record keys.
type maxwellKeys struct {
	l     *layout
	head  []byte   // `{"database":…,"table":…`
	names []string // `,"pk.id":`, by place in the key
	at    []int
}

func newMaxwellKeys(l *layout) *maxwellKeys {
	k := &maxwellKeys{l: l, at: l.table.Key}
	k.head = change.AppendJSONString([]byte(`{"database":`), l.table.Schema)
	k.head = change.AppendJSONString(append(k.head, `,"table":`...), l.table.Name)
	if len(k.at) == 0 {
		for i := range l.columns {
			k.at = append(k.at, i)
		}
	}
	for _, i := range k.at {
		k.names = append(k.names, string(append(change.AppendJSONString([]byte{','}, "pk."+l.columns[i].Name), ':')))
	}
	return k
}

func (k *maxwellKeys) append(dst []byte, row []change.Value) ([]byte, error) {
	dst = append(dst, k.head...)
	for n, i := range k.at {
		col, v := &k.l.columns[i], row[i]
		if v.IsUnset() {
			if len(k.l.table.Key) == 0 {
				continue // as change.AppendKey
			}
			return dst, fmt.Errorf("%s.%s: %w", k.l.table, col.Name, change.ErrUnsetKey)
		}
		dst = append(dst, k.names[n]...)
		var err error
		if dst, err = col.appendIn(dst, v, MaxwellJSON.dialect()); err != nil {
			return dst, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	return append(dst, '}'), nil
}

func (e *maxwell) key(dst []byte, c *change.Change) ([]byte, error) {
	return e.keys.append(dst, c.Row())
}

func (e *maxwell) hasKey(*change.Change) bool { return true }

// stamp appends ts, xid, position and gtid. A snapshot's rows have a position only.
func (e *maxwell) stamp(dst []byte, c *change.Change) []byte {
	dst = append(dst, `","ts":`...)
	if c.Txn == nil {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, floorSeconds(c.Txn.Committed.UnixMilli()), 10)
	}
	switch c.Table.Engine {
	case "postgres":
		if n := transactionNumber(c.Txn); n != "null" {
			dst = append(append(dst, `,"xid":`...), n...)
		}
		dst = fmt.Appendf(dst, `,"position":"%X/%X"`, c.Pos.Commit>>32, uint32(c.Pos.Commit))
	case "mysql", "mariadb":
		dst = fmt.Appendf(dst, `,"position":"%06d:%d"`, c.Pos.Commit>>40, c.Pos.Commit&(1<<40-1))
		if c.Txn != nil {
			dst = change.AppendJSONString(append(dst, `,"gtid":`...), c.Txn.ID)
		}
	}
	return append(dst, `,"data":`...)
}

func floorSeconds(ms int64) int64 {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	return s
}

func maxwellType(o change.Op) string {
	switch o {
	case change.Insert:
		return "insert"
	case change.Update:
		return "update"
	case change.Delete:
		return "delete"
	}
	return "bootstrap-insert"
}

func (e *maxwell) value(dst []byte, c *change.Change) (out []byte, err error) {
	out = append(append(dst, e.head...), maxwellType(c.Op)...)
	out = append(out, e.p.stamp.shared...)
	form := rowForm{dialect: MaxwellJSON.dialect()}
	if out, err = e.p.appendRow(out, c.Row(), form); err != nil {
		return dst, fmt.Errorf("data: %w", err)
	}
	if c.Op == change.Update && c.Before != nil {
		if out, err = e.p.appendOld(append(out, `,"old":`...), c, form); err != nil {
			return dst, fmt.Errorf("old: %w", err)
		}
	}
	return append(out, '}'), nil
}

// appendOld appends the columns of an update's old row that differ from the new one, as far as the log carried it.
func (l *layout) appendOld(dst []byte, c *change.Change, form rowForm) ([]byte, error) {
	start := len(dst)
	for i, v := range c.Before {
		if v.IsUnset() || v == c.After[i] {
			continue
		}
		col := &l.columns[i]
		dst = append(dst, col.name...)
		var err error
		if dst, err = col.appendIn(dst, v, form.dialect); err != nil {
			return dst, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	if len(dst) == start {
		return append(dst, '{', '}'), nil
	}
	dst[start] = '{'
	return append(dst, '}'), nil
}

var errOld = errors.New("it is in neither row, and header " + HeaderUnset + " does not name it")

// fillOld gives the old row of an update what the format leaves out: the columns that are as in the new one.
func (d *Decoder) fillOld(c *change.Change, l *layout) error {
	unset := unsetColumns{set: d.unset.before, count: d.unset.beforeCount}
	for i := range c.Before {
		if !c.Before[i].IsUnset() || unset.has(i) {
			continue
		}
		if c.After[i].IsUnset() {
			return fmt.Errorf("old: column %s: %w", l.columns[i].Name, errOld)
		}
		c.Before[i] = c.After[i]
	}
	return nil
}

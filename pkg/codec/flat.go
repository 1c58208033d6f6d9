package codec

import (
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// flat is the row alone, section 14: what Debezium's ExtractNewRecordState makes of its envelope with
// delete.tombstone.handling.mode=rewrite-with-tombstone (rewrite without tombstones) and add.fields=op,source.ts_ms.
// Source: Debezium 3.3, "New Record State Extraction".
type flat struct {
	rowKey
	p     *Plan
	unset Unset
}

const (
	flatDeleted = "__deleted"
	flatOp      = "__op"
	flatTime    = "__source_ts_ms"
)

func newFlat(p *Plan, o *Options) (*flat, error) {
	for _, name := range []string{flatDeleted, flatOp, flatTime} {
		if p.table.ColumnIndex(name) >= 0 {
			return nil, errorf("table %s: format %s writes a field %s of its own; rename the column, or use another format", p.table, o.Format, name)
		}
	}
	return &flat{p: p, unset: o.Unset}, nil
}

func (e *flat) stamp(dst []byte, c *change.Change) []byte {
	return append(appendMilli(append(dst, `","`+flatTime+`":`...), c), '}')
}

func (e *flat) value(dst []byte, c *change.Change) (out []byte, err error) {
	form := rowForm{unset: e.unset}
	if c.Op == change.Delete {
		form.unset = UnsetOmit
	}
	if out, err = e.p.appendRow(dst, c.Row(), form); err != nil {
		return dst, err
	}
	out = out[:len(out)-1]
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	end := `"` + flatDeleted + `":"false","` + flatOp + `":"`
	if c.Op == change.Delete {
		end = `"` + flatDeleted + `":"true","` + flatOp + `":"`
	}
	out = append(append(out, end...), opLetter(c.Op))
	return append(out, e.p.stamp.shared...), nil
}

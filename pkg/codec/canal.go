package codec

import (
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// canal is Canal's flat message, section 13. Source: alibaba/canal, protocol, FlatMessage.
type canal struct {
	rowKey
	p    *Plan
	head []byte // up to `"type":"`: all that says nothing of one change
}

func newCanal(p *Plan) *canal {
	t := p.table
	head := change.AppendJSONString([]byte(`{"database":`), t.Schema)
	head = append(change.AppendJSONString(append(head, `,"table":`...), t.Name), `,"pkNames":`...)
	if len(t.Key) == 0 {
		head = append(head, "null"...)
	} else {
		for i, k := range t.Key {
			head = change.AppendJSONString(append(head, "[,"[min(i, 1)]), t.Columns[k].Name)
		}
		head = append(head, ']')
	}
	head = append(head, `,"isDdl":false,"sql":"","sqlType":`...)
	head = p.appendTypes(head, func(dst []byte, c *column) []byte { return strconv.AppendInt(dst, int64(jdbcType(c.Column)), 10) })
	head = append(head, `,"mysqlType":`...)
	head = p.appendTypes(head, func(dst []byte, c *column) []byte { return change.AppendJSONString(dst, c.Native) })
	return &canal{p: p, head: append(head, `,"type":"`...)}
}

func (l *layout) appendTypes(dst []byte, value func(dst []byte, c *column) []byte) []byte {
	if len(l.columns) == 0 {
		return append(dst, '{', '}')
	}
	start := len(dst)
	for i := range l.columns {
		dst = value(append(dst, l.columns[i].name...), &l.columns[i])
	}
	dst[start] = '{'
	return append(dst, '}')
}

// jdbcType is the number of java.sql.Types that stands for a column.
func jdbcType(c *change.Column) int {
	switch c.Kind {
	case change.KindBool, change.KindBits:
		return -7
	case change.KindInt, change.KindUint:
		switch c.Bits {
		case 8:
			return -6
		case 16:
			return 5
		case 24, 32:
			return 4
		}
		return -5
	case change.KindFloat32:
		return 7
	case change.KindFloat64:
		return 8
	case change.KindDecimal:
		return 3
	case change.KindBytes:
		return 2004
	case change.KindDate, change.KindPartialDate:
		return 91
	case change.KindTime:
		return 92
	case change.KindInstant, change.KindWallTime:
		return 93
	}
	return 12
}

// stamp appends id, es and ts.
func (e *canal) stamp(dst []byte, c *change.Change) []byte {
	dst = strconv.AppendUint(append(dst, `","id":`...), c.Pos.Commit, 10)
	dst = appendMilli(append(dst, `,"es":`...), c)
	dst = appendMilli(append(dst, `,"ts":`...), c)
	return append(dst, `,"data":[`...)
}

func canalType(o change.Op) string {
	switch o {
	case change.Update:
		return "UPDATE"
	case change.Delete:
		return "DELETE"
	}
	return "INSERT"
}

func (e *canal) value(dst []byte, c *change.Change) (out []byte, err error) {
	out = append(append(dst, e.head...), canalType(c.Op)...)
	out = append(out, e.p.stamp.shared...)
	form := rowForm{dialect: CanalJSON.dialect()}
	if out, err = e.p.appendRow(out, c.Row(), form); err != nil {
		return dst, fmt.Errorf("data: %w", err)
	}
	if c.Op != change.Update || c.Before == nil {
		return append(out, `],"old":null}`...), nil
	}
	if out, err = e.p.appendOld(append(out, `],"old":[`...), c, form); err != nil {
		return dst, fmt.Errorf("old: %w", err)
	}
	return append(out, `]}`...), nil
}

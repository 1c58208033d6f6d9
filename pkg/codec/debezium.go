package codec

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// debezium is Debezium's envelope in JSON, section 3.
type debezium struct {
	rowKey
	p     *Plan
	unset Unset
	head  []byte // `,"source":{`… as far as it is the same for every change of the table
	end   []byte // `","ts_ms":…}` of the present stamp
}

func newDebezium(p *Plan, o *Options) *debezium {
	return &debezium{p: p, unset: o.Unset, head: appendSourceHead(nil, p.table, o.Database)}
}

func (e *debezium) stamp(dst []byte, c *change.Change) []byte {
	e.end = append(appendMilli(append(e.end[:0], `","ts_ms":`...), c), '}')
	return appendSourceTail(append(dst, e.head...), c)
}

func (e *debezium) value(dst []byte, c *change.Change) (out []byte, err error) {
	out = append(dst, `{"before":`...)
	if out, err = e.p.appendRow(out, c.Before, rowForm{}); err != nil {
		return dst, fmt.Errorf("before: %w", err)
	}
	out = append(out, `,"after":`...)
	if out, err = e.p.appendRow(out, c.After, rowForm{unset: e.unset}); err != nil {
		return dst, fmt.Errorf("after: %w", err)
	}
	out = append(out, e.p.stamp.shared...)
	out = append(out, `,"op":"`...)
	out = append(out, opLetter(c.Op))
	return append(out, e.end...), nil
}

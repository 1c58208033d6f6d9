package codec

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// avroEnvelope is Debezium's envelope in Avro with a schema registry's number in front, section 15.
type avroEnvelope struct {
	row            *avroRow
	p              *Plan
	valueID, keyID [avroHead]byte
	sourceHead     []byte // version, connector, name
	sourceMid      []byte // db, schema and table, as the engine has them
	end            []byte // ts_ms of the present stamp
}

// avroHead is the length of what stands in front of a body: a zero byte and the schema's number, big-endian.
const avroHead = 5

func newAvro(p *Plan, o *Options) (*avroEnvelope, error) {
	if o.Topic == nil || o.Register == nil {
		return nil, errorf("table %s: format %s needs a schema registry", p.table, o.Format)
	}
	topic, err := o.Topic(p.table)
	if err != nil {
		return nil, err
	}
	e := &avroEnvelope{p: p}
	text := make([]change.Value, len(p.columns))
	for i := range text {
		if c := p.columns[i].Column; o.AsText == nil || !mayBeText(c) || !o.AsText(p.table, c) {
			text[i] = change.Null()
		}
	}
	p.text = appendUnset(nil, textSide, text)
	if e.row, err = newAvroRow(p.layout, p.text); err != nil {
		return nil, err
	}
	schemas, err := e.row.schemas(topic)
	if err != nil {
		return nil, err
	}
	id, err := o.Register(topic+"-value", schemas.value)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", p.table, err)
	}
	binary.BigEndian.PutUint32(e.valueID[1:], id)
	if len(p.table.Key) > 0 {
		if id, err = o.Register(topic+"-key", schemas.key); err != nil {
			return nil, fmt.Errorf("schema of the key of %s: %w", p.table, err)
		}
		binary.BigEndian.PutUint32(e.keyID[1:], id)
	}
	e.sourceHead = appendAvroString(appendAvroString(appendAvroString(nil, "tailwater.v1"), connectorOf(p.table.Engine)), p.table.Source)
	switch p.table.Engine {
	case "postgres":
		e.sourceMid = appendAvroString(appendAvroString(appendAvroString(nil, o.Database), p.table.Schema), p.table.Name)
	default:
		e.sourceMid = appendAvroString(appendAvroString(nil, p.table.Schema), p.table.Name)
	}
	return e, nil
}

func connectorOf(engine string) string {
	if engine == "postgres" {
		return "postgresql"
	}
	return engine
}

func appendAvroString(dst []byte, s string) []byte {
	return append(binary.AppendVarint(dst, int64(len(s))), s...)
}

// appendAvroMilli appends the union of null and the commit time.
func appendAvroMilli(dst []byte, c *change.Change) []byte {
	if c.Txn == nil {
		return append(dst, 0)
	}
	return binary.AppendVarint(append(dst, 2), c.Txn.Committed.UnixMilli())
}

// stamp appends the source block.
func (e *avroEnvelope) stamp(dst []byte, c *change.Change) []byte {
	e.end = appendAvroMilli(e.end[:0], c)
	dst = appendAvroMilli(append(dst, e.sourceHead...), c)
	if c.Txn == nil {
		dst = appendAvroString(dst, "true")
	} else {
		dst = appendAvroString(dst, "false")
	}
	dst = append(dst, e.sourceMid...)
	switch c.Table.Engine {
	case "postgres":
		if n, err := strconv.ParseInt(transactionNumber(c.Txn), 10, 64); err == nil {
			dst = binary.AppendVarint(append(dst, 2), n)
		} else {
			dst = append(dst, 0)
		}
		return binary.AppendVarint(append(dst, 2), int64(c.Pos.Commit))
	case "mysql", "mariadb":
		if c.Txn == nil {
			dst = append(dst, 0)
		} else {
			dst = appendAvroString(append(dst, 2), c.Txn.ID)
		}
		dst = appendAvroString(dst, fmt.Sprintf("%06d", c.Pos.Commit>>40))
		return binary.AppendVarint(dst, int64(c.Pos.Commit&(1<<40-1)))
	}
	return dst
}

func (e *avroEnvelope) value(dst []byte, c *change.Change) (out []byte, err error) {
	out = append(dst, e.valueID[:]...)
	if out, err = e.row.append(out, c.Before, true); err != nil {
		return dst, fmt.Errorf("before: %w", err)
	}
	if out, err = e.row.append(out, c.After, false); err != nil {
		return dst, fmt.Errorf("after: %w", err)
	}
	out = append(out, e.p.stamp.shared...)
	out = append(out, 2, opLetter(c.Op)) // a string of one byte
	return append(out, e.end...), nil
}

// hasKey: Debezium's rows without a key have none, and a marker's would have to be of some schema.
func (e *avroEnvelope) hasKey(c *change.Change) bool {
	return !c.Op.IsMarker() && len(c.Table.Key) > 0
}

func (e *avroEnvelope) key(dst []byte, c *change.Change) ([]byte, error) {
	return e.row.appendKey(append(dst, e.keyID[:]...), c.Row())
}

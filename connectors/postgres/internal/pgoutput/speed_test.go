package pgoutput_test

import (
	"encoding/binary"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// wide is an Insert of twelve columns and what they are.
func wide() ([]byte, []change.Column) {
	cells := []struct {
		oid  uint32
		text string
	}{{20, "1234567"}, {23, "42"}, {25, "a short text"}, {1043, "another one"}, {1700, "1234.50"}, {16, "t"}, {701, "0.125"},
		{1114, "2024-05-06 07:08:09.123456"}, {1184, "2024-05-06 07:08:09+00"}, {2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{3802, `{"a": [1, 2, 3]}`}, {17, `\x00ff00ff`}}
	frame := binary.BigEndian.AppendUint16([]byte{'I', 0, 0, 0, 1, 'N'}, uint16(len(cells)))
	columns := make([]change.Column, len(cells))
	for i, c := range cells {
		columns[i] = pgvalue.Column(pgvalue.Type{OID: c.oid, Mod: -1})
		frame = append(binary.BigEndian.AppendUint32(append(frame, 't'), uint32(len(c.text))), c.text...)
	}
	return frame, columns
}

func decode(tb testing.TB, m *pgoutput.Message, row *pgvalue.Row, frame []byte, columns []change.Column) []change.Value {
	if err := m.Decode(frame); err != nil {
		tb.Fatal(err)
	}
	row.Begin(len(m.After))
	for i := range m.After {
		if err := row.Text(&columns[i], m.After[i].Data); err != nil {
			tb.Fatal(err)
		}
	}
	return row.Values()
}

// TestAllocations is the ceiling: a row is one string; its values come from a slab of many rows.
func TestAllocations(t *testing.T) {
	frame, columns := wide()
	var m pgoutput.Message
	var row pgvalue.Row
	decode(t, &m, &row, frame, columns)
	if n := testing.AllocsPerRun(100, func() { decode(t, &m, &row, frame, columns) }); n > 1 {
		t.Errorf("%.0f allocations for a row, at most 1", n)
	}
}

func BenchmarkRow(b *testing.B) {
	frame, columns := wide()
	var m pgoutput.Message
	var row pgvalue.Row
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		decode(b, &m, &row, frame, columns)
	}
}

package myvalue

import (
	"encoding/binary"
	"math"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// binary reads a cell from the beginning of b: the value, or, for a kind that holds text, Unset after adding the text, which Values
// replaces; and the cell's bytes.
func (r *Row) binary(t *Type, b []byte) (change.Value, int, error) {
	if n := t.fixed(); n > 0 {
		if len(b) < n {
			return change.Value{}, 0, errShort
		}
		v, err := r.fixedCell(t, b[:n])
		return v, n, err
	}
	cell, n, err := t.variable(b)
	if err != nil {
		return change.Value{}, 0, err
	}
	v, err := r.variableCell(t, cell)
	return v, n, err
}

// Skip returns how many bytes a cell of t at the beginning of b takes.
func (t *Type) Skip(b []byte) (int, error) {
	n := t.fixed()
	var err error
	if n == 0 {
		_, n, err = t.variable(b)
	} else if len(b) < n {
		err = errShort
	}
	if err != nil {
		return 0, refuse(t, b, err)
	}
	return n, nil
}

// fixed is the number of bytes of t's cells, 0 if they tell it themselves.
func (t *Type) fixed() int {
	switch t.Wire {
	case Tiny, Year:
		return 1
	case Short:
		return 2
	case Int24, Date, Time:
		return 3
	case Long, Float, Timestamp:
		return 4
	case LongLong, Double, Datetime:
		return 8
	case Bit:
		return (t.Bits + 7) / 8
	case Enum, Set:
		return t.Length
	case Decimal:
		return decimalSize(t.Precision, t.Scale)
	case Timestamp2:
		return 4 + (t.Precision+1)/2
	case Datetime2:
		return 5 + (t.Precision+1)/2
	case Time2:
		return 3 + (t.Precision+1)/2
	}
	return 0
}

func (r *Row) fixedCell(t *Type, b []byte) (change.Value, error) {
	switch t.Wire {
	case Tiny, Short, Int24, Long, LongLong:
		return integer(t, b), nil
	case Float:
		return change.Float32(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case Double:
		return change.Float64(math.Float64frombits(binary.LittleEndian.Uint64(b))), nil
	case Year:
		if b[0] == 0 {
			return change.Int(0), nil
		}
		return change.Int(firstYear + int64(b[0])), nil
	case Bit:
		return r.bits(t, b)
	case Enum:
		return r.label(t, littleEndian(b))
	case Set:
		return r.members(t, littleEndian(b))
	case Decimal:
		return r.decimal(t, b)
	case Date:
		return r.date(littleEndian(b))
	case Time2:
		return duration(t.Precision, b)
	case Datetime2:
		return r.datetime(t.Precision, b)
	case Timestamp2:
		return r.timestamp(t.Precision, b)
	case Timestamp:
		return r.instant(t.Precision, int64(littleEndian(b)), 0)
	case Time:
		return oldDuration(b)
	case Datetime:
		return r.oldDatetime(littleEndian(b))
	}
	return change.Value{}, errValue
}

// firstYear is the year that a YEAR of 0 would be, were it not 0000.
const (
	firstYear = 1900
	lastYear  = firstYear + math.MaxUint8
)

func littleEndian(b []byte) uint64 {
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

func bigEndian(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func integer(t *Type, b []byte) change.Value {
	n := littleEndian(b)
	if t.Unsigned {
		return change.Uint(n)
	}
	shift := 64 - 8*len(b)
	return change.Int(int64(n<<shift) >> shift)
}

func (r *Row) bits(t *Type, b []byte) (change.Value, error) {
	n := bigEndian(b)
	if t.Bits < 64 && n>>t.Bits != 0 {
		return change.Value{}, errValue
	}
	start := len(r.text)
	for i := t.Bits - 1; i >= 0; i-- {
		r.text = append(r.text, '0'+byte(n>>i&1))
	}
	return r.added(change.KindBits, start), nil
}

// label adds the label with that number, counted from 1; 0 is the server's error value, whose text is empty.
func (r *Row) label(t *Type, n uint64) (change.Value, error) {
	if n > uint64(len(t.Labels)) {
		return change.Value{}, errValue
	}
	start := len(r.text)
	if n > 0 {
		r.text = append(r.text, t.Labels[n-1]...)
	}
	return r.added(change.KindText, start), nil
}

func (r *Row) members(t *Type, n uint64) (change.Value, error) {
	if len(t.Labels) < 64 && n>>len(t.Labels) != 0 {
		return change.Value{}, errValue
	}
	start := len(r.text)
	for i, label := range t.Labels {
		if n>>i&1 == 0 {
			continue
		}
		if len(r.text) > start { // as the server does after an empty label
			r.text = append(r.text, ',')
		}
		r.text = append(r.text, label...)
	}
	return r.added(change.KindText, start), nil
}

// variable cuts the cell that tells its own length off the beginning of b.
func (t *Type) variable(b []byte) (cell []byte, n int, err error) {
	head := 0
	switch t.Wire {
	case String, Varchar, VarcharCompressed:
		head = 1
		if t.Length > math.MaxUint8 {
			head = 2
		}
	case Blob, BlobCompressed, Geometry, JSON, Vector:
		head = t.Length
	default:
		return nil, 0, errValue
	}
	if len(b) < head {
		return nil, 0, errShort
	}
	size := littleEndian(b[:head])
	if size > uint64(len(b)-head) {
		return nil, 0, errShort
	}
	n = head + int(size)
	return b[head:n], n, nil
}

func (r *Row) variableCell(t *Type, b []byte) (change.Value, error) {
	switch t.Wire {
	case JSON:
		start := len(r.text)
		text, err := appendJSON(r.text, b)
		r.text = text
		return r.added(change.KindJSON, start), err
	case Geometry, Vector:
		return r.add(change.KindBytes, b), nil
	case BlobCompressed, VarcharCompressed:
		b, err := r.inflate.column(b)
		if err != nil {
			return change.Value{}, err
		}
		return r.characters(t, b)
	case String:
		if len(b) > t.Length {
			return change.Value{}, errValue
		}
		switch t.Special {
		case UUID:
			return r.uuid(padded(b)), nil
		case Inet4:
			address := padded(b)
			return r.inet(address[:4]), nil
		case Inet6:
			address := padded(b)
			return r.inet(address[:]), nil
		}
		if t.Collation == binaryCollation { // the log leaves trailing zeros out
			v := r.add(change.KindBytes, b)
			for range t.Length - len(b) {
				r.text = append(r.text, 0)
			}
			r.spans[len(r.spans)-1].end = len(r.text)
			return v, nil
		}
	}
	return r.characters(t, b)
}

// padded restores the zeros that the log leaves out.
func padded(b []byte) (full [16]byte) {
	copy(full[:], b)
	return full
}

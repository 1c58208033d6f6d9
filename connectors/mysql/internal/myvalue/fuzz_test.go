package myvalue_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// columns are one of each type.
var columns = []myvalue.Type{
	{Wire: myvalue.Tiny}, {Wire: myvalue.Tiny, Unsigned: true}, {Wire: myvalue.Int24}, {Wire: myvalue.LongLong}, {Wire: myvalue.LongLong, Unsigned: true},
	{Wire: myvalue.Float}, {Wire: myvalue.Double}, {Wire: myvalue.Decimal, Precision: 20, Scale: 5}, {Wire: myvalue.Decimal, Precision: 65, Scale: 30},
	{Wire: myvalue.Year}, {Wire: myvalue.Date}, {Wire: myvalue.Time2}, {Wire: myvalue.Time2, Precision: 3}, {Wire: myvalue.Time2, Precision: 6},
	{Wire: myvalue.Datetime2, Precision: 2}, {Wire: myvalue.Datetime2, Precision: 6}, {Wire: myvalue.Timestamp2, Precision: 4}, {Wire: myvalue.Timestamp2},
	{Wire: myvalue.Datetime}, {Wire: myvalue.Time}, {Wire: myvalue.Timestamp}, {Wire: myvalue.Bit, Bits: 9}, {Wire: myvalue.Bit, Bits: 64},
	{Wire: myvalue.Enum, Length: 1, Labels: []string{"a", "b"}, Collation: 45}, {Wire: myvalue.Set, Length: 1, Labels: []string{"a", "", "b"}, Collation: 45},
	{Wire: myvalue.Varchar, Length: 20, Collation: 45}, {Wire: myvalue.Varchar, Length: 300, Collation: 8}, {Wire: myvalue.Varchar, Length: 300, Collation: 63},
	{Wire: myvalue.String, Length: 8, Collation: 45}, {Wire: myvalue.String, Length: 8, Collation: 63}, {Wire: myvalue.String, Length: 8, Collation: 35},
	{Wire: myvalue.String, Length: 16, Collation: 63, Special: myvalue.UUID}, {Wire: myvalue.String, Length: 16, Collation: 63, Special: myvalue.Inet6},
	{Wire: myvalue.String, Length: 4, Collation: 63, Special: myvalue.Inet4}, {Wire: myvalue.Blob, Length: 2, Collation: 63},
	{Wire: myvalue.Blob, Length: 2, Collation: 28}, {Wire: myvalue.Blob, Length: 2, Collation: 248}, {Wire: myvalue.Blob, Length: 2, Collation: 12},
	{Wire: myvalue.Blob, Length: 2, Collation: 54}, {Wire: myvalue.Blob, Length: 2, Collation: 60}, {Wire: myvalue.Blob, Length: 2, Collation: 2304},
	{Wire: myvalue.BlobCompressed, Length: 2, Collation: 45}, {Wire: myvalue.VarcharCompressed, Length: 300, Collation: 63},
	{Wire: myvalue.Geometry, Length: 4}, {Wire: myvalue.Vector, Length: 4}, {Wire: myvalue.JSON, Length: 4},
}

// FuzzCell reads any bytes as a cell of the log and as a result set's text, of any type: they are refused by the column's name, or the
// value is one that its column has, whose own text says the same value again.
func FuzzCell(f *testing.F) {
	for i := range columns {
		for _, s := range []string{"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "\x80\x00\x00\x00\x00\x00\x00\x00\x00", "\x05\x00hello", "\x0500000", "-838:59:59.999999",
			"2024-02-29 23:59:59.5", "0000-00-00", "-1.50", "18446744073709551615", "1e300", "\x06\x00\x81\xa1\x81\x30\x81\x30"} {
			f.Add(i, []byte(s), true)
			f.Add(i, []byte(s), false)
		}
	}
	f.Fuzz(func(t *testing.T, i int, b []byte, binary bool) {
		if i < 0 || i >= len(columns) {
			return
		}
		typ := columns[i]
		typ.Name = "c"
		column := typ.Column()
		var r myvalue.Row
		r.Begin(1)
		var err error
		if binary {
			var n int
			if n, err = r.Binary(&typ, b); err == nil {
				skipped, err := typ.Skip(b)
				if n > len(b) || n != skipped || err != nil {
					t.Fatalf("%x took %d of %d bytes, to skip it %d, %v", b, n, len(b), skipped, err)
				}
			}
		} else {
			err = r.Text(&typ, b)
		}
		if err != nil {
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("%v doesn't halt", err)
			}
			return
		}
		if r.Size() > 1100*len(b)+64 {
			t.Fatalf("%d bytes became %d", len(b), r.Size())
		}
		check(t, &column, r.Values()[0])
	})
}

func check(t *testing.T, column *change.Column, v change.Value) {
	t.Helper()
	own := string(change.AppendText(nil, column, v))
	if !utf8.ValidString(own) {
		t.Fatalf("%q is not UTF-8", own)
	}
	if v.Kind() == change.KindPartialDate {
		if column.Kind != change.KindDate && column.Kind != change.KindWallTime && column.Kind != change.KindInstant {
			t.Fatalf("a partial date in a column of %s", column.Kind)
		}
		return
	}
	if v.Kind() != column.Kind {
		t.Fatalf("%q is %s in a column of %s", own, v.Kind(), column.Kind)
	}
	again, err := change.ParseText(column, own)
	if err != nil || again != v && own != "NaN" {
		t.Fatalf("%q reads as %+v, %v", own, again, err)
	}
}

// FuzzJSON reads any bytes as a binary JSON document: they are refused, or become a JSON text that isn't much longer.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"\x04\x01", "\x05\x01\x00", "\x0b\x00\x00\x00\x00\x00\x00\xf0\x3f", "\x0b\x00\x00\x00\x00\x00\x00\xf0\x7f", "\x0b\xff\xff\xff\xff\xff\xff\xff\xff", "\x0c\x03abc", "\x02\x01\x00\x07\x00\x05\x01\x00",
		"\x00\x01\x00\x0c\x00\x0b\x00\x01\x00\x05\x01\x00a", "\x0f\xf6\x04\x03\x02\x81\x32", "\x0f\x0c\x08\x00\x00\x00\x00\x00\x00\xb2\x19", "\x0f\x0f\x02\x00\xff",
		"\x02\x02\x00\x0a\x00\x02\x00\x00\x02\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		typ := myvalue.Type{Name: "c", Wire: myvalue.JSON, Length: 4}
		var r myvalue.Row
		r.Begin(1)
		_, err := r.Binary(&typ, append(binary.LittleEndian.AppendUint32(nil, uint32(len(doc))), doc...))
		if err != nil {
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("%v doesn't halt", err)
			}
			return
		}
		text := r.Values()[0].Str()
		if !json.Valid([]byte(text)) {
			t.Fatalf("%x is %q", doc, text)
		}
		if len(text) > 40*len(doc)+64 {
			t.Fatalf("%d bytes became %d", len(doc), len(text))
		}
	})
}

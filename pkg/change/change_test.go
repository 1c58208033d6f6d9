package change_test

import (
	"math"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"pgregory.net/rapid"
)

func TestValueIsSmallAndComparable(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(change.Value{}); size != 32 {
		t.Errorf("a Value takes %d bytes, want 32", size)
	}
	one, again := change.Text("a"), change.Text(string([]byte{'a'}))
	if change.Text("a") == change.Native("a") || change.Null() == (change.Value{}) || one != again {
		t.Error("Values do not compare by kind and content")
	}
	if !(change.Value{}).IsUnset() {
		t.Error("the zero Value is not Unset")
	}
}

func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	col := func(k change.Kind, precision int) *change.Column {
		return &change.Column{Name: "c", Kind: k, Precision: precision}
	}
	cases := []struct {
		name string
		col  *change.Column
		v    change.Value
		text string
	}{
		{"bool", col(change.KindBool, 0), change.Bool(true), "true"},
		{"min int", col(change.KindInt, 0), change.Int(math.MinInt64), "-9223372036854775808"},
		{"max uint", col(change.KindUint, 0), change.Uint(math.MaxUint64), "18446744073709551615"},
		{"float32 stays short", col(change.KindFloat32, 0), change.Float32(0.1), "0.1"},
		{"float64", col(change.KindFloat64, 0), change.Float64(1e300), "1e+300"},
		{"float infinity", col(change.KindFloat64, 0), change.Float64(math.Inf(-1)), "-Infinity"},
		{"decimal keeps its zeros", col(change.KindDecimal, 0), change.Decimal("1.500"), "1.500"},
		{"bytes", col(change.KindBytes, 0), change.Bytes("\x00\xff"), "AP8="},
		{"day zero", col(change.KindDate, 0), change.Date(0), "2000-01-01"},
		{"leap day", col(change.KindDate, 0), change.Date(59), "2000-02-29"},
		{"first day of Postgres", col(change.KindDate, 0), change.Date(-2451545), "-4713-11-24"},
		{"day infinity", col(change.KindDate, 0), change.Date(change.Infinity), "infinity"},
		{"instant", col(change.KindInstant, 6), change.Instant(1), "2000-01-01T00:00:00.000001Z"},
		{"instant of three digits", col(change.KindInstant, 3), change.Instant(-1000), "1999-12-31T23:59:59.999Z"},
		{"instant infinity", col(change.KindInstant, 6), change.Instant(change.NegativeInfinity), "-infinity"},
		{"last instant of Postgres", col(change.KindInstant, 6), change.Instant(9224318015999999999 - 946684800000000), "+294247-01-01T00:00:00.000000Z"},
		{"wall time without fraction", col(change.KindWallTime, 0), change.WallTime(86400e6), "2000-01-02T00:00:00"},
		{"first instant of 64 bits", col(change.KindInstant, 6), change.Instant(change.NegativeInfinity + 1), "-290278-12-22T19:59:05.224193Z"},
		{"last instant of 64 bits", col(change.KindInstant, 6), change.Instant(change.Infinity - 1), "+294277-01-09T04:00:54.775806Z"},
		{"24:00", col(change.KindTime, 0), change.Time(86400e6), "24:00:00"},
		{"negative duration", col(change.KindTime, 2), change.Time(-838*3600e6 - 10000), "-838:00:00.01"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.name == "last instant of Postgres" {
				c.v = change.Instant((change.DaysFromCivil(294276, 12, 31)*86400 + 86399) * 1e6)
				c.text = "+294276-12-31T23:59:59.000000Z"
			}
			if got := string(change.AppendText(nil, c.col, c.v)); got != c.text {
				t.Errorf("text is %s, want %s", got, c.text)
			}
			v, err := change.ParseText(c.col, c.text)
			if err != nil || v != c.v {
				t.Errorf("parsed back to %v, %v, want %v", v, err, c.v)
			}
		})
	}
}

func TestTextIsRefused(t *testing.T) {
	t.Parallel()
	cases := map[change.Kind][]string{
		change.KindInt:     {"+1", "1_0", ""},
		change.KindFloat64: {"inf", "0x1p-2", "1_0", "+1"},
		change.KindBytes:   {"AA\n==", "AB=="},
		change.KindDate:    {"-+2024-01-01", "2024-02-30", "2024-1-1"},
		change.KindInstant: {"+999999-01-01T00:00:00Z", "+294277-01-09T04:00:54.775807Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00"},
	}
	for kind, texts := range cases {
		for _, text := range texts {
			if v, err := change.ParseText(&change.Column{Name: "c", Kind: kind}, text); err == nil {
				t.Errorf("%q was taken for %s: %v", text, kind, v)
			}
		}
	}
}

func TestNoFractionIsCut(t *testing.T) {
	t.Parallel()
	col := &change.Column{Name: "c", Kind: change.KindTime, Precision: 3}
	if got := string(change.AppendText(nil, col, change.Time(1))); got != "00:00:00.000001" {
		t.Errorf("a microsecond in a column of milliseconds is %s", got)
	}
}

func TestCivilAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.Int64Range(-2451545, 107_000_000).Draw(t, "days")
		want := epoch.AddDate(0, 0, int(days))
		y, m, d := change.CivilFromDays(days)
		if y != int64(want.Year()) || m != int64(want.Month()) || d != int64(want.Day()) {
			t.Fatalf("day %d is %d-%d-%d, want %s", days, y, m, d, want)
		}
		if back := change.DaysFromCivil(y, m, d); back != days {
			t.Fatalf("day %d came back as %d", days, back)
		}
	})
}

func TestPositionTextOrdersAndParses(t *testing.T) {
	t.Parallel()
	draw := rapid.Custom(func(t *rapid.T) change.Position {
		return change.Position{Epoch: rapid.Uint32().Draw(t, "epoch"), Commit: rapid.Uint64().Draw(t, "commit"), Seq: rapid.Uint64().Draw(t, "seq")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := draw.Draw(t, "p"), draw.Draw(t, "q")
		back, err := change.ParsePosition(p.String())
		if err != nil || back != p {
			t.Fatalf("%s came back as %s, %v", p, back, err)
		}
		if (p.String() < q.String()) != p.Less(q) {
			t.Fatalf("%s and %s: texts and positions differ in order", p, q)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	f.Add("00000001-00000000016B3748-0000000000000005")
	f.Add("00000001-00000000016b3748-0000000000000005")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := change.ParsePosition(s); err == nil && p.String() != s {
			t.Fatalf("%q parsed and printed as %q", s, p)
		}
	})
}

func TestCovers(t *testing.T) {
	t.Parallel()
	at := change.Position{Epoch: 1, Commit: 10, Seq: change.MaxSeq}
	txn := &change.Txn{ID: "1@0/A"}
	cases := []struct {
		name string
		c    change.Change
		want bool
	}{
		{"row below", change.Change{Op: change.Update, Txn: txn, Pos: change.Position{Epoch: 1, Commit: 10}}, true},
		{"row at", change.Change{Op: change.Insert, Txn: txn, Pos: at}, true},
		{"row above", change.Change{Op: change.Insert, Txn: txn, Pos: change.Position{Epoch: 1, Commit: 11}}, false},
		{"row of a later epoch", change.Change{Op: change.Insert, Txn: txn, Pos: change.Position{Epoch: 2, Commit: 1}}, false},
		{"snapshot row at", change.Change{Op: change.SnapshotRow, Pos: at}, false},
		{"snapshot row below", change.Change{Op: change.SnapshotRow, Pos: change.Position{Epoch: 1, Commit: 9}}, true},
		{"truncate at", change.Change{Op: change.Truncate, Pos: at, Txn: txn}, true},
		{"truncate that begins a chunk, at", change.Change{Op: change.Truncate, Pos: at}, false},
	}
	for _, c := range cases {
		if got := at.Covers(&c.c); got != c.want {
			t.Errorf("%s: covered %v, want %v", c.name, got, c.want)
		}
	}
}

func table(columns ...change.Column) *change.Table {
	t := &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "t", Columns: columns}
	for i := range columns {
		t.Key = append(t.Key, i)
	}
	return t
}

func TestKeys(t *testing.T) {
	t.Parallel()
	text := change.Column{Name: "k", Kind: change.KindText}
	fold := func(k change.Kind, e change.Equality) change.Column {
		return change.Column{Name: "k", Kind: k, Equality: e}
	}
	cases := []struct {
		name      string
		table     *change.Table
		row       []change.Value
		key, lane string
	}{
		{"text", table(text), []change.Value{change.Text("a\"\x01é")}, `{"k":"a\"\u0001é"}`, `{"k":"a\"\u0001é"}`},
		{"numeric", table(fold(change.KindDecimal, change.Numeric)), []change.Value{change.Decimal("-01.500")}, `{"k":"-01.500"}`, `{"k":"-15e-1"}`},
		{"negative zero", table(fold(change.KindFloat64, change.Numeric)), []change.Value{change.Float64(math.Copysign(0, -1))}, `{"k":-0}`, `{"k":"0"}`},
		{"exponent", table(fold(change.KindDecimal, change.Numeric)), []change.Value{change.Decimal("1E+2")}, `{"k":"1E+2"}`, `{"k":"1e2"}`},
		{"hundred", table(fold(change.KindDecimal, change.Numeric)), []change.Value{change.Decimal("100.0")}, `{"k":"100.0"}`, `{"k":"1e2"}`},
		{"not a number", table(fold(change.KindDecimal, change.Numeric)), []change.Value{change.Decimal("NaN")}, `{"k":"NaN"}`, `{"k":"NaN"}`},
		{"case", table(fold(change.KindText, change.CaseInsensitive)), []change.Value{change.Text("KAÄsi")}, `{"k":"KAÄsi"}`, `{"k":"as"}`},
		{"unknown", table(fold(change.KindText, change.Unknown)), []change.Value{change.Text("x")}, `{"k":"x"}`, `{}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, err := change.AppendKey(nil, c.table, c.row)
			if err != nil || string(key) != c.key {
				t.Errorf("key %s, %v, want %s", key, err, c.key)
			}
			lane, err := change.AppendLaneKey(nil, c.table, c.row)
			if err != nil || string(lane) != c.lane {
				t.Errorf("lane key %s, %v, want %s", lane, err, c.lane)
			}
			if change.LaneKeyIsKey(c.table) != (c.table.Columns[0].Equality == change.Bytewise) {
				t.Error("LaneKeyIsKey is wrong")
			}
		})
	}
	if _, err := change.AppendKey(nil, table(text), make([]change.Value, 1)); err == nil {
		t.Error("a key with an Unset column was made")
	}
	keyless := &change.Table{Name: "h", Columns: []change.Column{text}}
	if key, err := change.AppendKey(nil, keyless, []change.Value{change.Text("v")}); err != nil || string(key) != `{"k":"v"}` {
		t.Errorf("the key of a keyless row is %s, %v", key, err)
	}
}

// TestLaneOf checks murmur2 against the vectors of Kafka's own UtilsTest.
func TestLaneOf(t *testing.T) {
	t.Parallel()
	vectors := map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107}
	for key, hash := range vectors {
		for _, n := range []int32{1, 6, 1000, math.MaxInt32} {
			if got, want := change.LaneOf([]byte(key), n), (hash&0x7fffffff)%n; got != want {
				t.Errorf("lane of %q among %d is %d, want %d", key, n, got, want)
			}
		}
	}
}

func TestShapeRoundTrip(t *testing.T) {
	t.Parallel()
	labels := []string{"new", "paid"}
	in := table(change.Column{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64, ID: 1<<48 - 1, Missing: &labels[0]},
		change.Column{Name: "<s>", Native: "status", Kind: change.KindText, Nullable: true, Enum: &labels, Equality: change.Unknown, Reread: true})
	in.Lineage = "x"
	b, err := change.AppendShape(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := change.ParseShape(b)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := change.Fingerprint(in)
	second, _ := change.Fingerprint(out)
	if first != second || len(first) != 32 || out.Lineage != "x" || !slices.Equal(*out.Columns[1].Enum, labels) || !out.Columns[1].Reread {
		t.Errorf("%s came back as %+v, fingerprints %s and %s", b, out, first, second)
	}
	in.Columns[1].Nullable = false
	if other, _ := change.Fingerprint(in); other == first {
		t.Error("another shape has the same fingerprint")
	}
	for _, bad := range []string{`{}{`, string(b) + "}", `{"columns":[{"name":"a","kind":"int"},{"name":"a","kind":"int"}]}`, `{"columns":[{"name":"a","kind":"int"}],"key":[0,0]}`, `{"unknown":1}`, `{"columns":[{"name":"a","kind":"x"}]}`, `{"columns":[],"key":[0]}`} {
		if _, err := change.ParseShape([]byte(bad)); err == nil {
			t.Errorf("%s was taken for a shape", bad)
		}
	}
}

func FuzzTextRoundTrip(f *testing.F) {
	for _, s := range []string{"infinity", "2024-02-30", "-0001-01-01T24:00:00Z", "2024-01-01T00:00:00.1234567", "1e400", "AA=="} {
		for k := change.KindBool; k <= change.KindNative; k++ {
			f.Add(uint8(k), s)
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, s string) {
		col := &change.Column{Name: "c", Kind: change.Kind(k), Precision: 6}
		v, err := change.ParseText(col, s)
		if err != nil {
			return
		}
		again, err := change.ParseText(col, string(change.AppendText(nil, col, v)))
		nan := v.Kind() == change.KindFloat64 && math.IsNaN(v.Float64()) || v.Kind() == change.KindFloat32
		if err != nil || (again != v && !nan) {
			t.Fatalf("%q is %+v, printed and parsed again it is %+v, %v", s, v, again, err)
		}
	})
}

func TestAllocations(t *testing.T) {
	tab := table(change.Column{Name: "id", Kind: change.KindInt}, change.Column{Name: "at", Kind: change.KindInstant, Precision: 6})
	row := []change.Value{change.Int(12345), change.Instant(1e15)}
	buf := make([]byte, 0, 256)
	n := testing.AllocsPerRun(100, func() {
		key, err := change.AppendKey(buf[:0], tab, row)
		if err != nil {
			t.Fatal(err)
		}
		change.LaneOf(key, 6)
	})
	if n != 0 {
		t.Errorf("a key and its lane cost %v allocations, want 0", n)
	}
}

package codec_test

import (
	"fmt"
	"math"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"pgregory.net/rapid"
)

// kinds are all the kinds that a column may have.
func kinds() []change.Kind {
	var out []change.Kind
	for k := change.KindBool; k <= change.KindNative; k++ {
		out = append(out, k)
	}
	return out
}

var genName = rapid.OneOf(rapid.SampledFrom([]string{"id", "a b", `q"\`, "é", "", "before", "\x01", "<&>"}), rapid.String())

// genTable draws a table with any columns, keyed or not.
func genTable(t *rapid.T) *change.Table {
	names := rapid.SliceOfNDistinct(genName.Filter(func(s string) bool { return s != "__tailwater" }), 0, 12, rapid.ID[string]).Draw(t, "names")
	engine := rapid.SampledFrom([]string{"postgres", "mysql", "mariadb", "other"}).Draw(t, "engine")
	table := &change.Table{Source: "shop", Engine: engine, Schema: rapid.String().Draw(t, "schema"), Name: rapid.String().Draw(t, "table")}
	for i, name := range names {
		c := change.Column{Name: name, Native: "n", Kind: rapid.SampledFrom(kinds()).Draw(t, "kind"), Nullable: rapid.Bool().Draw(t, "nullable"),
			Precision: rapid.IntRange(0, 6).Draw(t, "precision"), Equality: change.Equality(rapid.IntRange(0, 3).Draw(t, "equality"))}
		table.Columns = append(table.Columns, c)
		if rapid.Bool().Draw(t, fmt.Sprintf("%d is in the key", i)) {
			table.Key = append(table.Key, i)
		}
	}
	return table
}

// genValue draws a value that col may hold.
func genValue(t *rapid.T, col *change.Column) change.Value {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "null", "__debezium_unavailable_value", "\"\\\n\x00\x1f\x7f", "é𝄞\u2028", "plain text of some length"}), rapid.String())
	unit := int64(1_000_000)
	for range col.Precision {
		unit /= 10
	}
	infinities := rapid.SampledFrom([]int64{change.Infinity, change.NegativeInfinity})
	stamps := rapid.OneOf(infinities, rapid.Custom(func(t *rapid.T) int64 { return rapid.Int64().Draw(t, "us") / unit * unit }))
	partial := rapid.SampledFrom([]string{"0000-00-00", "2024-00-10", "2023-02-29", "0000-00-00T00:00:00", "2024-13-01 10:00:00.123456"})
	mayBePartial := col.Kind == change.KindDate || col.Kind == change.KindInstant || col.Kind == change.KindWallTime
	if mayBePartial && rapid.IntRange(0, 5).Draw(t, "partial") == 0 {
		return change.PartialDate(partial.Draw(t, "partial date"))
	}
	switch col.Kind {
	case change.KindBool:
		return change.Bool(rapid.Bool().Draw(t, "bool"))
	case change.KindInt:
		return change.Int(rapid.Int64().Draw(t, "int"))
	case change.KindUint:
		return change.Uint(rapid.Uint64().Draw(t, "uint"))
	case change.KindFloat32:
		special := rapid.SampledFrom([]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32})
		return change.Float32(rapid.OneOf(special, rapid.Float32()).Draw(t, "float32"))
	case change.KindFloat64:
		special := rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64})
		return change.Float64(rapid.OneOf(special, rapid.Float64()).Draw(t, "float64"))
	case change.KindBytes:
		return change.Bytes(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
	case change.KindDate:
		days := rapid.OneOf(infinities, rapid.Int64Range(-3_000_000_000, 3_000_000_000), rapid.Int64Range(-2_500_000, 3_000_000))
		return change.Date(days.Draw(t, "days"))
	case change.KindTime:
		return change.Time(rapid.Int64Range(-999_999_999*3600e6, 999_999_999*3600e6).Draw(t, "clock") / unit * unit)
	case change.KindInstant:
		return change.Instant(stamps.Draw(t, "instant"))
	case change.KindWallTime:
		return change.WallTime(stamps.Draw(t, "wall time"))
	}
	return textOf(col.Kind, text.Draw(t, "text"))
}

func textOf(k change.Kind, s string) change.Value {
	switch k {
	case change.KindDecimal:
		return change.Decimal(s)
	case change.KindText:
		return change.Text(s)
	case change.KindJSON:
		return change.JSON(s)
	case change.KindUUID:
		return change.UUID(s)
	case change.KindInterval:
		return change.Interval(s)
	case change.KindBits:
		return change.Bits(s)
	case change.KindPartialDate:
		return change.PartialDate(s)
	}
	return change.Native(s)
}

// genRow draws a row of table; its key columns are never Unset.
func genRow(t *rapid.T, table *change.Table) []change.Value {
	row := make([]change.Value, len(table.Columns))
	key := make([]bool, len(row))
	for _, k := range table.Key {
		key[k] = true
	}
	for i := range row {
		switch choice := rapid.IntRange(0, 5).Draw(t, "null or unset"); {
		case choice == 0 && !key[i]:
		case choice == 1:
			row[i] = change.Null()
		default:
			row[i] = genValue(t, &table.Columns[i])
		}
	}
	return row
}

// genChange draws any change of table.
func genChange(t *rapid.T, table *change.Table) change.Change {
	c := change.Change{Table: table, Op: change.Op(rapid.IntRange(int(change.Insert), int(change.NewShape)).Draw(t, "op")),
		Pos: change.Position{Epoch: rapid.Uint32().Draw(t, "epoch"), Commit: rapid.Uint64().Draw(t, "commit"), Seq: rapid.Uint64().Draw(t, "seq")}}
	inLog := c.Op != change.SnapshotRow
	if c.Op.IsMarker() {
		inLog = rapid.Bool().Draw(t, "in the log")
	}
	if inLog {
		us := rapid.Int64Range(-6e16, 6e16).Draw(t, "committed")
		c.Txn = &change.Txn{ID: rapid.OneOf(rapid.SampledFrom([]string{"571@0/16B3748", ""}), rapid.String()).Draw(t, "txn"), Committed: time.UnixMicro(us).UTC()}
	}
	switch c.Op {
	case change.Insert, change.SnapshotRow:
		c.After = genRow(t, table)
	case change.Update:
		c.After = genRow(t, table)
		if rapid.Bool().Draw(t, "has before") {
			c.Before = genRow(t, table)
		}
	case change.Delete:
		c.Before = genRow(t, table)
	}
	return c
}

// difference says in what two changes differ, empty if in nothing. A NaN equals a NaN.
func difference(a, b *change.Change) string {
	switch {
	case a.Op != b.Op:
		return fmt.Sprintf("op %s and %s", a.Op, b.Op)
	case a.Pos != b.Pos:
		return fmt.Sprintf("position %s and %s", a.Pos, b.Pos)
	case (a.Txn == nil) != (b.Txn == nil):
		return "one has no transaction"
	case a.Txn != nil && (a.Txn.ID != b.Txn.ID || !a.Txn.Committed.Equal(b.Txn.Committed)):
		return fmt.Sprintf("transaction %v and %v", a.Txn, b.Txn)
	}
	first, _ := change.Fingerprint(a.Table)
	if second, _ := change.Fingerprint(b.Table); first != second {
		return "tables differ"
	}
	if d := rowDifference(a.Before, b.Before); d != "" {
		return "before: " + d
	}
	if d := rowDifference(a.After, b.After); d != "" {
		return "after: " + d
	}
	return ""
}

func rowDifference(a, b []change.Value) string {
	if (a == nil) != (b == nil) || len(a) != len(b) {
		return fmt.Sprintf("%d and %d values", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] && !(isNaN(a[i]) && isNaN(b[i])) {
			return fmt.Sprintf("column %d: %+v and %+v", i, a[i], b[i])
		}
	}
	return ""
}

func isNaN(v change.Value) bool {
	return v.Kind() == change.KindFloat64 && math.IsNaN(v.Float64()) ||
		v.Kind() == change.KindFloat32 && math.IsNaN(float64(v.Float32()))
}

package codec_test

import (
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// orders is the table of the benchmark beside the incumbent, as PostgreSQL describes it.
func orders() *change.Table {
	return &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "orders", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "customer_id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "status", Native: "text", Kind: change.KindText},
		{Name: "amount", Native: "numeric(12,2)", Kind: change.KindDecimal, Precision: 12, Scale: 2},
		{Name: "note", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "created_at", Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6},
		{Name: "updated_at", Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6},
	}}
}

func insertOrder(table *change.Table, id int64) change.Change {
	return change.Change{Op: change.Insert, Table: table, Pos: change.Position{Epoch: 1, Commit: 0x16B3748, Seq: uint64(id)<<2 | change.SeqRow},
		Txn: &change.Txn{ID: "571@0/16B3748", Committed: time.UnixMicro(1_730_000_000_123_456).UTC()},
		After: []change.Value{change.Int(id), change.Int(id % 5000), change.Text("new"), change.Decimal(fmt.Sprintf("%d.%02d", id/100, id%100)),
			change.Text(fmt.Sprintf("note for order number %d", id)), change.Instant(783_315_200_123_456), change.Instant(783_315_200_123_456)}}
}

// wide is a table of twelve columns.
func wide() *change.Table {
	t := orders()
	t.Name = "wide"
	t.Columns = append(t.Columns, change.Column{Name: "paid", Kind: change.KindBool}, change.Column{Name: "weight", Kind: change.KindFloat64},
		change.Column{Name: "photo", Kind: change.KindBytes}, change.Column{Name: "details", Kind: change.KindJSON}, change.Column{Name: "day", Kind: change.KindDate})
	return t
}

func insertWide(table *change.Table, id int64) change.Change {
	c := insertOrder(table, id)
	c.After = append(c.After, change.Bool(true), change.Float64(12.75), change.Bytes("\x00\x01\x02 some bytes of a picture \xff"),
		change.JSON(`{"colour":"blue","sizes":[1,2,3]}`), change.Date(9000))
	return c
}

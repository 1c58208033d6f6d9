package mysql_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// ordersTable is bench/orders.postgres.sql's table as the PostgreSQL source describes it.
func ordersTable() *change.Table {
	return &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "orders", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "customer_id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "status", Native: "text", Kind: change.KindText},
		{Name: "amount", Native: "numeric(12,2)", Kind: change.KindDecimal, Precision: 12, Scale: 2, Equality: change.Numeric},
		{Name: "note", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "created_at", Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6},
		{Name: "updated_at", Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6},
	}}
}

func ordersChange(t *change.Table, txn *change.Txn, op change.Op, id int) change.Change {
	at := change.Instant(int64(id) * 1e6)
	return change.Change{Op: op, Table: t, Txn: txn, Pos: change.Position{Epoch: 1, Commit: uint64(id), Seq: 1},
		After: []change.Value{change.Int(int64(id)), change.Int(int64(id % 5000)), change.Text("new"),
			change.Decimal(fmt.Sprintf("%d.%02d", id%10000/100, id%100)), change.Text(fmt.Sprint("note for order number ", id)), at, at}}
}

// BenchmarkUpsert applies rows of orders over one connection, each batch with its mark: b.N batches. A patch lacks one column.
func BenchmarkUpsert(b *testing.B) {
	for _, name := range testenv.MySQLServers() {
		for _, size := range []int{1, 100, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/insert/batch=%d", name, size), func(b *testing.B) { benchmarkUpsert(b, name, size, "insert") })
		}
		b.Run(name+"/update/batch=5000", func(b *testing.B) { benchmarkUpsert(b, name, 5000, "update") })
		b.Run(name+"/patch/batch=5000", func(b *testing.B) { benchmarkUpsert(b, name, 5000, "patch") })
	}
}

func benchmarkUpsert(b *testing.B, server string, size int, kind string) {
	c := config(testenv.MySQL(b, server))
	c.MaxConns = 1
	s := open(b, c)
	table, txn := ordersTable(), &change.Txn{ID: "1", Committed: time.Unix(1_700_000_000, 0)}
	lane := change.Lane{Stream: "orders"}
	from := change.Mark{Lane: lane}
	batch := make([]change.Change, size)
	b.ReportAllocs()
	rows := 0
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		for i := range batch {
			id := rows + i
			if kind != "insert" {
				id %= 20_000
			}
			batch[i] = ordersChange(table, txn, change.Update, id)
			if kind == "patch" && rows >= 20_000 {
				batch[i].After[4] = change.Value{}
			}
		}
		b.StartTimer()
		to := change.Mark{Lane: lane, Next: int64(rows + size)}
		start := time.Now()
		if err := s.ApplyAt(b.Context(), batch, nil, []change.Mark{from}, []change.Mark{to}); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
		from = to
		rows += size
	}
	b.ReportMetric(float64(rows)/spent.Seconds(), "rows/s")
}

// BenchmarkWrite folds a batch of orders and makes its statements, without a server.
func BenchmarkWrite(b *testing.B) {
	table, txn := ordersTable(), &change.Txn{ID: "1", Committed: time.Unix(1_700_000_000, 0)}
	text := mysql.TargetColumn{Type: "longtext", Declared: "longtext", Charset: "utf8mb4", Collation: "utf8mb4_0900_bin"}
	columns := []mysql.TargetColumn{{Type: "bigint", Declared: "bigint"}, {Type: "bigint", Declared: "bigint"}, text,
		{Type: "decimal", Declared: "decimal(12,2)", Precision: 12, Scale: 2}, text,
		{Type: "timestamp", Declared: "timestamp(6)", Fraction: 6}, {Type: "timestamp", Declared: "timestamp(6)", Fraction: 6}}
	for i := range columns {
		columns[i].Name = table.Columns[i].Name
	}
	g := mysql.Golden{Table: table, Columns: columns, Mode: mysql.Upsert}
	for id := range 2000 { // a call that takes one statement, so that nothing is sent
		g.Changes = append(g.Changes, ordersChange(table, txn, change.Insert, id))
	}
	write, err := g.Write()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := write(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(g.Changes))/b.Elapsed().Seconds(), "rows/s")
}

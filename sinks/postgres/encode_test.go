package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

func encodeOrders(t testing.TB) (rows int, encode func() error) {
	t.Helper()
	table, txn := ordersTable(), &change.Txn{ID: "1", Committed: time.Unix(7, 0)}
	c := make([]change.Change, 1000)
	for i := range c {
		c[i] = ordersChange(table, txn, change.Insert, i)
	}
	types := []uint32{20, 20, 25, 1700, 25, 1184, 1184}
	var columns []postgres.TargetColumn
	for i := range table.Columns {
		columns = append(columns, postgres.TargetColumn{Name: table.Columns[i].Name, Declared: table.Columns[i].Native, Bare: "x", Type: types[i], Typmod: -1})
	}
	encode, err := postgres.EncodeColumns(table, columns, c)
	if err != nil {
		t.Fatal(err)
	}
	return len(c), encode
}

// TestEncodeAllocates: once its buffers are large enough, encoding rows allocates nothing.
func TestEncodeAllocates(t *testing.T) {
	_, encode := encodeOrders(t)
	if err := encode(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = encode() }); n > 0 {
		t.Errorf("%.0f allocations, want none", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	rows, encode := encodeOrders(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := encode(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
}

// TestUnchangedToast is P-8 and P-9: what an update doesn't carry stays, for long texts, arrays and documents, while an empty string and a
// NULL that it does carry are written.
func TestUnchangedToast(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		s := open(t, config(pg))
		tab := table()
		long := strings.Repeat("0123456789", 1024)
		names := []string{"text[]", "uuid[]", "jsonb"}
		row := []change.Value{change.Int(1), change.Text(long), change.Text("x"), change.Native(`{a,""}`),
			change.Native("{00112233-4455-6677-8899-aabbccddeeff}"), change.JSON(`{"a": 1}`)}
		for i, native := range names {
			kind := []change.Kind{change.KindNative, change.KindNative, change.KindJSON}[i]
			tab.Columns = append(tab.Columns, change.Column{Name: native, Native: native, Kind: kind, Nullable: true})
		}
		mustApply(t, s, at(tab, 1, change.Insert, row...))
		var unset change.Value
		mustApply(t, s, at(tab, 2, change.Update, change.Int(1), unset, change.Text(""), unset, unset, unset))
		show := `select length(a), b, "text[]", "uuid[]", jsonb from t`
		wantRows(t, pg, show, `10240||{a,""}|{00112233-4455-6677-8899-aabbccddeeff}|{"a": 1}`)
		mustApply(t, s, at(tab, 3, change.Update, change.Int(1), change.Text(""), change.Null(), unset, change.Null(), unset))
		wantRows(t, pg, show, `0|\N|{a,""}|\N|{"a": 1}`)
	})
}

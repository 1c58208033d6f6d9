package codec_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// flinkOrders is how Flink's user writes the table of orders for each format.
func flinkOrders(f codec.Format) testenv.FlinkFormat {
	row := "ROW<id BIGINT, customer_id BIGINT, status STRING, amount DECIMAL(12,2), note STRING, created_at %[1]s, updated_at %[1]s>"
	switch f {
	case codec.DebeziumJSON, codec.Flat:
		name := map[codec.Format]string{codec.DebeziumJSON: "debezium-json", codec.Flat: "json"}[f]
		return testenv.FlinkFormat{Name: name, Times: "ISO-8601", Row: fmt.Sprintf(row, "TIMESTAMP_LTZ(6)")}
	}
	return testenv.FlinkFormat{Name: f.String(), Times: "SQL", Row: fmt.Sprintf(row, "TIMESTAMP(6)")}
}

const flinkRow = `"7","7","new","0.07","note for order number 7","2024-10-27 03:33:20.123456","2024-10-27 03:33:20.123456"]`

// TestFlinkReadsTheGoldenFrames: what Flink's formats make of each frame of testdata, and what they refuse: every claim of docs/formats.md
// about one of them is a line here.
func TestFlinkReadsTheGoldenFrames(t *testing.T) {
	t.Parallel()
	readers := testenv.ForeignReaders(t)
	insert, old := `["+I",`+flinkRow, `["-U","7","7","old","0.07",null,"2024-10-27 03:33:20.123456","2024-10-27 03:33:20.123456"]`
	update := `["-U",` + flinkRow + "\n" + `["+U",` + flinkRow
	keyOnly := `["-D","7",null,null,null,null,null,null]`
	want := map[codec.Format]map[string]string{
		codec.DebeziumJSON: {"insert": insert, "insert_mysql": insert, "snapshot_row": insert, "update": update, "update_old": old + "\n" + `["+U",` + flinkRow,
			"update_unset_omit": "refused: The \"before\" field of UPDATE message is null", "delete_by_key": keyOnly, "truncate": "", "new_shape": "", "truncate_chunk": ""},
		codec.MaxwellJSON: {"insert": insert, "insert_mysql": insert, "snapshot_row": `refused: Unknown "type" value "bootstrap-insert"`, "update": update, "update_old": old + "\n" + `["+U",` + flinkRow,
			"update_unset_omit": "refused: Corrupt Maxwell JSON message", "delete_by_key": keyOnly, "truncate": "", "new_shape": "", "truncate_chunk": ""},
		codec.CanalJSON: {"insert": insert, "insert_mysql": insert, "snapshot_row": insert, "update": update, "update_old": old + "\n" + `["+U",` + flinkRow,
			"update_unset_omit": "refused: Corrupt Canal JSON message", "delete_by_key": keyOnly, "truncate": "", "new_shape": "", "truncate_chunk": ""},
		// Plain JSON knows rows only: what was deleted is said by a tombstone, which upsert-kafka reads, and by __deleted.
		codec.Flat: {"insert": insert, "insert_mysql": insert, "snapshot_row": insert, "update": insert, "update_old": insert,
			"update_unset_omit": `["+I","7","7","new","0.07",null,"2024-10-27 03:33:20.123456","2024-10-27 03:33:20.123456"]`, "delete_by_key": strings.Replace(keyOnly, "-D", "+I", 1), "truncate": "", "new_shape": "", "truncate_chunk": ""},
	}
	for f, frames := range want {
		seen := 0
		for _, g := range formatGoldens(f) {
			expected, ok := frames[g.name]
			if !ok {
				continue // another table's
			}
			seen++
			t.Run(f.String()+"_"+g.name, func(t *testing.T) {
				t.Parallel()
				rows, refusal := readers.Flink(flinkOrders(f), [][]byte{record(t, codec.NewEncoder(optionsOf(f)), &g.change).Value})
				got := strings.Join(rows, "\n")
				if words, refused := strings.CutPrefix(expected, "refused: "); refused {
					if !strings.Contains(refusal, words) {
						t.Errorf("Flink says %q, rows %s; want %q", refusal, got, words)
					}
					return
				}
				if refusal != "" || got != expected {
					t.Errorf("Flink read\n%s\n%s\nwant\n%s", got, refusal, expected)
				}
			})
		}
		if seen != len(frames) {
			t.Errorf("%s: %d frames were read, want %d", f, seen, len(frames))
		}
	}
}

// TestFlinkReadsEveryKind reads a row of every kind that has a type in Flink, at the ends of what the type holds.
func TestFlinkReadsEveryKind(t *testing.T) {
	t.Parallel()
	readers := testenv.ForeignReaders(t)
	type kind struct {
		change.Column
		flink, text string
		value       change.Value
		canal       string // Canal's text for the column in Flink, if another type is to be said there
	}
	kinds := []kind{
		{change.Column{Name: "id", Kind: change.KindInt, Bits: 64}, "BIGINT", "-9223372036854775808", change.Int(-9223372036854775808), ""},
		{change.Column{Name: "b", Kind: change.KindBool}, "BOOLEAN", "true", change.Bool(true), ""},
		{change.Column{Name: "u", Kind: change.KindUint, Bits: 64}, "DECIMAL(20,0)", "18446744073709551615", change.Uint(18446744073709551615), ""},
		{change.Column{Name: "f", Kind: change.KindFloat64}, "DOUBLE", "0.1", change.Float64(0.1), ""},
		{change.Column{Name: "d", Kind: change.KindDecimal, Precision: 38, Scale: 10}, "DECIMAL(38,10)", "1234567890123456789012345678.1234567890", change.Decimal("1234567890123456789012345678.1234567890"), ""},
		{change.Column{Name: "t", Kind: change.KindText}, "STRING", "é \"q\" \\ \n𝄞", change.Text("é \"q\" \\ \n𝄞"), ""},
		{change.Column{Name: "raw", Kind: change.KindBytes}, "BYTES", "AP8=", change.Bytes("\x00\xff"), "\x00ÿ"},
		{change.Column{Name: "j", Kind: change.KindJSON}, "STRING", `{"a": 1.0}`, change.JSON(`{"a": 1.0}`), ""},
		{change.Column{Name: "day", Kind: change.KindDate}, "DATE", "2024-02-29", change.Date(8825), ""},
		{change.Column{Name: "clock", Kind: change.KindTime}, "TIME", "23:59:59", change.Time(86399e6), ""},
		{change.Column{Name: "wall", Kind: change.KindWallTime, Precision: 6}, "TIMESTAMP(6)", "1999-12-31 23:59:59.999999", change.WallTime(-1), ""},
		{change.Column{Name: "none", Kind: change.KindText, Nullable: true}, "STRING", "", change.Null(), ""},
	}
	table := &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "kinds", Key: []int{0}}
	in := insertOrder(table, 1)
	in.After = nil
	for _, k := range kinds {
		table.Columns, in.After = append(table.Columns, k.Column), append(in.After, k.value)
	}
	for _, f := range []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON, codec.Flat} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			var columns []string
			texts := []any{"+I"}
			for _, k := range kinds {
				typ, text := k.flink, any(k.text)
				if f == codec.CanalJSON && k.canal != "" {
					typ, text = "STRING", k.canal
				}
				if k.value.IsNull() {
					text = nil
				}
				columns, texts = append(columns, "`"+k.Name+"` "+typ), append(texts, text)
			}
			format := flinkOrders(f)
			format.Row = "ROW<" + strings.Join(columns, ", ") + ">"
			rows, refusal := readers.Flink(format, [][]byte{record(t, codec.NewEncoder(optionsOf(f)), &in).Value})
			if len(rows) != 1 || !sameJSON(rows[0], texts) {
				t.Errorf("Flink read %v %s\nwant %q", rows, refusal, texts)
			}
		})
	}
}

func sameJSON(text string, want []any) bool {
	var got []any
	return json.Unmarshal([]byte(text), &got) == nil && slices.Equal(got, want)
}

// TestFlinkHasNoValueFor: values that we carry and Flink's types don't: refused, but for a time's fraction, which it cuts off.
func TestFlinkHasNoValueFor(t *testing.T) {
	t.Parallel()
	readers := testenv.ForeignReaders(t)
	cases := []struct {
		name, flink string
		column      change.Column
		value       change.Value
		want        string // empty: it refuses
	}{
		{"infinity", "TIMESTAMP_LTZ(6)", change.Column{Kind: change.KindInstant, Precision: 6}, change.Instant(change.Infinity), ""},
		{"a zero date", "DATE", change.Column{Kind: change.KindDate}, change.PartialDate("0000-00-00"), ""},
		{"NaN", "DECIMAL(10,2)", change.Column{Kind: change.KindDecimal, Precision: 10, Scale: 2}, change.Decimal("NaN"), ""},
		{"NaN as text", "STRING", change.Column{Kind: change.KindDecimal, Precision: 10, Scale: 2}, change.Decimal("NaN"), `["+I","1","NaN"]`},
		{"a time's fraction", "TIME", change.Column{Kind: change.KindTime, Precision: 3}, change.Time(1_500_000), `["+I","1","00:00:01"]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.column.Name = "odd"
			table := &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "odd", Key: []int{0}, Columns: []change.Column{{Name: "id", Kind: change.KindInt, Bits: 64}, c.column}}
			in := insertOrder(table, 1)
			in.After = []change.Value{change.Int(1), c.value}
			for _, f := range []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON, codec.Flat} {
				format := flinkOrders(f)
				format.Row = "ROW<id BIGINT, odd " + c.flink + ">"
				rows, refusal := readers.Flink(format, [][]byte{record(t, codec.NewEncoder(optionsOf(f)), &in).Value})
				if got := strings.Join(rows, "\n"); got != c.want || (refusal == "") != (c.want != "") {
					t.Errorf("%s: read %q, %s; want %q", f, got, refusal, c.want)
				}
			}
		})
	}
}

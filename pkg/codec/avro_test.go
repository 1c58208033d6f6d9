package codec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"pgregory.net/rapid"
)

// refusedByAvro says that Avro has no value for what c holds.
func refusedByAvro(t *rapid.T, e *codec.Encoder, c *change.Change) bool {
	_, err := e.AppendKey(nil, c)
	if err == nil && !c.Op.IsMarker() {
		_, err = e.AppendValue(nil, c)
	}
	if err != nil && !errors.Is(err, change.ErrHalt) {
		t.Fatal(err)
	}
	return err != nil
}

// TestGoldenAvroText is a row of every kind whose decimals, dates and times are text, infinities among them.
func TestGoldenAvroText(t *testing.T) {
	t.Parallel()
	c := everyKind()
	o := optionsOf(codec.Avro)
	o.AsText = func(*change.Table, *change.Column) bool { return true }
	e, s := codec.NewEncoder(o), schemas{}
	s.add(t, e, c.Table)
	r := record(t, e, &c)
	check(t, "avro_text", hexText(r))
	got, _, err := codec.NewDecoder("shop", s.lookup).Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(&c, &got); diff != "" {
		t.Error(diff)
	}
}

// TestAvroTextCarriesAll: with every column of such a kind as text, Avro refuses nothing but an Unset column that can't say so.
func TestAvroTextCarriesAll(t *testing.T) {
	t.Parallel()
	o := optionsOf(codec.Avro)
	o.AsText = func(*change.Table, *change.Column) bool { return true }
	rapid.Check(t, func(t *rapid.T) {
		e := codec.NewEncoder(o)
		s := schemas{}
		d := codec.NewDecoder("shop", s.lookup)
		table := genTable(t)
		for i := range table.Columns {
			table.Columns[i].Name = fmt.Sprintf("c%d", i)
			if c := &table.Columns[i]; c.Kind == change.KindInt || c.Kind == change.KindUint {
				c.Bits = 64
			}
		}
		s.add(t, e, table)
		in := genChange(t, table)
		if in.Op.IsMarker() {
			t.Skip("a marker has no row")
		}
		for i, v := range in.After {
			if v.IsUnset() {
				in.After[i] = change.Null()
			}
		}
		for _, k := range table.Key { // in the old row of an update the key is always there
			if in.Before != nil && in.Before[k].IsNull() && !table.Columns[k].Nullable || in.After != nil && in.After[k].IsNull() && !table.Columns[k].Nullable {
				t.Skip("the key is NULL, and may not be")
			}
		}
		r := record(t, e, &in)
		out, _, err := d.Decode(r)
		if err != nil {
			t.Fatalf("%q: %v", r.Value, err)
		}
		if diff := difference(&in, &out); diff != "" {
			t.Fatalf("%q came back different: %s", r.Value, diff)
		}
	})
}

// TestGoldenAvroSchemas holds the schemas of three engines' tables against testdata.
func TestGoldenAvroSchemas(t *testing.T) {
	t.Parallel()
	mysql := orders()
	mysql.Engine, mysql.Schema, mysql.Name = "mysql", "1 shop", "order-lines"
	mysql.Columns[3].Kind = change.KindTime
	kinds := everyKind()
	for name, table := range map[string]*change.Table{"orders": orders(), "names": mysql, "every_kind": kinds.Table} {
		o := optionsOf(codec.Avro)
		s := subjects{}
		o.Register = s.register
		if _, err := codec.NewEncoder(o).Plan(table); err != nil {
			t.Fatal(err)
		}
		topic := "cdc." + table.Schema + "." + table.Name
		for _, subject := range []string{topic + "-key", topic + "-value"} {
			var tidy any
			if err := json.Unmarshal([]byte(s[subject]), &tidy); err != nil {
				t.Fatalf("%s: %v", s[subject], err)
			}
		}
		check(t, "avro_schema_"+name, []byte(s[topic+"-key"]+"\n"+s[topic+"-value"]+"\n"))
	}
}

// TestAvroRefuses: what Avro has no value for halts by column, and never becomes another value.
func TestAvroRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		col   change.Column
		value change.Value
	}{
		{"NaN", change.Column{Kind: change.KindDecimal, Precision: 10, Scale: 2}, change.Decimal("NaN")},
		{"a scale that isn't the column's", change.Column{Kind: change.KindDecimal, Precision: 10, Scale: 2}, change.Decimal("1.5")},
		{"more digits than the column", change.Column{Kind: change.KindDecimal, Precision: 3, Scale: 2}, change.Decimal("12.34")},
		{"negative zero", change.Column{Kind: change.KindDecimal, Precision: 3, Scale: 2}, change.Decimal("-0.00")},
		{"an infinity", change.Column{Kind: change.KindInstant, Precision: 6}, change.Instant(change.Infinity)},
		{"the infinite day", change.Column{Kind: change.KindDate}, change.Date(change.NegativeInfinity)},
		{"a zero date", change.Column{Kind: change.KindDate}, change.PartialDate("0000-00-00")},
		{"a year past 64 bits", change.Column{Kind: change.KindWallTime, Precision: 6}, change.WallTime(change.Infinity - 1)},
		{"a day past 32 bits", change.Column{Kind: change.KindDate}, change.Date(2_500_000_000)},
		{"an Unset number", change.Column{Kind: change.KindInt, Bits: 64}, change.Value{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := insertOrder(orders(), 1)
			table := *in.Table
			c.col.Name, c.col.Nullable = "odd", true
			table.Columns = append(append([]change.Column(nil), table.Columns...), c.col)
			in.Table, in.After = &table, append(append([]change.Value(nil), in.After...), c.value)
			_, err := codec.NewEncoder(optionsOf(codec.Avro)).AppendValue(nil, &in)
			if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "column odd") {
				t.Errorf("it was taken: %v", err)
			}
			if c.value.IsUnset() {
				return
			}
			o := optionsOf(codec.Avro)
			o.AsText = func(_ *change.Table, c *change.Column) bool { return c.Name == "odd" }
			e, s := codec.NewEncoder(o), schemas{}
			s.add(t, e, &table)
			got, _, err := codec.NewDecoder("shop", s.lookup).Decode(record(t, e, &in))
			if err != nil || got.After[len(got.After)-1] != c.value {
				t.Errorf("as text it came back as %+v, %v", got.After, err)
			}
		})
	}
}

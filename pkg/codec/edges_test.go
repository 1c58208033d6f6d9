package codec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
)

// TestTimesAtTheEdge: text beyond what a Value holds is refused, never wrapped round or taken for an infinity.
func TestTimesAtTheEdge(t *testing.T) {
	t.Parallel()
	table := &change.Table{Source: "shop", Engine: "postgres", Schema: "s", Name: "t", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Kind: change.KindInt}, {Name: "at", Kind: change.KindInstant, Precision: 6}, {Name: "day", Kind: change.KindDate},
		{Name: "clock", Kind: change.KindTime}}}
	cases := []struct {
		name, at, day, clock string
		want                 []change.Value // of at, day and clock; nil: refused
	}{
		{"last instant of Postgres", "+294276-12-31T23:59:59.999999Z", "2000-01-01", "24:00:00",
			[]change.Value{change.Instant((change.DaysFromCivil(294276, 12, 31)+1)*86400e6 - 1), change.Date(0), change.Time(86400e6)}},
		{"long duration, early day", "2000-01-01T00:00:00.000000Z", "-4713-11-24", "-838:59:59",
			[]change.Value{change.Instant(0), change.Date(-2451545), change.Time(-3020399e6)}},
		{"infinities", "-infinity", "infinity", "00:00:00",
			[]change.Value{change.Instant(change.NegativeInfinity), change.Date(change.Infinity), change.Time(0)}},
		{"the instant whose number is infinity's", "+294277-01-09T04:00:54.775807Z", "2000-01-01", "00:00:00", nil},
		{"instant that wraps round", "+999999-01-01T00:00:00.000000Z", "2000-01-01", "00:00:00", nil},
		{"year of five digits without a sign", "12345-01-01T00:00:00.000000Z", "2000-01-01", "00:00:00", nil},
		{"day of a year with seven digits and more", "infinity", "+9999999-12-31", "00:00:00", nil},
		{"31 April", "infinity", "2024-04-31T", "00:00:00", nil},
		{"minute 60", "infinity", "2000-01-01", "00:60:00", nil},
		{"second 60", "infinity", "2000-01-01", "00:00:60", nil},
		{"hour 25", "2000-01-01T25:00:00.000000Z", "2000-01-01", "00:00:00", nil},
		{"infinite clock", "infinity", "2000-01-01", "infinity", nil},
	}
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	s.add(t, e, table)
	in := smallChange(table)
	in.After = []change.Value{change.Int(1), change.Instant(0), change.Date(0), change.Time(0)}
	for _, c := range cases {
		r := record(t, e, &in)
		r.Value = []byte(strings.NewReplacer("2000-01-01T00:00:00.000000Z", c.at, `"2000-01-01"`, `"`+c.day+`"`, "00:00:00\"}", c.clock+`"}`).Replace(string(r.Value)))
		got, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r)
		if c.want == nil {
			if ok || !errors.Is(err, change.ErrHalt) {
				t.Errorf("%s: taken as %v, %v", c.name, got.After, err)
			}
			continue
		}
		if err != nil || rowDifference(got.After[1:], c.want) != "" {
			t.Errorf("%s: %s\nis %v, %v", c.name, r.Value, got.After, err)
		}
	}
}

// TestSnapshotRowsOfTwoChunks: the source block follows the Position where there is no transaction to tell chunks apart.
func TestSnapshotRowsOfTwoChunks(t *testing.T) {
	t.Parallel()
	e := codec.NewEncoder(codec.Options{})
	c := insertOrder(orders(), 1)
	c.Op, c.Txn = change.SnapshotRow, nil
	for _, commit := range []uint64{5, 6} {
		c.Pos.Commit = commit
		if got := readEnvelope(t, record(t, e, &c).Value); *got.Source.LSN != commit || got.Source.Millis != nil || got.Source.TxID != nil {
			t.Errorf("the source block of a row at %d is %+v", commit, got.Source)
		}
	}
}

func TestUnsetHeader(t *testing.T) {
	t.Parallel()
	in := smallChange(small())
	in.Op = change.Update
	in.Before = append([]change.Value(nil), in.After...)
	for _, i := range []int{1, 2, 4} {
		in.After[i], in.Before[i] = change.Value{}, change.Value{}
	}
	e, s := codec.NewEncoder(codec.Options{}), schemas{}
	s.add(t, e, in.Table)
	r := record(t, e, &in)
	header := &r.Headers[len(r.Headers)-1]
	if string(header.Value) != "a1-2,4b1-2,4" {
		t.Errorf("header %s is %s", header.Key, header.Value)
	}
	for _, text := range []string{"a1,2,4b1-2,4", "a1-2,4", "b1-2,4", "b1-2,4a1-2,4", "a1-2,4b1-2,4,5", "a1-2,4b1-2", "a1-2,4,b1-2,4", "a1-2,4b1-2,4 ", "a01-2,4b1-2,4",
		"a2-1,4b1-2,4", "a1-1,2,4b1-2,4", "a1-2,4b1-2,4b", "a", "a-1", "a1-2,4b1-2,4a5", "a99999999999999999999"} {
		header.Value = []byte(text)
		if got, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r); ok || !errors.Is(err, change.ErrHalt) {
			t.Errorf("%q was taken: %v, %v, %v", text, got.After, got.Before, err)
		}
	}
}

// TestPlaceholder: where it stands, and that nothing else may stand there.
func TestPlaceholder(t *testing.T) {
	t.Parallel()
	in := smallChange(small())
	in.Op = change.Update
	in.After[3], in.After[4] = change.Value{}, change.Value{}
	in.Before = in.After
	e, s := codec.NewEncoder(codec.Options{Unset: codec.UnsetDebezium}), schemas{}
	s.add(t, e, in.Table)
	r := record(t, e, &in)
	for _, part := range []string{`"before":{"id":1,"n":2,"x":0.5,"at"`, `"s":"__debezium_unavailable_value","b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="`} {
		if !strings.Contains(string(r.Value), part) {
			t.Errorf("%s has no %s", r.Value, part)
		}
	}
	good := string(r.Value)
	for _, other := range []string{`"s":"other"`, `"s":null`, `"s":""`} {
		r.Value = []byte(strings.Replace(good, `"s":"__debezium_unavailable_value"`, other, 1))
		if _, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r); ok || !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "column s") {
			t.Errorf("%s in the place of the placeholder: %v", other, err)
		}
	}
}

// TestLookupIsHeldToItsWord: a table under another's fingerprint would misread every row.
func TestLookupIsHeldToItsWord(t *testing.T) {
	t.Parallel()
	in := smallChange(small())
	e := codec.NewEncoder(codec.Options{})
	r := record(t, e, &in)
	other := small()
	other.Columns[3].Native = "character varying(9)" // reads the same bytes
	elsewhere := errors.New("elsewhere")
	cases := []struct {
		name  string
		table *change.Table
		err   error
		want  error
	}{
		{"another table", other, nil, change.ErrHalt},
		{"none", nil, nil, codec.ErrUnknownShape},
		{"an error", nil, elsewhere, elsewhere},
	}
	for _, c := range cases {
		d := codec.NewDecoder("shop", func(string) (*change.Table, error) { return c.table, c.err })
		if _, ok, err := d.Decode(r); ok || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A refusal is not remembered: the next record asks again.
	d := codec.NewDecoder("shop", func(string) (*change.Table, error) { defer func() { elsewhere = nil }(); return small(), elsewhere })
	if _, _, err := d.Decode(r); err == nil {
		t.Fatal("the lookup's error was passed over")
	}
	if _, ok, err := d.Decode(r); !ok || err != nil {
		t.Errorf("after the shape became known: %v", err)
	}
}

func TestLaneKey(t *testing.T) {
	t.Parallel()
	table := small()
	table.Key, table.Columns[3].Equality = []int{3}, change.CaseInsensitive
	c := smallChange(table)
	c.After[3] = change.Text("KAÄsi")
	e := codec.NewEncoder(codec.Options{})
	p, err := e.Plan(table)
	if err != nil || p.LaneKeyIsKey() || p.Table() != table {
		t.Fatalf("plan %+v, %v", p, err)
	}
	got, err := e.AppendLaneKey(nil, &c)
	if err != nil || string(got) != `{"s":"as"}` {
		t.Errorf("lane key %s, %v", got, err)
	}
	c.Op, c.After = change.Truncate, nil
	if _, err := e.AppendLaneKey(nil, &c); !errors.Is(err, change.ErrHalt) {
		t.Errorf("a marker has a lane: %v", err)
	}
	if _, err := e.AppendValue(nil, &c); !errors.Is(err, change.ErrHalt) {
		t.Errorf("a marker has a value: %v", err)
	}
}

// TestParseChangeRefuses: the form is strict, a parked change is ours or it is damaged.
func TestParseChangeRefuses(t *testing.T) {
	t.Parallel()
	c := smallChange(small())
	good, err := codec.AppendChange(nil, &c)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, old, new string }{
		{"another version", `"v":1`, `"v":2`},
		{"version 10", `"v":1`, `"v":10`},
		{"no version", `"v":1,`, ``},
		{"unknown op", `"insert"`, `"merge"`},
		{"op of another row", `"insert"`, `"delete"`},
		{"bad position", `"pos":"0`, `"pos":"`},
		{"no time", `,"time_us":1730000000123456`, ``},
		{"time with a fraction", `1730000000123456`, `1.5`},
		{"empty unset", `,"shape"`, `,"unset":"","shape"`},
		{"unset that isn't", `,"shape"`, `,"unset":"a1","shape"`},
		{"damaged shape", `"kind":"bool"`, `"kind":"null"`},
		{"no shape", `"shape"`, `"form"`},
		{"column missing", `,"ok":true`, ``},
		{"members in another order", `"op":"insert","pos":"00000001-0000000000000002-0000000000000005"`, `"pos":"00000001-0000000000000002-0000000000000005","op":"insert"`},
		{"unknown member", `"before"`, `"x":1,"before"`},
		{"more after it", `}}`, `}}}`},
		{"cut off", `true}}`, `true}`},
	}
	for _, c := range cases {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Fatalf("%s: no %s", c.name, c.old)
		}
		if got, err := codec.ParseChange([]byte(bad)); !errors.Is(err, change.ErrHalt) {
			t.Errorf("%s: taken as %+v, %v", c.name, got, err)
		}
	}
}

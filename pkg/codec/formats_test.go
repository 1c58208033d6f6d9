package codec_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"pgregory.net/rapid"
)

// subjects is a schema registry that takes everything.
type subjects map[string]string

func (s subjects) register(subject, schema string) (uint32, error) {
	s[subject] = schema
	return uint32(len(s)), nil
}

// optionsOf are the options of a format, with a registry where it needs one.
func optionsOf(f codec.Format) codec.Options {
	o := codec.Options{Format: f, Database: "bench"}
	if f == codec.Avro {
		o.Topic = func(t *change.Table) (string, error) { return "cdc." + t.Schema + "." + t.Name, nil }
		o.Register = subjects{}.register
	}
	return o
}

// lossless are the formats that our own reader reads.
var lossless = []codec.Format{codec.DebeziumJSON, codec.MaxwellJSON, codec.CanalJSON, codec.Avro}

// TestEveryFormatRoundTrip: what goes in comes out equal, in each format that a sink may follow, or is refused by name when it is written.
func TestEveryFormatRoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range lossless {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			carried := 0
			rapid.Check(t, func(t *rapid.T) {
				e := codec.NewEncoder(optionsOf(f))
				s := schemas{}
				d := codec.NewDecoder("shop", s.lookup)
				table := genTable(t)
				if _, err := e.Plan(table); f == codec.Avro && errors.Is(err, change.ErrHalt) {
					t.Skip("two columns have one name in Avro")
				}
				s.add(t, e, table)
				for range rapid.IntRange(1, 3).Draw(t, "changes") {
					in := genChange(t, table)
					if f == codec.Avro && refusedByAvro(t, e, &in) {
						continue
					}
					carried++
					r := record(t, e, &in)
					out, ok, err := d.Decode(r)
					if err != nil || !ok {
						t.Fatalf("%q\n%q\ndecoded to %v, %v", r.Key, r.Value, ok, err)
					}
					if diff := difference(&in, &out); diff != "" {
						t.Fatalf("%q\n%q\ncame back different: %s", r.Key, r.Value, diff)
					}
				}
			})
			if carried == 0 {
				t.Error("nothing was carried")
			}
		})
	}
}

// TestGoldenFormats holds what each format writes against testdata, and reads testdata back.
func TestGoldenFormats(t *testing.T) {
	t.Parallel()
	for _, f := range []codec.Format{codec.MaxwellJSON, codec.CanalJSON, codec.Flat, codec.Avro} {
		for _, g := range formatGoldens(f) {
			t.Run(f.String()+"_"+g.name, func(t *testing.T) {
				t.Parallel()
				o := optionsOf(f)
				o.Unset = g.options.Unset
				e := codec.NewEncoder(o)
				r := record(t, e, &g.change)
				b := text(r)
				if f == codec.Avro {
					b = hexText(r)
				}
				check(t, f.String()+"_"+g.name, b)
				s := schemas{}
				s.add(t, e, g.change.Table)
				got, ok, err := codec.NewDecoder("shop", s.lookup).Decode(r)
				if f == codec.Flat && !g.change.Op.IsMarker() {
					if !errors.Is(err, change.ErrHalt) {
						t.Errorf("a row without its old one was read: %v", err)
					}
					return
				}
				if err != nil || !ok {
					t.Fatalf("decoded to %v, %v", ok, err)
				}
				if diff := difference(&g.change, &got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// formatGoldens are the goldens of all formats, and an update whose old row differs, which these write in a way of their own.
func formatGoldens(f codec.Format) []golden {
	var out []golden
	for _, g := range goldens() {
		if f == codec.Avro && g.name == "every_kind" || f != codec.Flat && g.options.Unset != codec.UnsetOmit {
			continue // every_kind holds infinities; only flat has the setting
		}
		out = append(out, g)
	}
	c := insertOrder(orders(), 7)
	c.Op = change.Update
	c.Before = append([]change.Value(nil), c.After...)
	c.Before[2], c.Before[4] = change.Text("old"), change.Null()
	out = append(out, golden{name: "update_old", change: c})
	for i := range out {
		if out[i].name == "update_unset_omit" && f == codec.Avro {
			out[i].name = "update_unset"
		}
	}
	return out
}

func hexText(r codec.Record) []byte {
	shown := codec.Record{Headers: r.Headers, Key: []byte(hex.EncodeToString(r.Key))}
	if r.Value != nil {
		shown.Value = []byte(hex.EncodeToString(r.Value))
	}
	return text(shown)
}

// TestFormatAllocations holds each format's hot path to what the default format costs.
func TestFormatAllocations(t *testing.T) {
	order := insertOrder(orders(), 7)
	wide := insertWide(wide(), 7)
	old := wide
	old.Op, old.Before = change.Update, append([]change.Value(nil), wide.After...)
	old.Before[2] = change.Text("old")
	for _, f := range []codec.Format{codec.MaxwellJSON, codec.CanalJSON, codec.Flat, codec.Avro} {
		for name, c := range map[string]*change.Change{"orders": &order, "wide": &wide, "update": &old} {
			t.Run(f.String()+" "+name, func(t *testing.T) {
				b := encode{e: codec.NewEncoder(optionsOf(f))}
				if n := testing.AllocsPerRun(100, func() { b.run(t, c) }); n > 0 {
					t.Errorf("encoding costs %v allocations, at most 0", n)
				}
				if f == codec.Flat {
					return
				}
				s := schemas{}
				s.add(t, b.e, c.Table)
				d, r := codec.NewDecoder("shop", s.lookup), record(t, b.e, c)
				want := 2.0
				if c.Before != nil {
					want++
				}
				n := testing.AllocsPerRun(100, func() {
					if _, ok, err := d.Decode(r); err != nil || !ok {
						t.Fatal(err)
					}
				})
				if n > want {
					t.Errorf("decoding costs %v allocations, at most %v", n, want)
				}
			})
		}
	}
}

// TestFormatsInAnyOrder: a value that a tool has parsed and printed again, members sorted by name, still reads.
func TestFormatsInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, f := range []codec.Format{codec.MaxwellJSON, codec.CanalJSON} {
		e := codec.NewEncoder(optionsOf(f))
		s := schemas{}
		for _, g := range formatGoldens(f) {
			if g.change.Op.IsMarker() {
				continue
			}
			s.add(t, e, g.change.Table)
			r := record(t, e, &g.change)
			members := map[string]json.RawMessage{}
			if err := json.Unmarshal(r.Value, &members); err != nil {
				t.Fatal(err)
			}
			sorted, err := json.Marshal(members)
			if err != nil {
				t.Fatal(err)
			}
			r.Value = sorted
			got, _, err := codec.NewDecoder("shop", s.lookup).Decode(r)
			if err != nil {
				t.Fatalf("%s %s: %s: %v", f, g.name, sorted, err)
			}
			if diff := difference(&g.change, &got); diff != "" {
				t.Errorf("%s %s: %s", f, g.name, diff)
			}
		}
	}
}

// TestFormatsRefuse: records that are not what a format says are never guessed at.
func TestFormatsRefuse(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		format      codec.Format
		from, to    string
		header, was string // a header's name and another value of it
	}{
		{name: "another type", format: codec.MaxwellJSON, from: `"type":"update"`, to: `"type":"upsert"`},
		{name: "Canal's type in Maxwell's", format: codec.MaxwellJSON, from: `"type":"update"`, to: `"type":"UPDATE"`},
		{name: "no type", format: codec.MaxwellJSON, from: `"type":"update",`, to: ``},
		{name: "a member twice", format: codec.MaxwellJSON, from: `"ts":`, to: `"table":"x","ts":`},
		{name: "an unknown member", format: codec.CanalJSON, from: `"es":`, to: `"old2":1,"es":`},
		{name: "a column less", format: codec.MaxwellJSON, from: `"customer_id":7,`, to: ``},
		{name: "a number where text belongs", format: codec.CanalJSON, from: `"customer_id":"7"`, to: `"customer_id":7`},
		{name: "an old row of an insert", format: codec.CanalJSON, from: `"type":"UPDATE"`, to: `"type":"INSERT"`},
		{name: "two rows", format: codec.CanalJSON, from: `"data":[`, to: `"data":[{},`},
		{name: "an unknown format", format: codec.MaxwellJSON, header: codec.HeaderFormat, was: "protobuf"},
		{name: "another format", format: codec.MaxwellJSON, header: codec.HeaderFormat, was: "canal-json"},
		{name: "a marker with a row", format: codec.Avro, header: codec.HeaderMarker, was: "truncate"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := formatGoldens(c.format)
			in := g[len(g)-1].change
			e := codec.NewEncoder(optionsOf(c.format))
			s := schemas{}
			s.add(t, e, in.Table)
			r := record(t, e, &in)
			if c.from != "" {
				if !strings.Contains(string(r.Value), c.from) {
					t.Fatalf("%s has no %s", r.Value, c.from)
				}
				r.Value = []byte(strings.Replace(string(r.Value), c.from, c.to, 1))
			}
			if c.header != "" {
				r.Headers = append([]codec.Header{{Key: c.header, Value: []byte(c.was)}}, r.Headers...)
				for i, h := range r.Headers[1:] {
					if h.Key == c.header {
						r.Headers = append(r.Headers[:i+1], r.Headers[i+2:]...)
						break
					}
				}
			}
			if got, _, err := codec.NewDecoder("shop", s.lookup).Decode(r); !errors.Is(err, change.ErrHalt) {
				t.Errorf("read as %+v, %v", got, err)
			}
		})
	}
}

// TestSetsAreLists: MySQL's sets are lists in Maxwell's format, the empty one too.
func TestSetsAreLists(t *testing.T) {
	t.Parallel()
	table := &change.Table{Source: "shop", Engine: "mysql", Schema: "shop", Name: "t", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "int", Kind: change.KindInt, Bits: 32}, {Name: "s", Native: "set('a_val','b_val','c_val')", Kind: change.KindText}}}
	e := codec.NewEncoder(optionsOf(codec.MaxwellJSON))
	s := schemas{}
	s.add(t, e, table)
	d := codec.NewDecoder("shop", s.lookup)
	for set, want := range map[string]string{"": `"s":[]}`, "b_val": `"s":["b_val"]}`, "b_val,c_val": `"s":["b_val","c_val"]}`} {
		in := insertOrder(orders(), 1)
		in.Table, in.After = table, []change.Value{change.Int(1), change.Text(set)}
		r := record(t, e, &in)
		if !strings.Contains(string(r.Value), want) {
			t.Errorf("set %q is %s", set, r.Value)
		}
		got, _, err := d.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := difference(&in, &got); diff != "" {
			t.Error(diff)
		}
	}
}

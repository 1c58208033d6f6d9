package snapshot_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

func TestSavedProgressIsReadStrictly(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, saved string
		good        bool
	}{
		{"as written", `{"version":1,"tables":[{"table":"public.a","incarnation":"7","key":["id int"],"last":["5"],"reread":["{\"id\":1}"],"rows":9,"estimate":-1,"started":"2026-11-21T09:00:00Z"}]}`, true},
		{"no table", `{"version":1,"tables":[]}`, true},
		{"a later version", `{"version":2,"tables":[]}`, false},
		{"no version", `{"tables":[]}`, false},
		{"an unknown field", `{"version":1,"tables":[],"more":1}`, false},
		{"an unknown field of a table", `{"version":1,"tables":[{"table":"public.a","rows":0,"estimate":0,"more":1}]}`, false},
		{"a table twice", `{"version":1,"tables":[{"table":"public.a","rows":0,"estimate":0},{"table":"public.a","rows":0,"estimate":0}]}`, false},
		{"two documents", `{"version":1,"tables":[]}{}`, false},
		{"empty", ``, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := snapshot.New(snapshot.Config{Saved: []byte(c.saved), Tables: []string{"public.a"}})
			if (err == nil) != c.good || err != nil && !errors.Is(err, change.ErrHalt) {
				t.Fatalf("got %v", err)
			}
			if r != nil {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func FuzzSavedProgress(f *testing.F) {
	f.Add([]byte(`{"version":1,"tables":[{"table":"public.a","incarnation":"7","rows":9,"estimate":-1}]}`))
	f.Fuzz(func(t *testing.T, saved []byte) {
		r, err := snapshot.New(snapshot.Config{Saved: append([]byte{}, saved...)})
		if err != nil {
			return
		}
		_ = r.Progress()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestParseKeyIsTheInverseOfAppendKey(t *testing.T) {
	t.Parallel()
	table := &change.Table{Schema: "public", Name: "a", Columns: []change.Column{{Name: "x", Kind: change.KindText},
		{Name: "n", Kind: change.KindInt}, {Name: "b\"", Kind: change.KindBytes}, {Name: "f", Kind: change.KindFloat64}}, Key: []int{2, 1, 3, 0}}
	row := []change.Value{change.Text("é\"\\\x01"), change.Int(-1 << 63), change.Bytes("\x00\xff"), change.Float64(0.1)}
	key, err := change.AppendKey(nil, table, row)
	if err != nil {
		t.Fatal(err)
	}
	got, err := snapshot.ParseKey(table, string(key))
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range table.Key {
		if got[i] != row[at] {
			t.Errorf("column %d came back as %v, want %v", at, got[i], row[at])
		}
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"x":"a","n":1,"b\"":"","g":1}`, `{"x":"a","n":1.5,"b\"":"","f":1}`, `{"x":null,"n":1,"b\"":"","f":1}`} {
		if _, err := snapshot.ParseKey(table, bad); err == nil {
			t.Errorf("%s was taken for a key", bad)
		}
	}
}

// TestParseKeyOfPartialDates: a day that no calendar has may stand in a key.
func TestParseKeyOfPartialDates(t *testing.T) {
	t.Parallel()
	for kind, texts := range map[change.Kind][2][]string{
		change.KindDate:     {{"2023-02-31", "0000-00-00"}, {"2023-02-3", "2023-02-31 00:00:00", "x"}},
		change.KindWallTime: {{"2024-00-10 01:02:03.50", "0000-00-00 00:00:00"}, {"2024-00-10", "2024-00-10 01:02", "2024-00-10 01:02:03."}},
		change.KindInstant:  {{"0000-00-00 00:00:00.000000"}, {"0000-00-00 00:00:00Z"}},
	} {
		table := &change.Table{Schema: "public", Name: "a", Columns: []change.Column{{Name: "d", Kind: kind}}, Key: []int{0}}
		for _, text := range texts[0] {
			key, err := change.AppendKey(nil, table, []change.Value{change.PartialDate(text)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := snapshot.ParseKey(table, string(key))
			if err != nil || got[0] != change.PartialDate(text) {
				t.Errorf("%s of kind %s came back as %v, %v", text, kind, got, err)
			}
		}
		for _, text := range texts[1] {
			if got, err := snapshot.ParseKey(table, `{"d":"`+text+`"}`); err == nil {
				t.Errorf("%s was taken for a key of kind %s: %v", text, kind, got)
			}
		}
	}
}

// TestKeys: the log still has rows of the key that a table had before it was begun anew.
func TestKeys(t *testing.T) {
	t.Parallel()
	const table = `{"version":1,"tables":[{"table":"public.a","incarnation":"7","key":["k int"],"past":{"incarnation":"%s","key":["id int"]},"rows":9,"estimate":-1,"started":"2026-11-21T09:00:00Z","done":%v}]}`
	for _, c := range []struct {
		past string
		done bool
		want string
	}{
		{"7", false, "map[7:[id int]]"},
		{"6", false, "map[6:[id int] 7:[k int]]"},
		{"7", true, "map[7:[k int]]"},
	} {
		keys, err := snapshot.Keys(fmt.Appendf(nil, table, c.past, c.done))
		if got := fmt.Sprint(keys); err != nil || got != c.want {
			t.Errorf("past of %s, done %v: %s, %v; want %s", c.past, c.done, got, err, c.want)
		}
	}
}

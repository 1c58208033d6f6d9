package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"pgregory.net/rapid"
)

// model is a target that takes changes one by one and never folds.
type model map[int64][]change.Value

// apply returns false for a change that the target must refuse.
func (m model) apply(c *change.Change) bool {
	if c.Op == change.Truncate {
		clear(m)
		return true
	}
	id := c.Row()[0].Int()
	if c.Op == change.Delete {
		delete(m, id)
		return true
	}
	row := slices.Clone(c.After)
	old, there := m[id]
	for i := range row {
		if !row[i].IsUnset() {
			continue
		}
		if !there {
			return false
		}
		row[i] = old[i]
	}
	m[id] = row
	return true
}

func (m model) lines(table *change.Table) []string {
	out := make([]string, 0, len(m))
	for _, row := range m {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = string(change.AppendText(nil, &table.Columns[i], v))
			if v.IsNull() {
				texts[i] = Null
			}
		}
		out = append(out, strings.Join(texts, "|"))
	}
	slices.Sort(out)
	return out
}

// testFold draws changes of few keys, applies them in batches, and compares the target with a model that applies them one by one: the
// rows, and which changes are refused.
func testFold(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	m := model{}
	value := rapid.SampledFrom([]change.Value{{}, change.Null(), change.Text(""), change.Text("a"), change.Text("b")})
	rapid.Check(t, func(r *rapid.T) {
		batch := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) change.Change {
			id := change.Int(rapid.Int64Range(0, 4).Draw(r, "id"))
			row := []change.Value{id, change.Text(fmt.Sprint(l.at)), change.Null(), change.Int(int64(l.at))}
			switch rapid.IntRange(0, 11).Draw(r, "op") {
			case 0, 1, 2:
				return l.insert(row...)
			case 3, 4:
				return l.delete(l.key(id.Int())...)
			case 5:
				return l.snapshot(row...)
			case 6:
				return l.marker(change.Truncate)
			case 7, 8:
				return l.update(row...)
			}
			row[1], row[2] = change.Text("p"), value.Draw(r, "note")
			if rapid.Bool().Draw(r, "status") {
				row[1] = change.Value{}
			}
			row[3] = change.Value{}
			return l.update(row...)
		}), 1, 12).Draw(r, "batch")
		applyBatch(r, s, m, consistent(m, batch))
		if got, want := lines(h.Rows(t, l.table)), m.lines(l.table); !slices.Equal(got, want) {
			r.Fatalf("the target holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// consistent leaves out partial updates of rows that are not there where the batch itself replaces or deletes the row later: a fold takes the later
// one, a search may name the first, and both are right. No log of a source holds such a pair.
func consistent(m model, batch []change.Change) []change.Change {
	seen := model{}
	for id, row := range m {
		seen[id] = row
	}
	var kept []change.Change
	for i := range batch {
		c := &batch[i]
		replaced := slices.ContainsFunc(batch[i+1:], func(later change.Change) bool {
			return !later.Op.IsMarker() && !c.Op.IsMarker() && later.Row()[0] == c.Row()[0] && !slices.ContainsFunc(later.After, change.Value.IsUnset)
		})
		if !seen.apply(c) && replaced {
			continue
		}
		kept = append(kept, *c)
	}
	return kept
}

// applyBatch applies batch to both; changes that are refused are left out, with all later ones of their keys, and it is applied again.
func applyBatch(r *rapid.T, s sinks.MarkSink, m model, batch []change.Change) {
	bad := map[int64]bool{}
	var want []int
	var kept []change.Change
	for i := range batch {
		c := &batch[i]
		if !c.Op.IsMarker() && bad[c.Row()[0].Int()] {
			continue
		}
		if !m.apply(c) {
			want = append(want, i)
			bad[c.Row()[0].Int()] = true
			continue
		}
		kept = append(kept, *c)
	}
	err := s.Apply(r.Context(), batch)
	var have []int
	if partial, ok := errors.AsType[*sinks.PartialError](err); ok {
		for _, refused := range partial.Refused {
			have = append(have, refused.Index)
		}
		err = s.Apply(r.Context(), kept)
	}
	if err != nil {
		r.Fatalf("apply: %v", err)
	}
	if !slices.Equal(have, want) {
		r.Fatalf("refused are %v, want %v", have, want)
	}
}

package reshape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
)

// of makes a table of columns "name" or "name#id", and of a Lineage where the last is "@lineage".
func of(columns ...string) *change.Table {
	t := &change.Table{Name: "t"}
	for _, c := range columns {
		if lineage, is := strings.CutPrefix(c, "@"); is {
			t.Lineage = lineage
			continue
		}
		col := change.Column{Name: c}
		if _, err := fmt.Sscanf(c, "%1s#%d", &col.Name, &col.ID); err != nil {
			col.Name = c
		}
		t.Columns = append(t.Columns, col)
	}
	return t
}

func TestBetween(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		old, now []string
		want     string // added, dropped, renamed
		doubtful bool
	}{
		{"nothing", []string{"a", "b"}, []string{"b", "a"}, "[] [] []", false},
		{"added", []string{"a"}, []string{"a", "b"}, "[b] [] []", false},
		{"dropped", []string{"a", "b"}, []string{"a"}, "[] [b] []", false},
		{"renamed, or not", []string{"a", "b"}, []string{"a", "c"}, "[c] [b] []", true},
		{"renamed", []string{"a#1", "b#2"}, []string{"a#1", "c#2"}, "[] [] [b>c]", false},
		{"dropped and added", []string{"a#1", "b#2"}, []string{"a#1", "c#3"}, "[c] [b] []", false},
		{"one side knows", []string{"a#1", "b"}, []string{"a#1", "c#2"}, "[c] [b] []", true},
		{"names exchanged", []string{"a#1", "b#2"}, []string{"b#1", "a#2"}, "[] [] [a>b b>a]", false},
		{"passed on", []string{"a#1", "b#2"}, []string{"b#1", "c#2"}, "[] [] [a>b b>c]", false},
		{"dropped and made", []string{"a#1", "b#2"}, []string{"a#1", "b#3"}, "[b] [b] []", false},
		{"renamed, and another of the old name", []string{"a#1", "b#2"}, []string{"a#1", "c#2", "b#3"}, "[b] [] [b>c]", false},
		{"another table", []string{"a#1", "b#2"}, []string{"b#7", "a#8"}, "[] [] []", false},
		{"renamed, within a lineage", []string{"a#1", "b#2", "@x"}, []string{"a#1", "c#2", "@x"}, "[] [] [b>c]", false},
		{"another table, within a lineage", []string{"a#1", "b#2", "@x"}, []string{"a#7", "c#8", "@x"}, "[c] [b] []", false},
		{"another lineage", []string{"a#1", "b#2", "@x"}, []string{"a#7", "c#8", "@y"}, "[c] [b] []", true},
		{"another lineage, and the same numbers", []string{"a#1", "b#2", "@x"}, []string{"a#1", "c#2", "@y"}, "[c] [b] []", true},
		{"another lineage, and the same names", []string{"a#1", "b#2", "@x"}, []string{"b#7", "a#8", "@y"}, "[] [] []", false},
		{"the first lineage", []string{"a", "b"}, []string{"a#1", "c#2", "@x"}, "[c] [b] []", true},
		{"another table with other columns", []string{"a#1", "b#2"}, []string{"a#7", "c#8"}, "[c] [b] []", false},
	}
	for _, c := range cases {
		d := reshape.Between(of(c.old...), of(c.now...))
		names := func(columns []*change.Column) []string {
			out := []string{}
			for _, col := range columns {
				out = append(out, col.Name)
			}
			return out
		}
		renamed := []string{}
		for _, p := range d.Renamed {
			renamed = append(renamed, p.Old.Name+">"+p.New.Name)
		}
		if got := fmt.Sprint(names(d.Added), names(d.Dropped), renamed); got != c.want || d.Doubtful != c.doubtful {
			t.Errorf("%s: %s, doubtful %v, want %s, %v", c.name, got, d.Doubtful, c.want, c.doubtful)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	at := func(n uint64) change.Position { return change.Position{Epoch: 1, Commit: n} }
	h := reshape.History{{Table: of("a#1", "b#2"), Fingerprint: "one", Pos: at(1).String()}, {Table: of("a#1", "c#2"), Fingerprint: "two", Pos: at(5).String()}}
	if h.Present().Fingerprint != "two" || (reshape.History{}).Present() != nil {
		t.Error("the present shape is not the last")
	}
	for _, c := range []struct {
		print string
		pos   change.Position
		past  bool
	}{{"one", at(4), true}, {"one", at(5), true}, {"one", at(6), false}, {"two", at(1), false}, {"three", at(3), true}, {"one", change.Position{Epoch: 2}, false}} {
		if got := h.Past(c.print, c.pos); got != c.past {
			t.Errorf("%s at %s is past: %v", c.print, c.pos, got)
		}
	}
	if got := h.Aliases(of("a#1", "b#2")); fmt.Sprint(got) != "map[b:c]" {
		t.Errorf("aliases %v", got)
	}
}

// TestBetweenNamesInAnotherCase: to MySQL and MariaDB the two are one name, to PostgreSQL they aren't.
func TestBetweenNamesInAnotherCase(t *testing.T) {
	t.Parallel()
	for engine, want := range map[string]string{"mysql": "[a>A] 0 0", "mariadb": "[a>A] 0 0", "postgres": "[] 1 1"} {
		old, now := of("a", "b"), of("A", "b")
		old.Engine, now.Engine = engine, engine
		d := reshape.Between(old, now)
		renamed := []string{}
		for _, p := range d.Renamed {
			renamed = append(renamed, p.Old.Name+">"+p.New.Name)
		}
		if got := fmt.Sprint(renamed, len(d.Added), len(d.Dropped)); got != want || d.Doubtful != (engine == "postgres") {
			t.Errorf("%s: %s, doubtful %v, want %s", engine, got, d.Doubtful, want)
		}
	}
}

package tables

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestPatterns: a pattern means the same in the log and in what grants prints. No character of a name is special, a slash neither.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, schema, name string
		want                  bool
	}{
		{"public.*", "public", "orders", true},
		{"public.*", "public", "a/b", true},
		{"public.a?b", "public", "a/b", true},
		{"public.a/*", "public", "a/b", true},
		{"public.a/*", "public", "ab", false},
		{"*.*", "s/x", "t", true},
		{"public.[a-c]*", "public", "b/", true},
		{"public.[^a]*", "public", "a/", false},
		{`public.\*`, "public", "*", true},
		{`public.\*`, "public", "x", false},
		{"public.o.x", "public", "o.x", true},
	} {
		sel, err := Parse("schema.table", []string{c.pattern}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := sel.Has(c.schema, c.name); got != c.want {
			t.Errorf("%s has %s.%s: %v, want %v", c.pattern, c.schema, c.name, got, c.want)
		}
		p := sel.Include[0]
		granted := regexp.MustCompile(Expression(p.Schema)).MatchString(c.schema) && regexp.MustCompile(Expression(p.Name)).MatchString(c.name)
		if granted != c.want {
			t.Errorf("%s grants %s.%s: %v, want %v", c.pattern, c.schema, c.name, granted, c.want)
		}
	}
}

// TestOwnTables: what tailwater keeps at a target is no row of the source that this target is to others. No pattern takes it, and whoever names it is told.
func TestOwnTables(t *testing.T) {
	t.Parallel()
	sel, err := Parse("schema.table", []string{"*.*", "public._*", "public.[_]tailwater_marks"}, []string{"public._tailwater_parked"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"_tailwater_marks": false, "_tailwater_shapes": false, "_tailwaters": true, "a_tailwater_marks": true, "_x": true} {
		if got := sel.Has("public", name); got != want {
			t.Errorf("%s is captured: %v, want %v", name, got, want)
		}
		if own := regexp.MustCompile(OwnExpression).MatchString(name); own == want {
			t.Errorf("%s is ours in SQL: %v", name, own)
		}
	}
	for _, include := range []string{"public._tailwater_marks", "*._tailwater_*"} {
		_, err := Parse("schema.table", []string{"public.*", include}, nil)
		if !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), include) || !strings.Contains(err.Error(), "tailwater's own") {
			t.Errorf("%s: %v", include, err)
		}
	}
}

package tables

import (
	"regexp"
	"testing"
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

package tables

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Selection is what is included and not excluded. It is immutable.
type Selection struct {
	Include, Exclude []Pattern
}

// Pattern is a table's name, each part of it a pattern of path.Match.
type Pattern struct{ Schema, Name string }

// own is how the names of the tables begin that tailwater makes at a target: its marks, what it has parked, its shapes. Where that target is the source
// of another pipeline they tell of the first one, and what reads them there would be told that it had come further than it has.
const own = "_tailwater_"

func isOwn(name string) bool { return strings.HasPrefix(name, own) }

var (
	errPattern = errors.New("each part is a name or a pattern")
	errOwn     = errors.New("tables whose name begins with " + own + " are tailwater's own, which it keeps at a target, and are never captured: take it out of include")
)

// OwnExpression is a regular expression of the tables that no pattern takes.
const OwnExpression = "^" + own

// Parse reads the tables that are included and excluded. form is how one is written, as the error says it: schema.table, or database.table.
func Parse(form string, include, exclude []string) (Selection, error) {
	in, err := parsePatterns(form, include)
	if err != nil {
		return Selection{}, err
	}
	for i, p := range in {
		if isOwn(p.Name) {
			return Selection{}, fmt.Errorf("table %q: %w: %w", include[i], errOwn, change.ErrPreflight)
		}
	}
	out, err := parsePatterns(form, exclude)
	return Selection{Include: in, Exclude: out}, err
}

func parsePatterns(form string, list []string) ([]Pattern, error) {
	patterns := make([]Pattern, 0, len(list))
	for _, s := range list {
		schema, name, ok := strings.Cut(s, ".")
		_, err1 := path.Match(schema, "")
		_, err2 := path.Match(name, "")
		if !ok || schema == "" || name == "" || err1 != nil || err2 != nil {
			return nil, fmt.Errorf("table %q: a table is written %q, %w: %w", s, form, errPattern, change.ErrPreflight)
		}
		patterns = append(patterns, Pattern{schema, name})
	}
	return patterns, nil
}

// Has says that a table is captured. One of ours never is.
func (s Selection) Has(schema, name string) bool {
	if isOwn(name) {
		return false
	}
	matches := func(p Pattern) bool { return p.Matches(schema, name) }
	return slices.ContainsFunc(s.Include, matches) && !slices.ContainsFunc(s.Exclude, matches)
}

// Excludes says that a table is left out, whatever is included.
func (s Selection) Excludes(schema, name string) bool {
	return slices.ContainsFunc(s.Exclude, func(p Pattern) bool { return p.Matches(schema, name) })
}

// Named are the tables that are included by name.
func (s Selection) Named() []Pattern {
	var out []Pattern
	for _, p := range s.Include {
		if p.Exact() && !s.Excludes(p.Schema, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

// Print tells selections apart.
func (s Selection) Print() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", s.Include, s.Exclude))
	return hex.EncodeToString(sum[:8])
}

// Matches says that a table's name is one that p means.
func (p Pattern) Matches(schema, name string) bool {
	return MatchName(p.Schema, schema) && MatchName(p.Name, name)
}

// slashes turns the one character that path.Match keeps apart, and names may have, into the one that no name has.
var slashes = strings.NewReplacer("/", "\x00")

// MatchName says that a name is one that a part of a Pattern means.
func MatchName(pattern, name string) bool {
	yes, _ := path.Match(slashes.Replace(pattern), slashes.Replace(name)) // an error only for a bad pattern, refused when it was parsed
	return yes
}

// Exact says that p names one table.
func (p Pattern) Exact() bool { return exact(p.Schema + p.Name) }

// OneSchema says that all tables of p are in one schema.
func (p Pattern) OneSchema() bool { return exact(p.Schema) }

func exact(s string) bool { return !strings.ContainsAny(s, `*?[\`) }

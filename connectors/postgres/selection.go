package postgres

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// selection says which tables are captured. It is immutable.
type selection struct {
	include, exclude []pattern
}

type pattern struct{ schema, name string }

var errPattern = errors.New(`a table is written "schema.table", each part a name or a pattern`)

func newSelection(include, exclude []string) (selection, error) {
	in, err := parsePatterns(include)
	if err != nil {
		return selection{}, err
	}
	out, err := parsePatterns(exclude)
	if err != nil {
		return selection{}, err
	}
	return selection{include: in, exclude: out}, nil
}

func parsePatterns(list []string) ([]pattern, error) {
	patterns := make([]pattern, 0, len(list))
	for _, s := range list {
		schema, name, ok := strings.Cut(s, ".")
		_, err1 := path.Match(schema, "")
		_, err2 := path.Match(name, "")
		if !ok || schema == "" || name == "" || err1 != nil || err2 != nil {
			return nil, fmt.Errorf("table %q: %w: %w", s, errPattern, change.ErrPreflight)
		}
		patterns = append(patterns, pattern{schema, name})
	}
	return patterns, nil
}

func (p pattern) matches(schema, name string) bool {
	return matchName(p.schema, schema) && matchName(p.name, name)
}

// slashes turns the one character that path.Match keeps apart, and names may have, into the one that no name has.
var slashes = strings.NewReplacer("/", "\x00")

func matchName(pattern, name string) bool {
	yes, _ := path.Match(slashes.Replace(pattern), slashes.Replace(name)) // an error only for a bad pattern, refused when it was parsed
	return yes
}

// exact says that p names one table.
func (p pattern) exact() bool { return !strings.ContainsAny(p.schema+p.name, `*?[\`) }

func (s selection) has(schema, name string) bool {
	return matchAny(s.include, schema, name) && !matchAny(s.exclude, schema, name)
}

func matchAny(patterns []pattern, schema, name string) bool {
	for _, p := range patterns {
		if p.matches(schema, name) {
			return true
		}
	}
	return false
}

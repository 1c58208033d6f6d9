package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checker walks a file's node tree beside the list of keys and gathers the tree of values, with defaults filled in and of the Go
// types that Config has, the place of each, and the problems.
type checker struct {
	file     string
	env      Environment
	problems []Problem
	warnings []Problem
	places   map[string]place
	written  map[string]string // path to the text as it stands in the file, where it held a reference
}

// place is where something stands in the file.
type place struct{ line, column int }

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// report adds a problem; its place is that of p.Path or of the nearest group above it that the file has.
func (c *checker) report(p Problem) { c.problems = append(c.problems, c.located(p)) }

func (c *checker) warn(p Problem) { c.warnings = append(c.warnings, c.located(p)) }

func (c *checker) located(p Problem) Problem {
	p.File = c.file
	for path := p.Path; p.Line == 0; {
		if at, ok := c.places[path]; ok {
			p.Line, p.Column = at.line, at.column
			break
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return p
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// group checks a mapping against keys and returns its values.
func (c *checker) group(n *yaml.Node, keys []key, path string) map[string]any {
	out := map[string]any{}
	given := map[string]*yaml.Node{}
	typ := c.typeOf(n, find(keys, "type"))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if given[name.Value] != nil {
			c.report(Problem{Code: CodeDuplicate, Path: join(path, name.Value), Line: name.Line, Column: name.Column, Message: "stands here a second time", Suggestion: "keep one"})
			continue
		}
		given[name.Value] = value
		k := find(keys, name.Value)
		if k == nil {
			c.unknown(name, keys, path, typ)
			continue
		}
		c.places[join(path, k.name)] = placeOf(value)
		if !k.means(typ) {
			c.report(Problem{Code: CodeUnknownKey, Path: join(path, k.name), Line: name.Line, Column: name.Column,
				Message: fmt.Sprintf("means nothing with type: %s", typ), Suggestion: "take it away; it is for type: " + strings.Join(k.types, ", ")})
			continue
		}
		if v, ok := c.value(value, k, join(path, k.name)); ok {
			out[k.name] = v
		}
	}
	c.fill(out, given, scope{keys: keys, path: path, typ: typ})
	return out
}

// scope is one group of the file: its keys, its path, and the value of its type key.
type scope struct {
	keys []key
	path string
	typ  string
}

// fill reports the keys that are missing and puts the defaults in.
func (c *checker) fill(out map[string]any, given map[string]*yaml.Node, s scope) {
	for i := range s.keys {
		k := &s.keys[i]
		if given[k.name] != nil || !k.means(s.typ) || k.types != nil && s.typ == "" {
			continue
		}
		switch {
		case k.required:
			c.report(Problem{Code: CodeMissing, Path: join(s.path, k.name), Message: "is missing", Suggestion: "add it: " + k.short()})
		case k.kind == group:
			out[k.name] = c.group(&yaml.Node{Kind: yaml.MappingNode}, k.keys, join(s.path, k.name))
		case k.fallback != "":
			v, err := k.parse(k.fallback)
			if err != nil {
				c.report(Problem{Code: CodeValue, Path: join(s.path, k.name), Message: "default " + err.Error()})
			}
			out[k.name] = v
		}
	}
}

// short is the first sentence of k's doc as it goes on after a colon.
func (k *key) short() string {
	first, _, _ := strings.Cut(strings.ReplaceAll(k.doc, "`", ""), ". ")
	first = strings.TrimSuffix(first, ".")
	return strings.ToLower(first[:1]) + first[1:]
}

// typeOf returns what the group's own type key says, or "" where that is none that there is.
func (c *checker) typeOf(n *yaml.Node, k *key) string {
	for i := 0; i+1 < len(n.Content) && k != nil; i += 2 {
		if n.Content[i].Value != k.name {
			continue
		}
		typ, err := c.env.expand(n.Content[i+1].Value)
		if err == nil && (slices.Contains(k.choices, typ) || slices.Contains(k.planned, typ)) {
			return typ
		}
	}
	return ""
}

func (c *checker) unknown(name *yaml.Node, keys []key, path, typ string) {
	p := Problem{Code: CodeUnknownKey, Path: join(path, name.Value), Line: name.Line, Column: name.Column, Message: "unknown key"}
	if near := nearest(name.Value, names(keys, typ)); near != "" {
		p.Suggestion = fmt.Sprintf("did you mean %q?", near)
	} else if h := home(fileKeys(), "", name.Value); h != "" {
		p.Suggestion = "it belongs under " + h
	} else {
		p.Suggestion = "the keys here are: " + strings.Join(names(keys, typ), ", ")
	}
	c.report(p)
}

// value checks one value; false: it has been reported.
func (c *checker) value(n *yaml.Node, k *key, path string) (any, bool) {
	if p, bad := c.form(n, k, path); bad {
		c.report(p)
		return nil, false
	}
	switch k.kind {
	case group:
		if n.Kind == yaml.ScalarNode {
			return c.word(n, k, path)
		}
		return c.group(n, k.keys, path), true
	case groups:
		return c.list(n, path, func(item *yaml.Node, at string) (any, bool) {
			if item.Kind != yaml.MappingNode {
				c.report(Problem{Code: CodeType, Path: at, Message: "must be a group of keys"})
				return nil, false
			}
			return c.group(item, k.keys, at), true
		})
	case texts:
		return c.list(n, path, func(item *yaml.Node, at string) (any, bool) {
			return c.scalar(item, &key{kind: text}, at)
		})
	}
	return c.scalar(n, k, path)
}

// word checks the one word that stands for a group's keys.
func (c *checker) word(n *yaml.Node, k *key, path string) (any, bool) {
	v, ok := c.scalar(n, &key{kind: text, choices: k.choices}, path)
	if !ok {
		return nil, false
	}
	out := c.group(&yaml.Node{Kind: yaml.MappingNode}, k.keys, path)
	for name, value := range k.word(v.(string)) {
		out[name] = value
	}
	return out, true
}

// form reports a value that isn't even of the right node kind.
func (c *checker) form(n *yaml.Node, k *key, path string) (Problem, bool) {
	p := Problem{Code: CodeType, Path: path, Message: "must be " + article(k.kind)}
	switch {
	case n.ShortTag() == "!!null" && !k.saysNull(n):
		p.Message, p.Suggestion = "has no value", "give one, or take the key away"
		return p, true
	case k.kind == group:
		p.Suggestion = "write the keys below it"
		return p, n.Kind != yaml.MappingNode && !(k.word != nil && n.Kind == yaml.ScalarNode)
	case k.kind == groups || k.kind == texts:
		p.Suggestion = "write it as a list: [a, b]"
		return p, n.Kind != yaml.SequenceNode
	}
	return p, n.Kind != yaml.ScalarNode
}

func article(k kind) string {
	switch k {
	case text, secret:
		return "text"
	case boolean:
		return "true or false"
	case group:
		return "a group of keys"
	}
	return "a " + kindNames[k]
}

func (c *checker) list(n *yaml.Node, path string, one func(*yaml.Node, string) (any, bool)) (any, bool) {
	out := make([]any, 0, len(n.Content))
	whole := true
	for i, item := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		c.places[at] = placeOf(item)
		v, ok := one(item, at)
		whole = whole && ok
		out = append(out, v)
	}
	return out, whole
}

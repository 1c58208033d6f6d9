package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds a config file in bytes.
const maxFile = 1 << 20

// Load reads a file with the process's environment. The problems that it returns beside a Config are warnings; those that keep the
// file from being used are an *Error.
func Load(path string) (*Config, []Problem, error) {
	b, err := readFile(path)
	if err != nil {
		p := Problem{File: path, Code: CodeRead, Message: "read config: " + err.Error()}
		if errors.Is(err, os.ErrNotExist) {
			p.Message, p.Suggestion = "there is no such file", "name the config with -c FILE"
		}
		return nil, nil, &Error{Problems: []Problem{p}}
	}
	return Parse(path, b, System())
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		return nil, fmt.Errorf("larger than %s", Size(maxFile))
	}
	return b, err
}

// Parse is Load for bytes that were read already; name stands in the problems.
func Parse(name string, b []byte, env Environment) (*Config, []Problem, error) {
	c := &checker{file: name, env: env, places: map[string]place{}, written: map[string]string{}}
	root := c.parse(b)
	if root == nil {
		return nil, nil, &Error{Problems: c.problems}
	}
	tree := c.group(root, fileKeys(), "")
	if len(c.problems) > 0 {
		return nil, c.sorted(c.warnings), &Error{Problems: c.sorted(c.problems)}
	}
	out, err := decode(b, tree)
	if err != nil {
		c.report(Problem{Code: CodeSyntax, Message: err.Error()})
		return nil, nil, &Error{Problems: c.problems}
	}
	c.settle(out)
	c.crossCheck(out)
	if len(c.problems) > 0 {
		return nil, c.sorted(c.warnings), &Error{Problems: c.sorted(c.problems)}
	}
	return out, c.sorted(c.warnings), nil
}

// decode lets viper read the file, lays the checked tree over what it has read, and decodes both exactly: a key that the tree and
// Config don't share is an error here too. One viper per load, and none afterwards.
func decode(b []byte, tree map[string]any) (*Config, error) {
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(b)); err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	if err := v.MergeConfigMap(tree); err != nil {
		return nil, fmt.Errorf("merge defaults: %w", err)
	}
	out := &Config{}
	err := v.UnmarshalExact(out, func(d *mapstructure.DecoderConfig) {
		d.TagName = "yaml"
		d.WeaklyTypedInput = false
		d.DecodeHook = nil
	})
	if err != nil {
		return nil, fmt.Errorf("decode config: %w", err)
	}
	return out, nil
}

// parse returns the mapping at the root of the file, or nil where there is none; that has been reported then.
func (c *checker) parse(b []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			c.report(Problem{Code: CodeSyntax, Line: 1, Column: 1, Message: "the file is empty", Suggestion: "begin with version: 1"})
		} else {
			c.report(syntaxProblem(err))
		}
		return nil
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		c.report(Problem{Code: CodeSyntax, Line: second.Line, Column: second.Column, Message: "a second document in one file", Suggestion: "keep one"})
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		c.report(Problem{Code: CodeSyntax, Line: root.Line, Column: root.Column, Message: "must be a group of keys", Suggestion: "begin with version: 1"})
		return nil
	}
	c.plain(root)
	if len(c.problems) > 0 {
		return nil
	}
	return root
}

// syntaxProblem takes the line out of the YAML reader's error.
func syntaxProblem(err error) Problem {
	p := Problem{Code: CodeSyntax, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if n, _ := fmt.Sscanf(p.Message, "line %d: ", &p.Line); n == 1 {
		p.Column = 1
		_, p.Message, _ = strings.Cut(p.Message, ": ")
	}
	return p
}

// plain reports anchors, aliases, merge keys and tags: they let a file say something else than what stands there.
func (c *checker) plain(n *yaml.Node) {
	at := Problem{Code: CodeSyntax, Line: n.Line, Column: n.Column}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		at.Message, at.Suggestion = "anchors and aliases are not read here", "write the value out"
		c.report(at)
		return
	case n.Style&yaml.TaggedStyle != 0:
		at.Message, at.Suggestion = "tags are not read here", "write the plain value"
		c.report(at)
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
				at.Line, at.Column, at.Message = k.Line, k.Column, "a key must be a plain word"
				c.report(at)
				return
			}
		}
	}
	for _, child := range n.Content {
		c.plain(child)
	}
}

// sorted returns problems in the file's order, and always in the same.
func (c *checker) sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return problems
}

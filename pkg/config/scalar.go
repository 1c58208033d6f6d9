package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalar checks one scalar, replaces its references, and returns it as the Go type that Config has; false: it has been reported.
func (c *checker) scalar(n *yaml.Node, k *key, path string) (any, bool) {
	p := Problem{Code: CodeType, Path: path, Message: "must be " + article(k.kind)}
	if n.Kind != yaml.ScalarNode {
		c.report(p)
		return nil, false
	}
	if want := yamlTags[k.kind]; n.ShortTag() != want && !isReference(n.Value) && !k.saysNull(n) {
		c.report(c.wrongTag(n, k, p))
		return nil, false
	}
	s := n.Value
	if isReference(s) {
		expanded, err := c.env.expand(s)
		if err != nil {
			c.report(unresolved(path, err))
			return nil, false
		}
		c.written[path] = s
		s = expanded
	} else if k.kind == secret && s != "" {
		c.warn(Problem{Code: CodeSecret, Path: path, Message: "stands in the file in plain text", Suggestion: "use ${env:NAME} or ${file:PATH}"})
	}
	v, err := k.parse(s)
	if err != nil {
		c.report(c.badValue(n, k, Problem{Code: CodeValue, Path: path, Message: err.Error()}))
		return nil, false
	}
	if k.kind == text && slices.Contains(k.planned, s) {
		c.report(Problem{Code: CodeNotYet, Path: path, Message: fmt.Sprintf("%q is not available in this build", s), Suggestion: "available: " + strings.Join(k.choices, ", ")})
		return nil, false
	}
	return v, true
}

// unresolved is what is said about a reference that stands for nothing.
func unresolved(path string, err error) Problem {
	p := Problem{Code: CodeSecret, Path: path, Message: err.Error()}
	if errors.Is(err, errNotSet) {
		p.Suggestion = "set it where tailwater is started, or give a default: ${env:NAME:-default}"
	}
	return p
}

// saysNull says that null is one of the words that k takes, and not the want of a value.
func (k *key) saysNull(n *yaml.Node) bool {
	return n.Value == "null" && slices.Contains(k.choices, n.Value)
}

// yamlTags is how YAML must have read a scalar of each kind: a bare 0123 or yes means something else to YAML than to people.
var yamlTags = [...]string{text: "!!str", number: "!!int", boolean: "!!bool", duration: "!!str", size: "!!str", secret: "!!str", texts: "", group: "", groups: ""}

func (c *checker) wrongTag(n *yaml.Node, k *key, p Problem) Problem {
	switch {
	case k.kind == text || k.kind == secret:
		p.Suggestion = "put it in quotes"
	case n.ShortTag() == "!!int" && k.kind == duration:
		p.Suggestion = fmt.Sprintf("give the unit: %ss", n.Value)
	case n.ShortTag() == "!!int" && k.kind == size:
		p.Suggestion = fmt.Sprintf("give the unit: %sMiB", n.Value)
	default:
		p.Message += ", not " + quoted(n.Value)
	}
	return p
}

// badValue adds to p what stands in the file, never what a reference has brought or a secret, and what may have been meant.
func (c *checker) badValue(n *yaml.Node, k *key, p Problem) Problem {
	if k.kind != secret {
		p.Message = quoted(n.Value) + " " + p.Message
	}
	if isReference(n.Value) {
		return p
	}
	if near := nearest(n.Value, k.choices); near != "" {
		p.Suggestion = fmt.Sprintf("did you mean %q?", near)
	} else if fixed := binaryUnit(n.Value); k.kind == size && fixed != "" && fixed != n.Value {
		p.Suggestion = fmt.Sprintf("did you mean %q?", fixed)
	}
	return p
}

// quoted writes a value of the file for a message.
func quoted(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return strconv.Quote(s)
}

// binaryUnit returns 256MiB for 256MB, 256mb and 256M; "" for anything else.
func binaryUnit(s string) string {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	rest := strings.ToUpper(strings.TrimSpace(s[len(digits):]))
	if rest == "" || !strings.Contains("KMGT", rest[:1]) {
		return ""
	}
	fixed := digits + rest[:1] + "iB"
	if _, err := ParseSize(fixed); err != nil {
		return ""
	}
	return fixed
}

// parse returns s as the Go type of k, or what is wrong with it.
func (k *key) parse(s string) (any, error) {
	switch k.kind {
	case number:
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, errors.New("must be a whole number")
		}
		return n, k.inRange(int64(n), strconv.FormatInt)
	case boolean:
		if s != "true" && s != "false" {
			return nil, errors.New("must be true or false")
		}
		return s == "true", nil
	case duration:
		d, err := ParseDuration(s)
		if err != nil {
			return nil, err
		}
		return d, k.inRange(int64(d), func(n int64, _ int) string { return Duration(n).String() })
	case size:
		b, err := ParseSize(s)
		if err != nil {
			return nil, err
		}
		return b, k.inRange(int64(b), func(n int64, _ int) string { return Size(n).String() })
	case secret:
		return NewSecret(s), nil
	}
	if strings.ContainsAny(s, "\x00\r\n") {
		return nil, errors.New("must be one line")
	}
	if k.choices != nil && !slices.Contains(k.choices, s) && !slices.Contains(k.planned, s) {
		return nil, errors.New("must be one of: " + strings.Join(k.choices, ", "))
	}
	return s, nil
}

func (k *key) inRange(n int64, write func(int64, int) string) error {
	if n < k.low {
		return fmt.Errorf("must be at least %s", write(k.low, 10))
	}
	if k.high != 0 && n > k.high {
		return fmt.Errorf("must be at most %s", write(k.high, 10))
	}
	return nil
}

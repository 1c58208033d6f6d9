package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Normal returns c as YAML in the order of the list of keys, with every default filled in, without the keys that mean nothing
// here, and with *** for what is secret. It can be loaded again but for that.
func (c *Config) Normal() ([]byte, error) {
	b, err := yaml.Marshal(node(reflect.ValueOf(*c), fileKeys()))
	if err != nil {
		return nil, fmt.Errorf("write config: %w", err)
	}
	return b, nil
}

// node returns the values of v, a struct, under the keys that mean something in it.
func node(v reflect.Value, keys []key) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	typ := ""
	if f := field(v, "type"); f.IsValid() {
		typ = f.String()
	}
	for i := range keys {
		k := &keys[i]
		f := field(v, k.name)
		if !k.means(typ) || !f.IsValid() || empty(f, k) {
			continue
		}
		out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k.name}, value(f, k))
	}
	return out
}

// empty says that k is optional, has no default, and isn't given.
func empty(f reflect.Value, k *key) bool {
	if k.kind == group {
		return len(node(f, k.keys).Content) == 0
	}
	return !k.required && k.fallback == "" && k.kind != groups && (f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0)
}

func value(f reflect.Value, k *key) *yaml.Node {
	switch k.kind {
	case group:
		return node(f, k.keys)
	case groups, texts:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range f.Len() {
			if k.kind == groups {
				list.Content = append(list.Content, node(f.Index(i), k.keys))
			} else {
				list.Content = append(list.Content, scalarNode(f.Index(i).String()))
			}
		}
		if k.kind == texts || f.Len() == 0 {
			list.Style = yaml.FlowStyle
		}
		return list
	case number, boolean:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(f.Interface())}
	}
	return scalarNode(fmt.Sprint(f.Interface()))
}

// scalarNode is text, quoted where YAML would read it as something else.
func scalarNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// field returns the field of v with that yaml name; the zero reflect.Value where there is none.
func field(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

package config

import "slices"

// kind is what a key's value has to be.
type kind uint8

const (
	text kind = iota
	number
	boolean
	duration
	size
	secret
	texts  // a list of text
	group  // keys below it
	groups // a list of groups
)

var kindNames = [...]string{"text", "whole number", "true or false", "duration", "size", "secret", "list of text", "keys", "list"}

// key describes one key of the file: what it takes, what it means where it isn't given, and what it is for. The list of keys is
// what the loader checks against and what docs/configuration.md is made from.
type key struct {
	name     string
	kind     kind
	required bool
	fallback string   // the default, written as in the file; "" with required false: none
	choices  []string // the values that there are, if they are few
	planned  []string // values that other builds will know: refused with those words
	types    []string // the values of the group's type key for which this key means something; nil: all
	low      int64    // the least value of a number, a duration or a size
	high     int64    // the largest, if not 0
	keys     []key
	word     func(word string) map[string]string // of a group with choices: what one of them in its place says of the keys below
	doc      string                              // one sentence, for people
}

// means says that k means something in a group of that type; in one whose type isn't known ("") every key does.
func (k *key) means(typ string) bool {
	return k.types == nil || typ == "" || slices.Contains(k.types, typ)
}

func find(keys []key, name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// names returns the names of keys that mean something in a group of that type.
func names(keys []key, typ string) []string {
	var out []string
	for i := range keys {
		if keys[i].means(typ) {
			out = append(out, keys[i].name)
		}
	}
	return out
}

// home returns the path of the groups that have a key of that name, for one that stands in the wrong place.
func home(keys []key, path, name string) string {
	for i := range keys {
		k := &keys[i]
		if len(k.keys) == 0 {
			continue
		}
		below := k.name
		if path != "" {
			below = path + "." + k.name
		}
		if find(k.keys, name) != nil {
			return below
		}
		if found := home(k.keys, below, name); found != "" {
			return found
		}
	}
	return ""
}

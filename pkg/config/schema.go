package config

import (
	"slices"

	"github.com/tailwater-cdc/tailwater/sinks"
)

// SchemaChange is what a sink does about each kind of change of a table.
type SchemaChange struct {
	Add         string `yaml:"add"`
	Drop        string `yaml:"drop"`
	Widen       string `yaml:"widen"`
	Narrow      string `yaml:"narrow"`
	Rename      string `yaml:"rename"`
	Nullability string `yaml:"nullability"`
	NewTable    string `yaml:"new_table"`
	Truncate    string `yaml:"truncate"`
}

// Policy is s in a sink's words.
func (s SchemaChange) Policy() sinks.Policy {
	return sinks.Policy{
		sinks.KindAdd: sinks.Action(s.Add), sinks.KindDrop: sinks.Action(s.Drop), sinks.KindWiden: sinks.Action(s.Widen),
		sinks.KindNarrow: sinks.Action(s.Narrow), sinks.KindRename: sinks.Action(s.Rename), sinks.KindNullability: sinks.Action(s.Nullability),
		sinks.KindNewTable: sinks.Action(s.NewTable), sinks.KindTruncate: sinks.Action(s.Truncate),
	}
}

var schemaWords = []string{string(sinks.Follow), string(sinks.Halt), string(sinks.Ignore)}

// schemaWord is what one word says of all kinds of changes of shape. To follow a change as far as that is safe is what the defaults do, so the word for
// it is them: what loses data is asked for by name.
func schemaWord(word string) map[string]string {
	out := map[string]string{}
	for _, k := range sinks.Kinds() {
		if a := sinks.Action(word); k.Shape && a != sinks.Follow && slices.Contains(k.Allowed, a) {
			out[string(k.Kind)] = word
		}
	}
	return out
}

var schemaDocs = map[sinks.Kind]string{
	sinks.KindAdd:         "A new column",
	sinks.KindDrop:        "A column that is gone",
	sinks.KindWiden:       "A type that holds every value of the one before",
	sinks.KindNarrow:      "Any other change of type",
	sinks.KindRename:      "A column under another name",
	sinks.KindNullability: "A column that may be NULL now",
	sinks.KindNewTable:    "A table that the target lacks",
	sinks.KindTruncate:    "All rows gone at once",
}

func schemaKeys() []key {
	var keys []key
	for _, k := range sinks.Kinds() {
		one := key{name: string(k.Kind), kind: text, fallback: string(k.Default), doc: schemaDocs[k.Kind] + ": " + k.Why + "."}
		for _, a := range k.Allowed {
			one.choices = append(one.choices, string(a))
		}
		keys = append(keys, one)
	}
	return keys
}

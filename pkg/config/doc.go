// Package config reads the one YAML file that tells tailwater what to run. The file is read once, checked against the list of keys
// in keys.go (which also makes docs/configuration.md), and decoded into an immutable Config. What the list doesn't know, what has
// the wrong type, what lacks a unit, what is missing: each is a Problem with file, line, column and, where one is near, a
// suggestion. No default is applied that docs/configuration.md doesn't name.
//
// viper reads the file and decodes it. It lower-cases map keys and drops one of two that differ in case only, so no name that a user
// chose (pipeline, table, column, topic) is ever a key, and keys are compared as written on the YAML node tree before viper's
// answer is used.
//
// ${env:NAME}, ${env:NAME:-default} and ${file:PATH} are replaced in scalars after parsing, once: what they bring is never parsed.
// A Secret prints as *** wherever it goes.
//
// Only cmd imports this package; it imports none of ours.
package config

// Package tables says which tables of a source are captured, by the names and patterns of the configuration.
package tables

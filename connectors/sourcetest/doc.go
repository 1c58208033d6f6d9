// Package sourcetest is the suite that every connectors.Source passes against a real server: order, positions, resuming, key changes,
// holes, large transactions, progress while nothing happens, and what the server is told.
//
// It imports pkg/change and connectors. Tests are its only importers.
package sourcetest

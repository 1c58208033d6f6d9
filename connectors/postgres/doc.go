// Package postgres is the Source for PostgreSQL 14 and later: it reads a logical replication slot with the pgoutput plugin,
// protocol 1, and hands over the committed changes of the selected tables.
//
// One goroutine owns the replication connection. It decodes into a queue bounded by bytes, and while that is full, or nobody
// reads, it goes on answering the server. Shapes, keys and all that the stream doesn't carry come from a second connection.
//
// It imports pkg/change, pkg/snapshot, pkg/preflight, pkg/fault and connectors, never another connector.
//
// Invariants 1 (only a released Resume is confirmed to the server), 3, 4, 5, 6, 7 and 9 of the design are upheld here, each where
// the code says so.
//
// Only this package and below know that Position.Commit is the LSN of the commit record and Seq the ordinal of the row message
// in its transaction.
package postgres

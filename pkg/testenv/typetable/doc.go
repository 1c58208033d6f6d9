// Package typetable lists the column types that the source servers know, with values of each: what is inserted, the server's own text of it,
// its JSON form on the wire, and what each target makes of both. Every literal is written by hand; tests hold it against the servers, and
// docs/types is generated from it, so that the pages can't lie.
//
// The connectors' tests read every row from a snapshot and from the stream (TestTypes in connectors/postgres and connectors/mysql), cmd/e2e
// carries every row through Kafka into each sink (TestEveryTypeArrives), and TestGoldenPages writes the pages.
//
// Imported by tests only; imports pkg/change.
package typetable

// Package postgres is the sink that writes changes to PostgreSQL 15 and later. It keeps its marks, its parked changes and the shapes
// it has met in three tables of the target schema (_tailwater_marks, _tailwater_parked, _tailwater_shapes), so rows, parked
// rows and marks move in one transaction. README.md tells the types, the modes and the grants.
//
// It imports pkg/change, pkg/codec, pkg/preflight, pkg/fault, sinks, sinks/internal/upsert and pgconn.
//
// Invariants: values are never changed on the way: what the target can't hold as it is halts at the plan or is refused by row.
// Invariant 2: marks are locked and compared before anything is committed. Invariant 7: rows with Unset columns are updates that
// must hit. Invariant 8: refused changes are parked in the transaction that moves the mark.
//
//	sink, err := postgres.Open(ctx, postgres.Config{SourceID: "shop", SinkName: "copy", URL: url, Schema: "public"}, logger)
package postgres

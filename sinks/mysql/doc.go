// Package mysql is the sink that writes changes to MySQL and MariaDB. It keeps its marks, its parked changes and the shapes it has met in
// three tables of the target database (_tailwater_marks, _tailwater_parked, _tailwater_shapes), so rows, parked rows and marks move
// in one transaction. README.md tells the types, the modes and the grants; decisions.md why it is as it is.
//
// It imports pkg/change, pkg/codec, pkg/preflight, pkg/fault, sinks, sinks/internal/upsert and go-sql-driver/mysql.
//
// Invariants: values are never changed on the way: what the target can't hold as it is halts at the plan or is refused by row; the session's
// sql_mode is strict, and what the server would round or cut without an error is refused here. No row is ever written over a row of
// another key. Invariant 2: marks are locked and compared before a row is written. Invariant 7: rows with Unset columns are
// updates that must hit. Invariant 8: refused changes are parked in the transaction that moves the mark.
//
//	sink, err := mysql.Open(ctx, mysql.Config{SourceID: "shop", SinkName: "copy", URL: "mysql://writer@db:3306/copy"}, logger)
package mysql

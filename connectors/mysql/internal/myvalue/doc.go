// Package myvalue says what a column of MySQL or MariaDB is, and turns its cells into values: the same Value from a row image of the
// binary log and from a text-protocol result set. It imports pkg/change only; its character sets are its own, made from the servers
// (charsets, singlebyte.go).
//
// A Type comes from a TABLE_MAP event with binlog_row_metadata=FULL (package rowimage) or from the catalogue (FromCatalogue); Agree
// holds one against the other, and Adopt takes what still holds of one of another time. The result set is that of a session with
//
//	SET time_zone = '+00:00', character_set_results = NULL
//
// whose SELECT names each column as Type.SelectExpr says. With character_set_results NULL the server sends text as it is stored, which
// is what the log holds, so one conversion serves both.
//
// Invariant: a cell that isn't its type's, or whose text its character set doesn't have, is an error that names the column, never another
// value.
package myvalue

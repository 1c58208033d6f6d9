// Package pgvalue turns PostgreSQL's types into columns and the text of its values into values. It imports pkg/change only.
//
// The text is what a session writes with datestyle ISO, intervalstyle iso_8601, TimeZone UTC, extra_float_digits 3, bytea_output
// hex and client_encoding UTF8, or SQL_ASCII from a database of that.
//
// Invariant: a text that isn't its type's is an error, never another value.
package pgvalue

// Package pgoutput decodes the messages of PostgreSQL's pgoutput plugin, protocol version 1, from the frames of a replication
// stream. Decoding a row allocates nothing: a Message is reused and its cells alias the frame. It imports pkg/change for the
// sentinel that an unknown message wraps.
//
// Invariant: no input makes it panic or read past the frame, and what it doesn't know is an error, never skipped.
// Source: PostgreSQL 18 manual, "Logical Replication Message Formats".
package pgoutput

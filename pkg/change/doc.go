// Package change holds the words of the house: what a row change is, where it stands in its source's log, and how far a
// reader has come. Every other package speaks in these types. It imports the standard library only.
//
// The glossary, one word per idea:
//
//	Change    one row operation, or a Marker
//	Table     one version of a table's shape; immutable, its pointer is the key of every plan cache
//	Batch     part or all of some source transactions, with the Resume that follows them
//	Position  order within one source; Epoch says which life of the source's log it belongs to
//	Resume    opaque token: where to start reading again; only its connector understands it
//	Txn       the source transaction that a change belongs to
//	Lane      a topic partition; in direct mode a key lane
//	Mark      how far a sink has applied one Lane
//	Marker    Truncate or NewShape, sent down every lane of its table
//	Unset     the log did not carry this column; not NULL, and never written as NULL
//	Parked    a change that a target refused
//	Gap       log that is gone and that nobody here has read
//
// Invariant 7 of the design, that Unset is carried end to end, rests on the zero Value being Unset.
package change

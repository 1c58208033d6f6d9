// Package snapshot reads whole tables beside a running log, for any connector: pure logic over a Log and a Reader. It
// imports pkg/change and pkg/fault only.
//
// A Runner decorates a connector's Log. It reads a table in chunks by key, each with a watermark: which transactions the
// chunk's SELECT saw, and where the log ended after it. A chunk is handed over between two source transactions once
// the log has been read to that end, at the Position reached by then, so its rows stand above every older change.
//
// Invariant 2 (nobody sees an older row after a newer one) rests on one rule: a row whose key was touched by a
// transaction that the SELECT did not see never goes out as it was read. The keys of a transaction are therefore
// kept until a watermark shows it visible, for a commit may be in the log long before anybody can see its rows.
//
// Invariant 7 (Unset is carried): an Update that lacks columns can't be applied to a row that the target doesn't have
// yet. While its table is read, such an Update is taken out of the stream, its key is kept in the progress,
// and the row is read again by key before the table is done.
//
// A table without a key is one chunk, read at an exact log address. A table of which targets may hold rows that nothing will ever take away
// begins with a Truncate.
package snapshot

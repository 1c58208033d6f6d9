// Package mysql is the Source for MySQL 8.4 and later and MariaDB 10.11 and later: it reads the binary log as a replica does, and tables
// for snapshots beside it. It may import connectors, pkg/change, pkg/snapshot, pkg/preflight and pkg/fault.
//
// One goroutine owns the replication connection. It keeps the raw events of one group (the log's own transaction), on disk where they are
// many, until the group's end is seen; only then are its rows decoded and queued. The places of rows are those of the log itself:
// file, offset of the group's first event, offset of the row event in the group.
//
// Invariant 4 rests on that: a group may end in ROLLBACK. Invariant 5 rests on the evidence in each Resume: the file, its creation time
// and the last group read, which the log must show again. Invariant 6: rows are decoded with the TABLE_MAP in front of them.
// decisions.md says what was chosen and why; README.md what the server needs.
package mysql

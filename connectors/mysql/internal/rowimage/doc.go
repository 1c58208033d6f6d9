// Package rowimage decodes the events of the binary log that carry rows: TABLE_MAP, the WRITE, UPDATE and DELETE_ROWS events of versions
// 1 and 2, MariaDB's compressed ones, and what MySQL's TRANSACTION_PAYLOAD holds. A row takes one allocation. It imports
// pkg/change and package myvalue, and klauspost/compress for zstd.
//
// The bodies handed in are an event's bytes without its 19-byte header and without its checksum. Nothing that comes out aliases them
// but what says so.
//
// Invariant: no input makes it panic, read past the body or allocate far beyond it, and what it doesn't know is an error, never
// skipped.
// Source: MySQL 9.7, libs/mysql/binlog/event; MariaDB 11.8, sql/log_event.h.
package rowimage

package testenv

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
)

// Query returns the rows of one statement, each value as the server's own text (see rows for FLOAT).
func (m *My) Query(sql string) [][]string {
	m.t.Helper()
	ctx, cancel := bounded(m.t, statementLimit)
	defer cancel()
	_, rows, err := m.rows(ctx, sql)
	if err != nil {
		m.t.Fatalf("%v\n%s", err, sql)
	}
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = texts(row)
	}
	return out
}

// Value returns the only value of a query of one row and one column.
func (m *My) Value(sql string) string {
	m.t.Helper()
	rows := m.Query(sql)
	if len(rows) != 1 || len(rows[0]) != 1 {
		m.t.Fatalf("want one value, have %v\n%s", rows, sql)
	}
	return rows[0][0]
}

// Client runs sql with the server's own client and returns what it prints: tab between values, NULL for NULL, tabs, line ends
// and backslashes of values escaped.
func (m *My) Client(sql string) string {
	m.t.Helper()
	host, port := m.HostPort()
	args := append(slices.Clone(m.client[1:]), "--no-defaults", "--batch", "--skip-column-names",
		"--host="+host, "--port="+strconv.Itoa(int(port)), "--user=root", "--default-character-set=utf8mb4",
		"--execute="+sql, m.Database)
	ctx, cancel := bounded(m.t, statementLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.client[0], args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%s's client: %v\n%s%s", m.Name, err, &complaint, sql)
	}
	return string(out)
}

// Dump returns the table's rows as the server's own client prints them. table and orderBy are SQL.
func (m *My) Dump(table, orderBy string) string {
	m.t.Helper()
	return m.Client("select * from " + table + " order by " + orderBy)
}

// Checksum returns the table's row count and a hash over its rows' text in the given order: for tables too large for
// Compare. table and orderBy are SQL; orderBy must order totally.
func (m *My) Checksum(table, orderBy string) string {
	m.t.Helper()
	ctx, cancel := bounded(m.t, statementLimit)
	defer cancel()
	count, hash := 0, sha256.New()
	query := "select * from " + table + " order by " + orderBy
	_, err := m.each(ctx, query, func(row []sql.RawBytes) {
		count++
		for _, value := range row {
			length := int64(len(value))
			if value == nil {
				length = -1
			}
			binary.Write(hash, binary.BigEndian, length) // a hash takes everything
			hash.Write(value)
		}
	})
	if err != nil {
		m.t.Fatalf("%v\n%s", err, query)
	}
	return fmt.Sprintf("%d:%x", count, hash.Sum(nil)[:16])
}

// Of makes a Side of a query on m.
func (m *My) Of(sql string) Side { return Side{From: m, SQL: sql} }

// BinlogEnd is where the server's binlog ends.
type BinlogEnd struct {
	File   string
	Offset int64
	GTIDs  string // MySQL: gtid_executed; MariaDB: gtid_binlog_pos
}

// Binlog returns the end of the server's binlog.
func (m *My) Binlog() BinlogEnd {
	m.t.Helper()
	status, gtids := "show binary log status", "select replace(@@global.gtid_executed, '\\n', '')"
	if m.MariaDB {
		status, gtids = "show master status", "select @@global.gtid_binlog_pos"
	}
	rows := m.Query(status)
	if len(rows) != 1 {
		m.t.Fatalf("%s has no binlog", m.Name)
	}
	offset, err := strconv.ParseInt(rows[0][1], 10, 64)
	if err != nil {
		m.t.Fatalf("the binlog's end %q: %v", rows[0], err)
	}
	return BinlogEnd{File: rows[0][0], Offset: offset, GTIDs: m.Value(gtids)}
}

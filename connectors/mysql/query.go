package mysql

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// query is what a QUERY event holds.
type query struct {
	schema, sql string
	foreign     bool // sql is not known to be UTF-8
	status      status
}

// status is what a QUERY event says of the session that ran its statement.
type status struct {
	mode      uint64 // sql_mode
	known     bool   // mode was told
	collation int    // of the client's text; 0: not told

	updated []string // MySQL: the databases of the tables that the statement had open for writing
	listed  bool     // updated was told, and is all of them
}

// The bits of sql_mode that say where text ends. Both servers have the same.
const (
	modeANSIQuotes = 1 << 2
	modeNoEscapes  = 1 << 20
)

// parseQuery reads the body of a QUERY event.
func parseQuery(h header, body []byte) (query, error) {
	const head = 4 + 4 + 1 + 2 + 2
	return parseQueryBehind(h, body, head)
}

// parseQueryBehind is parseQuery for an event of which what stands in front of the variables takes head bytes.
func parseQueryBehind(h header, body []byte, head int) (query, error) {
	if len(body) < head {
		return query{}, fmt.Errorf("query event of %d bytes: %w: %w", len(body), errEvent, change.ErrHalt)
	}
	schema := int(body[8])
	start := head + int(binary.LittleEndian.Uint16(body[11:]))
	if len(body) < start+schema+1 {
		return query{}, fmt.Errorf("query event of %d bytes: %w: %w", len(body), errEvent, change.ErrHalt)
	}
	sql := body[start+schema+1:]
	if h.kind == eventQueryCompressed {
		var err error
		if sql, err = inflate(sql); err != nil {
			return query{}, fmt.Errorf("compressed query event: %w: %w", err, change.ErrHalt)
		}
	}
	q := query{schema: string(body[start : start+schema]), status: parseStatus(body[head:start])}
	q.sql, q.foreign = q.status.text(string(sql))
	return q, nil
}

// The variables of a QUERY event, in the order in which they are written.
// Source: MySQL 9.7, libs/mysql/binlog/event/statement_events.h, Query_event_status_vars; MariaDB writes the same.
const (
	statusFlags     = 0
	statusSQLMode   = 1
	statusIncrement = 3
	statusCharset   = 4
	statusZone      = 5
	statusCatalog   = 6
	statusTimeNames = 7
	statusDatabase  = 8
	statusTableMap  = 9
	statusInvoker   = 11
	statusUpdated   = 12 // MySQL's alone
)

// parseStatus reads the variables as far as they are known; one that isn't says nothing of those behind it.
func parseStatus(b []byte) status {
	var s status
	for len(b) > 0 {
		code, rest := b[0], b[1:]
		size := statusSize(code, rest)
		if size < 0 || len(rest) < size {
			return s
		}
		switch code {
		case statusSQLMode:
			s.mode, s.known = binary.LittleEndian.Uint64(rest), true
		case statusCharset:
			s.collation = int(binary.LittleEndian.Uint16(rest))
		case statusUpdated:
			s.list(rest)
			return s
		}
		b = rest[size:]
	}
	return s
}

// statusSize is how many bytes a variable takes; -1: not known.
func statusSize(code byte, b []byte) int {
	lengths := 0 // texts with their length in a byte in front
	switch code {
	case statusFlags, statusIncrement:
		return 4
	case statusSQLMode, statusTableMap:
		return 8
	case statusCharset:
		return 6
	case statusTimeNames, statusDatabase:
		return 2
	case statusZone:
		lengths = 1
	case statusCatalog:
		lengths = 1
	case statusInvoker:
		lengths = 2
	case statusUpdated:
		return 1
	default:
		return -1
	}
	size := 0
	for range lengths {
		if len(b) <= size {
			return -1
		}
		size += 1 + int(b[size])
	}
	return size
}

// list reads the databases: how many, then each name with a zero behind it. More than maxUpdated are not listed.
func (s *status) list(b []byte) {
	n := int(b[0])
	if n > maxUpdated {
		return
	}
	names := bytes.SplitN(b[1:], []byte{0}, n+1)
	if len(names) != n+1 {
		return
	}
	for _, name := range names[:n] {
		s.updated = append(s.updated, string(name))
	}
	s.listed = n > 0
}

// maxUpdated is the most databases that MySQL lists; where there were more it says 254.
const maxUpdated = 16

// text turns a statement from the character set of the client that sent it into UTF-8. Where that can't be done it returns the statement as
// it is, and true.
func (s *status) text(sql string) (string, bool) {
	if !strings.ContainsFunc(sql, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return sql, false
	}
	switch {
	case s.collation == 0:
		return sql, true
	case s.collation == binaryCollation && utf8.ValidString(sql):
		return sql, false // SET NAMES binary: the servers take names for UTF-8
	}
	return decodeText(s.collation, sql)
}

// decodeText reads text of a collation's character set.
func decodeText(collation int, text string) (string, bool) {
	var row myvalue.Row
	row.Begin(1)
	if err := row.Text(&myvalue.Type{Name: "statement", Wire: myvalue.Blob, Length: 4, Collation: collation}, []byte(text)); err != nil {
		return text, true
	}
	values := row.Values()
	if values[0].Kind() != change.KindText {
		return text, true
	}
	return values[0].Str(), false
}

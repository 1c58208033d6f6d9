package rowimage

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The events that carry rows, by the type in their header.
// Source: MySQL 9.7, libs/mysql/binlog/event/binlog_event.h; MariaDB 11.8 and 12.3, sql/log_event.h.
const (
	eventWriteV0           = 20
	eventUpdateV0          = 21
	eventDeleteV0          = 22
	eventWriteV1           = 23
	eventUpdateV1          = 24
	eventDeleteV1          = 25
	eventWriteV2           = 30
	eventUpdateV2          = 31
	eventDeleteV2          = 32
	eventPartialUpdate     = 39
	eventWriteCompressed1  = 166
	eventUpdateCompressed1 = 167
	eventDeleteCompressed1 = 168
	eventWriteCompressed2  = 169
	eventUpdateCompressed2 = 170
	eventDeleteCompressed2 = 171
	eventPartialRows       = 172
)

// Header is the beginning of a row event.
type Header struct {
	Op      change.Op // Insert, Update or Delete
	Table   uint64    // TableMap.ID
	EndStmt bool      // the last row event of its statement: table ids mean nothing after it

	compressed bool
	rest       []byte // from the number of columns on
}

// IsRows says that an event of that type carries rows: ParseHeader reads it, or says why not.
func IsRows(event byte) bool {
	switch {
	case event >= eventWriteV0 && event <= eventDeleteV1, event >= eventWriteV2 && event <= eventDeleteV2, event == eventPartialUpdate,
		event >= eventWriteCompressed1 && event <= eventPartialRows:
		return true
	}
	return false
}

// form is what the event type says of the bytes behind it.
type form struct {
	op         change.Op
	extra      bool // version 2: extra data follows the flags
	compressed bool
}

func formOf(event byte) (form, bool) {
	switch event {
	case eventWriteV1, eventUpdateV1, eventDeleteV1:
		return form{op: operation(event - eventWriteV1)}, true
	case eventWriteV2, eventUpdateV2, eventDeleteV2:
		return form{op: operation(event - eventWriteV2), extra: true}, true
	case eventWriteCompressed1, eventUpdateCompressed1, eventDeleteCompressed1:
		return form{op: operation(event - eventWriteCompressed1), compressed: true}, true
	case eventWriteCompressed2, eventUpdateCompressed2, eventDeleteCompressed2:
		return form{op: operation(event - eventWriteCompressed2), extra: true, compressed: true}, true
	}
	return form{}, false
}

func operation(n byte) change.Op {
	return [...]change.Op{change.Insert, change.Update, change.Delete}[n]
}

// stmtEnd is the flag of the last row event of a statement.
const stmtEnd = 1

// ParseHeader reads the beginning of a row event of that type (the byte in the event's header). The Header aliases body. An event that
// can't be carried is an error that names the setting to change.
func ParseHeader(event byte, body []byte) (Header, error) {
	f, ok := formOf(event)
	if !ok {
		return Header{}, fmt.Errorf("row event of type %d: %s: %w", event, refusal(event), change.ErrHalt)
	}
	w := wire{b: body}
	h := Header{Op: f.op, compressed: f.compressed, Table: w.number(idSize)}
	h.EndStmt = w.number(2)&stmtEnd != 0
	if f.extra { // the length counts itself; NDB's and partitions' data, which no value depends on
		n := w.number(2)
		if n < 2 {
			w.bad = true
		}
		w.take(n - 2)
	}
	h.rest = w.b
	if w.bad {
		return Header{}, fmt.Errorf("row event of type %d: %w", event, w.err())
	}
	return h, nil
}

func refusal(event byte) string {
	switch event {
	case eventPartialUpdate:
		return "JSON columns come as differences: set binlog_row_value_options='' in the server and in every session that sets it"
	case eventPartialRows:
		return "rows come in fragments: set binlog_row_event_fragment_threshold to its maximum"
	case eventWriteV0, eventUpdateV0, eventDeleteV0:
		return "of a server before MySQL 5.1.16"
	}
	return "carries no rows that this version knows"
}

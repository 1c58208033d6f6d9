package rowimage

import (
	"fmt"
	"io"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Plan is how rows of one shape are decoded: made once for a TableMap, used for all its row events.
type Plan struct {
	types []myvalue.Type
}

// NewPlan makes the plan of a table's columns: TableMap.Types after myvalue.Agree. A column that can't be carried, or that the log leaves
// ambiguous and the catalogue hasn't explained, is an error that names it.
func NewPlan(types []myvalue.Type) (*Plan, error) {
	return nil, fmt.Errorf("plan: not there yet: %w", change.ErrHalt)
}

// Header is the beginning of a row event.
type Header struct {
	Op      change.Op // Insert, Update or Delete
	Table   uint64    // TableMap.ID
	EndStmt bool      // the last row event of its statement: table ids mean nothing after it

	body []byte // behind the table id
}

// IsRows says that ParseHeader knows the event type, or knows it and refuses it: an event that carries rows.
func IsRows(event byte) bool { return false }

// ParseHeader reads the beginning of a row event of that type (the byte in the event's header). The Header aliases body. An event that
// can't be carried is an error that names the setting to change.
func ParseHeader(event byte, body []byte) (Header, error) {
	return Header{}, fmt.Errorf("event %d: not there yet: %w", event, change.ErrHalt)
}

// Reader decodes the rows of one event after another. It is scratch memory that one goroutine owns; the zero Reader is ready.
type Reader struct {
	MaxBytes int // most bytes that a compressed row event may have uncompressed; 0: 1 GiB

	row myvalue.Row
}

// Begin starts an event. The body that h came from stays untouched until the last Next.
func (r *Reader) Begin(p *Plan, h Header) error {
	return fmt.Errorf("rows: not there yet: %w", change.ErrHalt)
}

// Next returns the next row: Insert has after, Delete before, Update both. A column that the image lacks is Unset. The slices are the
// caller's. io.EOF ends the event.
func (r *Reader) Next() (before, after []change.Value, err error) { return nil, nil, io.EOF }

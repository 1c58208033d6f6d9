package rowimage

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Inner is an event inside a TRANSACTION_PAYLOAD. It has no checksum, and its header's LogPos says nothing.
type Inner struct {
	Raw    []byte // header and body, until the next Next
	Offset uint64 // where it begins in the uncompressed payload
	Last   bool   // no event follows: the log stands behind the payload once it is handled
}

// Payload decompresses MySQL's TRANSACTION_PAYLOAD events, one event at a time. It is scratch memory that one goroutine owns.
type Payload struct {
	max int
}

// NewPayload returns a Payload that refuses an inner event above maxBytes.
func NewPayload(maxBytes int) (*Payload, error) {
	return nil, fmt.Errorf("payload: not there yet: %w", change.ErrHalt)
}

// Open starts the body of a TRANSACTION_PAYLOAD event, which stays untouched until the last Next.
func (p *Payload) Open(body []byte) error {
	return fmt.Errorf("payload: not there yet: %w", change.ErrHalt)
}

// Next returns the next event; io.EOF ends the payload. A payload that is not what its head says is an error.
func (p *Payload) Next() (Inner, error) {
	return Inner{}, fmt.Errorf("payload: not there yet: %w", change.ErrHalt)
}

// Close frees the decompressor.
func (p *Payload) Close() {}

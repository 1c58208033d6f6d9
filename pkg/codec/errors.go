package codec

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// What a reader decides on. Every other error of this package wraps change.ErrHalt: the same bytes would fail again.
var (
	// ErrForeign: the record was not written by our source id. Whoever owns the topic decides.
	ErrForeign = errors.New("not a record of this source")
	// ErrUnknownShape: no table is known under the record's fingerprint. Read the schema topic to its present end and decode again;
	// where it is still unknown, halt.
	ErrUnknownShape = errors.New("unknown table shape")
)

// errorf is what this package can't carry: an error that wraps change.ErrHalt.
func errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if errors.Is(err, change.ErrHalt) {
		return err
	}
	return fmt.Errorf("%w: %w", change.ErrHalt, err)
}

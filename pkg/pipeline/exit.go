package pipeline

import (
	"errors"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Exit codes of the run verb.
const (
	ExitOK          = 0
	ExitRuntime     = 1
	ExitEnvironment = 3 // unreachable, denied, held by another instance
	ExitPreflight   = 4
	ExitGap         = 5 // continuity lost: an operator must decide
)

// ExitCode is the exit code that err asks for. Of several errors joined into one it is the worst: 5, 4, 3, 1, 0 in that order.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, change.ErrGap):
		return ExitGap
	case errors.Is(err, change.ErrPreflight):
		return ExitPreflight
	case errors.Is(err, change.ErrFenced), errors.Is(err, change.ErrBusy),
		errors.Is(err, change.ErrUnreachable), errors.Is(err, change.ErrDenied):
		return ExitEnvironment
	}
	return ExitRuntime
}

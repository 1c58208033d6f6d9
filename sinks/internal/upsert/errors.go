package upsert

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Reject is a change that the sink itself finds the target can't take, with the code that the server would give.
func Reject(code, format string, args ...any) error {
	return &sinks.Error{Class: sinks.Reject, Code: code, Err: fmt.Errorf(format, args...)}
}

// Halt is a state of the target that somebody must change.
func Halt(format string, args ...any) error {
	return &sinks.Error{Class: sinks.Fatal, Err: fmt.Errorf("%w: %w", fmt.Errorf(format, args...), change.ErrHalt)}
}

// Preflight is a state of the target that somebody must change before a start.
func Preflight(format string, args ...any) error {
	return &sinks.Error{Class: sinks.Fatal, Err: fmt.Errorf("%w: %w", fmt.Errorf(format, args...), change.ErrPreflight)}
}

// IsRowError says that err is about some change of the call.
func IsRowError(err error) bool {
	own, ok := errors.AsType[*sinks.Error](err)
	return ok && (own.Class == sinks.Reject || own.Class == sinks.Wait)
}

package main

import (
	"errors"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
)

// The exit codes.
const (
	exitOK          = 0
	exitRuntime     = 1
	exitUsage       = 2 // usage or config
	exitEnvironment = 3 // unreachable, auth, port, lock
	exitPreflight   = 4
	exitGap         = 5 // continuity lost, an operator must decide
	exitTimeout     = 7
	exitInterrupted = 130 // forced by a second SIGINT
	exitTerminated  = 143 // forced by a second SIGTERM
)

// failure is an error with the exit code, the stable code and the fix that a verb gives it.
type failure struct {
	exit int
	code string
	err  error
	fix  string
}

// Error returns the cause's words.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

func usage(err error, fix string) error {
	return &failure{exit: exitUsage, code: "usage", err: err, fix: fix}
}

// kinds says what each shared error means to whoever called us. The first that applies counts.
var kinds = []struct {
	is   error
	exit int
	code string
	fix  string // where the message itself can't name one
}{
	{change.ErrGap, exitGap, "continuity_lost", beginAnew},
	{change.ErrPreflight, exitPreflight, "preflight", ""},
	{change.ErrFenced, exitEnvironment, "fenced", ""},
	{change.ErrBusy, exitEnvironment, "busy", ""},
	{change.ErrDenied, exitEnvironment, "denied", ""},
	{change.ErrUnreachable, exitEnvironment, "unreachable", ""},
	{change.ErrHalt, exitRuntime, "halted", ""},
}

// beginAnew is the one way out of lost continuity that always ends with equal ends; cmd/e2e walks it.
const beginAnew = "bring back what is named above, or begin anew: tailwater drop the pipeline, empty its target tables, delete its topics, start (docs/continuity.md)"

// classify returns err as a failure.
func classify(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if s, ok := errors.AsType[stopped](err); ok {
		return &failure{exit: s.code(), code: "interrupted", err: err}
	}
	if problems := config.Problems(err); len(problems) > 0 {
		return &failure{exit: exitUsage, code: problems[0].Code, err: err}
	}
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			return &failure{exit: k.exit, code: k.code, err: err, fix: k.fix}
		}
	}
	return &failure{exit: exitRuntime, code: "runtime", err: err}
}

func list(names []string) string { return strings.Join(names, ", ") }

package change

import "errors"

// What an error asks of whoever runs the loop. Every room wraps one of these where it applies, with what was being done, the
// coordinate and the fix; an error that wraps none of them is a passing fault: the loop is restarted after a back-off.
var (
	// ErrGap: continuity can't be proved (invariant 5). Never retried; exit code 5, an operator must decide.
	ErrGap = errors.New("continuity lost")
	// ErrFenced: another instance has taken over. Never retried; exit code 3.
	ErrFenced = errors.New("another instance has taken over")
	// ErrBusy: a slot or lock is held by somebody. Retried for start_timeout, then exit code 3.
	ErrBusy = errors.New("held by another instance")
	// ErrUnreachable: a server doesn't answer. Retried, before the first success for start_timeout, then exit code 3.
	ErrUnreachable = errors.New("unreachable")
	// ErrDenied: a server refuses our credentials or lacks our grants. Not retried at start; exit code 3.
	ErrDenied = errors.New("access denied")
	// ErrPreflight: a server's setting or a table doesn't allow what the configuration asks for. Not retried; exit code 4.
	ErrPreflight = errors.New("preflight failed")
	// ErrHalt: what came can't be carried as it is, and a restart would meet it again. Not retried; exit code 1.
	ErrHalt = errors.New("halted")
)

package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// SQLSTATEs that decide what an error asks for.
// Source: PostgreSQL 18 manual, appendix A.
const (
	stateInvalidAuth     = "28000"
	stateInvalidPassword = "28P01"
	stateNoDatabase      = "3D000"
	stateDenied          = "42501"
	stateUndefined       = "42704"
	stateDuplicate       = "42710"
	stateNotReady        = "55000"
	stateInUse           = "55006"
	stateUndefinedFile   = "58P01"
	stateTooMany         = "53300"
	classOperator        = "57P" // shutdown, crash, starting up
	classConnection      = "08"
)

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// classify wraps err with the sentinel that says what to do about it. An error that the server didn't send means that it could
// not be reached, or no longer.
func classify(err error) error {
	if err == nil {
		return nil
	}
	state := sqlState(err)
	switch {
	case state == "":
		return fmt.Errorf("%w: %w", err, change.ErrUnreachable)
	case strings.HasPrefix(state, classOperator), strings.HasPrefix(state, classConnection), state == stateTooMany:
		return fmt.Errorf("%w: %w", err, change.ErrUnreachable)
	case state == stateInvalidAuth, state == stateInvalidPassword, state == stateDenied:
		return fmt.Errorf("%w: %w", err, change.ErrDenied)
	case state == stateInUse:
		return fmt.Errorf("%w: %w", err, change.ErrBusy)
	case state == stateNoDatabase:
		return fmt.Errorf("%w: %w", err, change.ErrPreflight)
	}
	return err
}

// classifyStream is classify for an error that ends a stream: there the server also says that the log is gone.
func classifyStream(err error) error {
	switch sqlState(err) {
	case stateNotReady, stateUndefinedFile: // slot invalidated; requested WAL segment removed
		return fmt.Errorf("%w: %w", err, change.ErrGap)
	case stateUndefined:
		return fmt.Errorf("%w: the publication is gone, or younger than the slot's place: %w", err, change.ErrPreflight)
	}
	return classify(err)
}

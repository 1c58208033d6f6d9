package mysql

import (
	"errors"
	"fmt"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Error numbers that decide what an error asks for.
// Source: MySQL 9.7 and MariaDB 11.8 error message references.
const (
	codeTooMany       = 1040 // connections
	codeDBDenied      = 1044
	codeAccessDenied  = 1045
	codeNoDatabase    = 1049
	codeUnknownTable  = 1051
	codeShutdown      = 1053
	codeNoSuchTable   = 1146
	codeUnfitUnion    = 1168 // of a MERGE table
	codeTableDenied   = 1142
	codeColumnDenied  = 1143
	codeUserLimit     = 1203
	codeLockTimeout   = 1205
	codeNeedsGrant    = 1227
	codeLogRead       = 1236 // the binary log can't be sent from where we asked for
	codeLockDenied    = 1213 // deadlock
	codeInterrupted   = 1317
	codeDefChanged    = 1412 // a table was changed after the transaction's snapshot
	codeBadField      = 1054 // no such column
	codeNotGranted    = 1370
	codePluginDenied  = 1698 // access denied by an authentication plugin
	codeKilled        = 1927 // MariaDB: connection was killed
	codeServerGone    = 3169 // MySQL: session was killed
	codeTooManyUser   = 1226
	codeSSLRequired   = 3159
	codeAccountLocked = 3118
)

// errorCode is the number of an error that the server sent, or 0.
func errorCode(err error) uint16 {
	var my *gomysql.MyError
	if errors.As(err, &my) {
		return my.Code
	}
	return 0
}

// classify wraps err with the sentinel that says what to do about it. An error that the server didn't send means that it could not be
// reached, or no longer.
func classify(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{change.ErrGap, change.ErrHalt, change.ErrBusy, change.ErrPreflight, change.ErrDenied, change.ErrUnreachable} {
		if errors.Is(err, known) {
			return err
		}
	}
	switch errorCode(err) {
	case 0, codeTooMany, codeShutdown, codeUserLimit, codeTooManyUser, codeKilled, codeServerGone, codeInterrupted:
		return fmt.Errorf("%w: %w", err, change.ErrUnreachable)
	case codeDBDenied, codeAccessDenied, codeTableDenied, codeColumnDenied, codeNeedsGrant, codeNotGranted, codePluginDenied,
		codeSSLRequired, codeAccountLocked:
		return fmt.Errorf("%w: %w", err, change.ErrDenied)
	case codeNoDatabase:
		return fmt.Errorf("%w: %w", err, change.ErrPreflight)
	case codeLogRead:
		return fmt.Errorf("%w: %w", err, change.ErrGap)
	}
	return err
}

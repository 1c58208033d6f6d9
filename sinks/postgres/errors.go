package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Class tells what to do about an error of the server, by its SQLSTATE. An error that isn't the server's is Retry.
// Source: PostgreSQL manual, Appendix A.
func Class(err error) sinks.Class {
	if own, ok := errors.AsType[*sinks.Error](err); ok {
		return own.Class
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classOf(pg.Code)
	}
	return sinks.Retry
}

func classOf(code string) sinks.Class {
	switch code {
	case "23505", "23503", "23001", "23P01": // unique, foreign_key, restrict (a foreign key's, from 18 on), exclusion violation
		return sinks.Wait
	case "25006", "42804": // read_only_sql_transaction: a failover. datatype_mismatch: of the row's own value
		if code == "42804" {
			return sinks.Reject
		}
		return sinks.Retry
	}
	if isStale(code) || len(code) < 2 || code == "25P03" || code == "25P04" { // idle_in_transaction_session_timeout, transaction_timeout
		return sinks.Retry
	}
	switch code[:2] {
	case "08", "40", "53", "55", "57", "58", "XX": // connection, rollback, resources, object state, operator, system, internal
		return sinks.Retry
	case "21", "22", "23", "44", "54", "P0", "38", "39": // cardinality, data, integrity, check option, limits, what triggers raise
		return sinks.Reject
	}
	return sinks.Fatal
}

// isStale says that the target's table is not what the plan says.
func isStale(code string) bool {
	switch code {
	case "42P01", "42703", "42P10", "3F000": // undefined_table, undefined_column, no unique index for ON CONFLICT, invalid_schema_name
		return true
	}
	return code == "428C9" // generated_always
}

// isOutdated says that the target may have been altered since its plan was made: a value has no longer the column's type, or
// none that compares with it, or a foreign key points at the table that is to be truncated. Said of a new plan, the code means what it says.
func isOutdated(err error) bool {
	own, ok := errors.AsType[*sinks.Error](err)
	return ok && (own.Code == "42804" || own.Code == "42883" || own.Code == "0A000" || own.Code == codeAltered) // datatype_mismatch, undefined_function, feature_not_supported
}

// namesObjects says that a column's values are names that the target looks up: of its tables, functions, types, roles and the like.
func namesObjects(c *targetColumn) bool {
	switch strings.TrimSuffix(c.base, "[]") {
	case "regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regrole", "regnamespace", "regconfig", "regdictionary", "regcollation", "aclitem":
		return true
	}
	return false
}

// ofValue makes an error about an object that a value names, and that the target lacks, one of the row: the server has the same codes for a statement that
// names such an object, but then says where in the statement. Those of a trigger's statement say which.
func (c *call) ofValue(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Position != 0 || pg.InternalPosition != 0 || pg.InternalQuery != "" || pg.Where != "" && strings.Contains(pg.Where, "PL/") {
		return err
	}
	switch pg.Code {
	case "42P01", "42704", "42883", "3F000": // undefined_table, _object, _function, invalid_schema_name
	default:
		return err
	}
	for _, p := range c.plans {
		if p.named {
			return &sinks.Error{Class: sinks.Reject, Code: pg.Code, Err: err}
		}
	}
	return err
}

// isCollision says that a row of another key stands in the way.
func isCollision(err error) bool {
	own, ok := errors.AsType[*sinks.Error](err)
	return ok && (own.Code == "23505" || own.Code == "23P01") // unique, exclusion violation
}

// isDenied says that the server refuses the role: insufficient_privilege, invalid_catalog_name, invalid authorization.
func isDenied(code string) bool {
	return code == "42501" || code == "3D000" || strings.HasPrefix(code, "28")
}

// wrapped gives an error of the server its Class and its sentinel. It leaves what has one as it is.
func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*sinks.Error](err); ok {
		return &sinks.Error{Class: own.Class, Code: own.Code, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	class := classOf(pg.Code)
	if pg.Detail != "" && !showsRow(pg.Code) {
		err = fmt.Errorf("%w: %s", err, pg.Detail)
	}
	out := &sinks.Error{Class: class, Code: pg.Code, Err: fmt.Errorf("%s: %w", doing, err)}
	switch {
	case isDenied(pg.Code):
		out.Class = sinks.Fatal
		out.Err = fmt.Errorf("%w: %w", out.Err, change.ErrDenied)
	case class == sinks.Fatal:
		out.Err = fmt.Errorf("%w: %w", out.Err, change.ErrHalt)
	}
	return out
}

// showsRow says that the server's detail is the refused row with all its values, which no log and no list of parked changes may show.
func showsRow(code string) bool { return code == "23502" || code == "23514" } // not_null, check violation

// The words of upsert for what the sink itself finds; reject takes the SQLSTATE that the server would give.
var (
	reject         = upsert.Reject
	halt           = upsert.Halt
	preflightError = upsert.Preflight
	isRowError     = upsert.IsRowError
)

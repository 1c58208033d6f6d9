package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Numbers of errors that decide something here. Source: MySQL, "Server Error Message Reference"; MariaDB, "Error Codes".
const (
	codeDeadlock   = 1213
	codeCheckRead  = 1020 // MariaDB: the record has changed since it was read
	codeCollision  = 1690 // out of range: what guard makes of a row of another key in the way
	codeDuplicate  = 1062
	codeReferenced = 1451
	codeHidden     = 1217 // 1451 by a table that the account can't see
	codeNull       = "1048"
	codeRange      = "1264"
	codeTruncated  = "1265"
	codeIncorrect  = "1366"
	codeTooLong    = "1406"
	codeBadTime    = "1292"
	codePacket     = "1153"
)

// By number; what stands in none of these is told by its SQLSTATE.
var (
	retried = []uint16{
		codeDeadlock, codeCheckRead, 1205, // lock wait timeout
		1614, 3101, 1047, 1180, 1412, // XA deadlock; group replication and Galera: rolled back, not ready, error at commit; table definition changed
		1040, 1203, 1226, // too many connections
		1053, 1077, 1079, 1317, 1927, 4031, 1152, 1158, 1159, 1160, 1161, 1184, // shutdown, interrupted, killed, aborted
		3024, 1969, // a limit of time for statements
		1021, 1037, 1038, 1041, 1114, 1206, 1015, 1030, // disk, memory, table or lock table full, storage engine
		1290, 1836, 1792, // read only: a failover
	}
	waiting  = []uint16{codeDuplicate, 1586, 1761, 1762, codeReferenced, codeHidden, 1452, 1216, codeCollision}
	denied   = []uint16{1044, 1045, 1049, 1095, 1130, 1142, 1143, 1227, 1370, 1410, 1698, 1820, 1862, 3118, 3159, 4151}
	outdated = []uint16{1146, 1054, 1364, 3105, 1906} // no table, no column, no value for a column, a generated column, MariaDB's the same
	rejected = []uint16{
		1048, 1263, 1264, 1265, 1292, 1300, 1301, 1365, 1366, 1367, 1406, 1411, 1416, 1425, 1441, 1525, 1526, 1591, 1644, 1645, 1690, // data
		1118, 1153, 1534, 3819, 4025, 3140, 3141, 3146, 3156, 3157, 3158, 1873, 3037, 3055, 3064, 3516, 3617, 3669, 3732, 4078, // size, CHECK, JSON, geometry
	}
)

// Class tells what to do about an error of the server, by its number and SQLSTATE. An error that isn't the server's is Retry.
func Class(err error) sinks.Class {
	if own, ok := errors.AsType[*sinks.Error](err); ok {
		return own.Class
	}
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return classOf(server.Number, string(server.SQLState[:]))
	}
	return sinks.Retry
}

func classOf(number uint16, state string) sinks.Class {
	switch {
	case slices.Contains(waiting, number):
		return sinks.Wait
	case slices.Contains(retried, number), slices.Contains(outdated, number), number < 1000: // those are about the server's own files
		return sinks.Retry
	case slices.Contains(denied, number):
		return sinks.Fatal
	case slices.Contains(rejected, number):
		return sinks.Reject
	}
	if len(state) < 2 {
		return sinks.Fatal
	}
	switch state[:2] {
	case "08", "40", "70": // connection, rollback, interrupted
		return sinks.Retry
	case "22", "23", "44", "45": // data, integrity, check option, what triggers raise
		return sinks.Reject
	}
	return sinks.Fatal
}

// isStale says that the target's table is not what the plan says.
func isStale(code string) bool {
	n, err := strconv.ParseUint(code, 10, 16)
	return err == nil && slices.Contains(outdated, uint16(n))
}

// isServers says that the server itself refuses the error's row. Literals have no type: where a column was altered since the plan was made, the server
// blames the row.
func isServers(err error) bool {
	own, ok := errors.AsType[*sinks.Error](err)
	if !ok || own.Class != sinks.Reject {
		return false
	}
	_, ok = errors.AsType[*mysql.MySQLError](err)
	return ok
}

func isDeadlock(err error) bool {
	server, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (server.Number == codeDeadlock || server.Number == codeCheckRead)
}

// isReferenced says that rows of another table stand in the way of a delete.
func isReferenced(err error) bool {
	server, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (server.Number == codeReferenced || server.Number == codeHidden)
}

// wrapped gives an error of the server its Class and its sentinel. It leaves what has one as it is.
func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*sinks.Error](err); ok {
		return &sinks.Error{Class: own.Class, Code: own.Code, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	server, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	class := classOf(server.Number, string(server.SQLState[:]))
	out := &sinks.Error{Class: class, Code: strconv.Itoa(int(server.Number)), Err: fmt.Errorf("%s: %w", doing, err)}
	switch {
	case slices.Contains(denied, server.Number):
		out.Err = fmt.Errorf("%w: %w", out.Err, change.ErrDenied)
	case class == sinks.Fatal:
		out.Err = fmt.Errorf("%w: %w", out.Err, change.ErrHalt)
	}
	return out
}

// retryError is a state of the target that is another by now.
func retryError(format string, args ...any) error {
	return &sinks.Error{Class: sinks.Retry, Err: fmt.Errorf(format, args...)}
}

func fenced(m change.Mark) error {
	return fmt.Errorf("lane %s/%d has lost its mark: %w", m.Lane.Stream, m.Lane.N, change.ErrFenced)
}

var (
	reject         = upsert.Reject
	halt           = upsert.Halt
	preflightError = upsert.Preflight
)

// isTaken says that a unique value is another row's.
func isTaken(err error) bool {
	server, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && slices.Contains([]uint16{codeCollision, codeDuplicate, 1586, 1761, 1762}, server.Number)
}

// isCollision says that a row of another key stands in the way, as the guard of every insert finds.
func isCollision(err error) bool {
	server, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && server.Number == codeCollision
}

package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// The server's numbers of the errors that a cleanup meets.
const (
	lockWaitTimeout = 1205
	noSuchThread    = 1094
	cannotConvert   = 3854 // MySQL's list of sessions, while one runs a statement with a character of four bytes
)

// dropMySQL takes a database and its accounts away with the sessions that hold on to them. A client that reconnects takes its
// locks again, so it repeats until the drop has its way or ctx ends.
func dropMySQL(ctx context.Context, admin *sql.Conn, database string) error {
	if _, err := admin.ExecContext(ctx, "set lock_wait_timeout = 1"); err != nil {
		return fmt.Errorf("drop database %s: %w", database, err)
	}
	users, err := column(ctx, admin, "select user from mysql.user where user like ?", prefix(database+"_"))
	if err != nil {
		return fmt.Errorf("list the accounts of %s: %w", database, err)
	}
	for _, user := range users {
		if _, err := admin.ExecContext(ctx, "drop user if exists '"+user+"'@'%'"); err != nil {
			return fmt.Errorf("drop user %s: %w", user, err)
		}
	}
	for {
		if err := endSessions(ctx, admin, database); err != nil {
			return err
		}
		_, err := admin.ExecContext(ctx, "drop database if exists "+database)
		switch {
		case err == nil:
			return nil
		case number(err) != lockWaitTimeout || ctx.Err() != nil:
			return fmt.Errorf("drop database %s: %w", database, err)
		}
	}
}

// endSessions kills the sessions in the database and of its accounts; one that reads the binlog is in no database.
func endSessions(ctx context.Context, admin *sql.Conn, database string) error {
	const of = "select id from information_schema.processlist where id <> connection_id() and (db = ? or user like ?)"
	ids, err := column(ctx, admin, of, database, prefix(database+"_"))
	for number(err) == cannotConvert && ctx.Err() == nil {
		ids, err = column(ctx, admin, of, database, prefix(database+"_"))
	}
	if err != nil {
		return fmt.Errorf("list the sessions of %s: %w", database, err)
	}
	for _, id := range ids {
		if _, err := admin.ExecContext(ctx, "kill "+id); err != nil && number(err) != noSuchThread {
			return fmt.Errorf("end a session of %s: %w", database, err)
		}
	}
	return nil
}

// dropMySQLOrphans drops the databases of processes of this machine that are gone.
func dropMySQLOrphans(ctx context.Context, admin *sql.Conn) error {
	here, err := where()
	if err != nil {
		return err
	}
	var mine sql.NullInt64
	if err := admin.QueryRowContext(ctx, "select get_lock('tailwater_sweep', 0)").Scan(&mine); err != nil {
		return fmt.Errorf("lock the list of databases: %w", err)
	}
	if mine.Int64 != 1 {
		return nil // another does it, so we needn't
	}
	// The lock ends with this session.
	names, err := column(ctx, admin, "select schema_name from information_schema.schemata where schema_name like ?", prefix("tw_"+here+"_"))
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	for _, name := range names {
		if !orphan(name) {
			continue
		}
		if err := dropMySQL(ctx, admin, name); err != nil {
			return fmt.Errorf("of a test that died: %w", err)
		}
	}
	return nil
}

func column(ctx context.Context, conn *sql.Conn, query string, args ...any) ([]string, error) {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// prefix is a LIKE pattern of what begins with s.
func prefix(s string) string { return strings.ReplaceAll(s, "_", `\_`) + "%" }

func number(err error) uint16 {
	var answer *mysql.MySQLError
	if errors.As(err, &answer) {
		return answer.Number
	}
	return 0
}

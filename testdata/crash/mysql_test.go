package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// mysql is a database of MySQL or MariaDB. The suite's rigs share its binlog.
type mysql struct{ *testenv.My }

func (m *mysql) name() string { return m.Database }

func (m *mysql) seed(rows int) {
	for _, sql := range []string{
		"create table acct (id bigint primary key, ver bigint not null, owner varchar(100) not null, note text)",
		"create table doc (k varchar(40), part int, ver bigint not null, body text, primary key (k, part))",
		"create table hist (what varchar(40) not null, n bigint not null)",
		"create table seq (worker int primary key, n bigint not null)",
	} {
		m.Exec(sql)
	}
	m.fill("acct", rows, func(n int) string { return fmt.Sprintf("(%d, 0, 'seed %d', repeat('x', 40))", n, n) })
	m.fill("doc", rows/20, func(n int) string { return fmt.Sprintf("('d%d', %d, 0, repeat(sha2(%d, 256), 60))", n, n%3, n) })
	m.fill("hist", rows/10, func(n int) string { return fmt.Sprintf("('seed', %d)", n/2) })
	m.fill("seq", workers, func(n int) string { return fmt.Sprintf("(%d, 0)", n) })
}

// fill inserts rows 1 to n in one statement.
func (m *mysql) fill(table string, n int, row func(n int) string) {
	values := make([]string, n)
	for i := range values {
		values[i] = row(i + 1)
	}
	m.Exec("insert into " + table + " values " + strings.Join(values, ", "))
}

func (m *mysql) upsert(table, values, _, set string) string {
	return fmt.Sprintf("insert into %s values (%s) on duplicate key update %s;", table, values, set)
}

func (m *mysql) engine() string {
	if m.MariaDB {
		return "mariadb"
	}
	return "mysql"
}

func (m *mysql) source() string {
	return fmt.Sprintf(`type: %s
      url: "mysql://root@%s/"
      tls: { mode: disable }
      tables: { include: ["%s.*"] }`, m.engine(), m.Addr, m.Database)
}

func (m *mysql) sink() string {
	return fmt.Sprintf(`type: %s, url: "mysql://root@%s/%s", tls: { mode: disable }`, m.engine(), m.Addr, m.Database)
}

func (m *mysql) schema() string { return m.Database }

func (m *mysql) has(table string) bool {
	return m.Value(fmt.Sprintf("select count(*) from information_schema.tables where table_schema = '%s' and table_name = '%s'", m.Database, table)) == "1"
}

func (m *mysql) released() (uint64, bool) { return 0, false }

// address is that of the group after which the Record resumes: number of the file<<40 | offset of its first event.
func (m *mysql) address(rec checkpoint.Record) (uint64, error) { return rec.Upto.Commit, nil }

func (m *mysql) session(ctx context.Context) (session, error) {
	db, err := sql.Open("mysql", m.DSN)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	// A worker's keys are its own; READ COMMITTED keeps it from locking the gaps beside them.
	_, err = db.ExecContext(ctx, "set session transaction isolation level read committed")
	return &mySession{db: db, end: m.logEnd()}, err
}

// logEnd is the statement that tells where the log ends.
func (m *mysql) logEnd() string {
	if m.MariaDB {
		return "show binlog status"
	}
	return "show binary log status"
}

type mySession struct {
	db  *sql.DB
	end string
}

// undone are the errors of a transaction that the server ended for another's sake.
var undone = []uint16{1205, 1213}

func (s *mySession) run(ctx context.Context, text string) (uint64, bool, error) {
	if _, err := s.db.ExecContext(ctx, text); err != nil {
		for _, number := range undone {
			if e, ok := errors.AsType[*driver.MySQLError](err); ok && e.Number == number {
				_, err := s.db.ExecContext(ctx, "rollback")
				return 0, false, err
			}
		}
		return 0, false, err
	}
	at, err := s.address(ctx)
	return at, true, err
}

// address is the log's end now, which is above the start of every group that has been committed.
func (s *mySession) address(ctx context.Context) (uint64, error) {
	rows, err := s.db.QueryContext(ctx, s.end)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		return 0, errors.Join(err, rows.Err(), errors.New("the server has no binlog"))
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(sql.RawBytes)
	}
	if err := rows.Scan(values...); err != nil {
		return 0, err
	}
	file, offset := string(*values[0].(*sql.RawBytes)), string(*values[1].(*sql.RawBytes))
	number, err1 := strconv.ParseUint(file[strings.LastIndexByte(file, '.')+1:], 10, 24)
	at, err2 := strconv.ParseUint(offset, 10, 40)
	return number<<40 | at, errors.Join(err1, err2)
}

func (s *mySession) close() { s.db.Close() }

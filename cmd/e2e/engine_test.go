package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// engine is a database at one end of a pipeline.
type engine interface {
	Do(ctx context.Context, sql string, args ...any) error
	Exec(sql string, args ...any)
	Value(sql string) string
	Query(sql string) [][]string
	Of(sql string) testenv.Side
	// name is the database's, unique on its server.
	name() string
	// schema is what stands in front of a table's name in the config and in a topic's name.
	schema() string
	// urls are the addresses of the database as a source and as a target.
	urls() (source, target string)
	// source and sink are the config's keys of an end; a source's slot and publication, if it has such, are called slot.
	source(url, slot string) string
	sink(url string) string
	has(table string) bool
	// tables are those of the database, tailwater's own too.
	tables() []string
	// columns is the list of a table's columns, as SQL, without those that a sink adds.
	columns(table string) string
	// texts is a query of a table's rows as one text each, in order and without what only says when.
	texts(table string) string
	// digest is a query of one text for all rows of a table, the same on every engine for columns of numbers and texts.
	digest(table string) string
	// empty drops everything in the database.
	empty()
	// insertAll is INSERT INTO that takes numbers that the table would give itself.
	insertAll(table, query string) string
	// refused is the code of a row that a CHECK refuses.
	refused() string
}

// newEngine makes a fresh database of a shared server by its name in testdata/servers.
func newEngine(t *testing.T, name string) engine {
	t.Helper()
	if name == "pg15" {
		return &postgres{testenv.Postgres(t, 15)}
	}
	return &mysql{My: testenv.MySQL(t, name)}
}

// postgres is a database of PostgreSQL.
type postgres struct{ *testenv.PG }

func (p *postgres) name() string { return p.Database }

func (p *postgres) schema() string { return "public" }

func (p *postgres) urls() (source, target string) { return p.URL, p.URL }

func (p *postgres) source(url, slot string) string {
	return fmt.Sprintf("type: postgres\n      url: %q\n      slot: { name: %s, create: true }\n      publication: { name: %s, create: true }", url, slot, slot)
}

func (p *postgres) sink(url string) string { return fmt.Sprintf("type: postgres, url: %q", url) }

func (p *postgres) has(table string) bool {
	return p.Value("select to_regclass('"+table+"') is not null") == "t"
}

func (p *postgres) tables() []string {
	return first(p.Query("select tablename from pg_tables where schemaname = 'public'"))
}

func (p *postgres) columns(table string) string {
	return p.Value(fmt.Sprintf("select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = '%s'::regclass and attnum > 0 and not attisdropped and attname not like '\\_tailwater%%'", table))
}

func (p *postgres) texts(table string) string {
	return "select (to_jsonb(t) - 'updated' - 'parked_at')::text from " + table + " t order by 1"
}

func (p *postgres) digest(table string) string {
	return fmt.Sprintf("select count(*) || ' ' || coalesce(sum(('x' || left(encode(sha256(convert_to(concat_ws('|', %s), 'UTF8')), 'hex'), 8))::bit(32)::bigint), 0) from %s", p.columns(table), table)
}

func (p *postgres) empty() { p.Exec("drop schema public cascade; create schema public") }

func (p *postgres) insertAll(table, query string) string {
	return "insert into " + table + " overriding system value " + query
}

func (p *postgres) refused() string { return "23514" }

// mysql is a database of MySQL or MariaDB. On a shared server all tests share its binlog.
type mysql struct {
	*testenv.My
	flavor string // what the config calls it; "": what it is
}

func (m *mysql) name() string { return m.Database }

func (m *mysql) schema() string { return m.Database }

func (m *mysql) urls() (source, target string) {
	server := "mysql://root@" + m.Addr + "/"
	return server, server + m.Database
}

func (m *mysql) kind() string {
	switch {
	case m.flavor != "":
		return m.flavor
	case m.MariaDB:
		return "mariadb"
	}
	return "mysql"
}

func (m *mysql) source(url, _ string) string {
	return fmt.Sprintf("type: %s\n      url: %q\n      tls: { mode: disable }", m.kind(), url)
}

func (m *mysql) sink(url string) string {
	return fmt.Sprintf("type: %s, url: %q, tls: { mode: disable }", m.kind(), url)
}

func (m *mysql) has(table string) bool {
	return m.Value(fmt.Sprintf("select count(*) from information_schema.tables where table_schema = '%s' and table_name = '%s'", m.Database, table)) == "1"
}

func (m *mysql) tables() []string {
	return first(m.Query("select table_name from information_schema.tables where table_schema = '" + m.Database + "'"))
}

func (m *mysql) columnsOf(table, but string) string {
	names := first(m.Query(fmt.Sprintf("select concat('`', column_name, '`') from information_schema.columns where table_schema = '%s' and table_name = '%s' "+
		"and column_name not in ('%s') and column_name not like '\\_tailwater%%' order by ordinal_position", m.Database, table, but)))
	return strings.Join(names, ", ")
}

func (m *mysql) columns(table string) string { return m.columnsOf(table, "") }

func (m *mysql) texts(table string) string {
	columns := strings.Split(m.columnsOf(table, "updated', 'parked_at', 'seen"), ", ")
	return "select concat_ws(', ', quote(" + strings.Join(columns, "), quote(") + ")) from " + table + " order by 1"
}

func (m *mysql) digest(table string) string {
	return fmt.Sprintf("select concat(count(*), ' ', coalesce(sum(cast(conv(left(sha2(concat_ws('|', %s), 256), 8), 16, 10) as unsigned)), 0)) from %s", m.columns(table), table)
}

func (m *mysql) empty() {
	m.Exec(fmt.Sprintf("drop database %[1]s; create database %[1]s; use %[1]s", m.Database))
}

func (m *mysql) insertAll(table, query string) string { return "insert into " + table + " " + query }

func (m *mysql) refused() string {
	if m.MariaDB {
		return "4025"
	}
	return "3819"
}

func first(rows [][]string) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row[0]
	}
	return out
}

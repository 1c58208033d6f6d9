package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// statementCases are sessions without row events. halts: they may have changed the captured tables test.a and test.b.
var statementCases = []struct {
	name, sql           string
	mysql, halts, maria bool // halts on MySQL; on both; on MariaDB
}{
	{name: "a captured table", sql: "insert into test.a values (1)", halts: true},
	{name: "another table of its database, which may have triggers", sql: "insert into test.other values (1)", halts: true},
	{name: "another database", sql: "use elsewhere; insert into t values (1); update t set id = 2; replace t values (2); delete from t; use test"},
	{name: "another database by name", sql: "use elsewhere; insert into `elsewhere`.t select 5; use test"},
	{name: "another database by name, beside ours", sql: "insert into elsewhere.t values (3)", maria: true},
	{name: "a captured table from another database", sql: "use elsewhere; insert into `test` . a values (7); use test", halts: true},
	{name: "a join", sql: "use elsewhere; update t, test.b set b.id = 9; use test", halts: true},
	{name: "a trigger there that writes here", sql: "use elsewhere; insert into fires values (1); use test", mysql: true},
	{name: "a view there of a table here", sql: "use elsewhere; insert into v values (30); use test", mysql: true},
	{name: "a file", sql: "use elsewhere; load data infile './test/rows.txt' into table t; use test"},
	{name: "a file for a captured table", sql: "load data infile './test/rows.txt' into table a", halts: true},
	{name: "a table that is filled as it is made", sql: "create table made as select 1 as id", halts: true},
	{name: "a table elsewhere that is filled as it is made", sql: "use elsewhere; create table made as select 1 as id; use test"},
}

// TestStatementFormat: a statement in place of rows halts where it may concern a captured table, and only there. The servers are the test's
// own, for the log is one for all databases.
func TestStatementFormat(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"secure-file-priv="}})
			server.Exec("create table a (id int primary key); create table b (id int primary key); create table other (id int)")
			server.Exec("create database elsewhere; use elsewhere; create table t (id int primary key); create table fires (id int); " +
				"create view v as select * from test.a; create trigger f after insert on fires for each row insert into test.b values (new.id)")
			server.Exec("use test; select 41 into outfile 'rows.txt'")
			for _, c := range statementCases {
				t.Run(c.name, func(t *testing.T) {
					config := configAs(t, server.My, "root", "")
					config.Include, config.Exclude = []string{"test.*"}, []string{"test.other"}
					s := startTail(t, server.My, config)
					defer s.source.Close()
					server.Exec("set session binlog_format = statement; set timestamp = default")
					server.Exec(c.sql)
					server.Exec("set session binlog_format = row; delete from test.a")
					server.Exec("insert into test.a values (100)")
					if c.halts || c.mysql && !server.MariaDB || c.maria && server.MariaDB {
						s.halts(change.ErrHalt, "binlog_format")
						return
					}
					got, err := s.lines()
					if err != nil || len(got) == 0 || got[len(got)-1] != "insert a + 100" {
						t.Errorf("%q, %v", got, err)
					}
				})
			}
		})
	}
}

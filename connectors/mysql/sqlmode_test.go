package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSQLModes: where text ends is up to the session that ran the statement.
func TestSQLModes(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key)")
		s := startTail(t, my, config(t, my))
		my.Exec(`set sql_mode = 'NO_BACKSLASH_ESCAPES'`)
		my.Exec(`alter table a add column v varchar(20) default '\'`)
		my.Exec(`insert into a (id) values (1)`)
		my.Exec(`alter table a alter column v set default '\', rename to b`)
		my.Exec(`truncate table b`)
		my.Exec(`set sql_mode = 'ANSI_QUOTES'`)
		my.Exec(`create table "q\" (id int primary key comment 'it\'s')`)
		my.Exec(`insert into "q\" values (1); truncate table "q\"`)
		my.Exec("set sql_mode = ''")
		my.Exec("alter table `q\\` comment \"it's \\\" rename to z\"; insert into `q\\` values (2)")
		s.want("new_shape a", `insert a + 1 "\\"`, "truncate a", "new_shape b", "truncate b", `new_shape q\`, `insert q\ + 1`, `truncate q\`, `insert q\ + 2`)
	})
}

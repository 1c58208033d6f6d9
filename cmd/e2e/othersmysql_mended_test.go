package e2e

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestOthersDropDatabase: the log has one statement for all tables of a database; none of their rows stays.
func TestOthersDropDatabase(t *testing.T) {
	t.Parallel()
	for _, ends := range othersEnds {
		for _, when := range []string{"running", "behind"} {
			t.Run(ends[0]+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := othersRig(t, ends[0], ends[1])
				r.others(t, when, []othersCase{{"Canal: DROP DATABASE, and one of its name", "", "create table a (id int primary key, v int); insert into a values (1, 1); create table k (v int); insert into k values (1), (1)",
					"drop database {db}; create database {db}; use {db}; create table a (id int primary key, v int); insert into a values (2, 2); create table k (v int); insert into k values (5); create table the_last (id int primary key)"}})
			})
		}
	}
}

// TestOthersSelectLimit: a server's sql_select_limit cuts neither its list of tables nor their rows, and its limit of a statement's time, which is none that a
// query of the catalogue keeps, ends none.
func TestOthersSelectLimit(t *testing.T) {
	t.Parallel()
	for _, ends := range othersEnds {
		t.Run(ends[0], func(t *testing.T) {
			t.Parallel()
			source, target := testenv.StartMySQL(t, ends[0], testenv.Options{}), testenv.StartMySQL(t, ends[1], testenv.Options{})
			r := rigBetween(t, "direct", &mysql{My: source.My}, &mysql{My: target.My})
			source.Exec("create table k (a int, b varchar(10)); insert into k with recursive n as (select 1 i union all select i + 1 from n where i < 300) select i, 'b' from n")
			for i := range 60 {
				source.Exec(fmt.Sprintf("create table t%[1]d (id int primary key); insert into t%[1]d values (1), (2)", i))
			}
			for _, m := range []*testenv.My{source.My, target.My} {
				m.Exec("set global sql_select_limit = 2; set session sql_select_limit = 18446744073709551615")
			}
			time := "set global max_execution_time = 1; set session max_execution_time = 0"
			if source.MariaDB {
				time = "set global max_statement_time = 0.005; set session max_statement_time = 0"
			}
			source.Exec(time)
			r.once()
			r.othersEqual(t)
		})
	}
}

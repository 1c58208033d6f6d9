package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestOthersMadeTargets: tables that are at the target already, with what only the source's would need: numbers that it gives, columns that it
// computes, unique indexes, foreign keys, clocks, other letters and another order.
func TestOthersMadeTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, on, table, before, after string }{
		{"DM: AUTO_INCREMENT and a nought", "", "create table m1 (id int auto_increment primary key, v int)",
			"set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; insert into m1 values (0, 1), (7, 7)", "update m1 set v = 2 where id = 0; insert into m1 (v) values (3); update m1 set id = 20 where id = 7"},
		{"Vitess: generated columns and expressions", "", "create table m2 (id int primary key, a int, b int as (a * 2) virtual, c int as (a + 1) stored, unique (c))",
			"insert into m2 (id, a) values (1, 1)", "insert into m2 (id, a) values (2, 2); update m2 set a = 9 where id = 1; delete from m2 where id = 2"},
		{"Vitess: a clock that an UPDATE moves", "", "create table m3 (id int primary key, v int, t timestamp default current_timestamp on update current_timestamp, d datetime(3) default now(3) on update now(3))",
			"insert into m3 values (1, 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00.123')", "update m3 set v = 2, t = '2020-02-02 00:00:00', d = '2020-02-02 00:00:00.001'; insert into m3 (id) values (2)"},
		{"DM: a unique value that goes from one row to another", "", "create table m4 (id int primary key, u int, v int, unique (u))",
			"insert into m4 values (1, 1, 1), (2, 2, 2), (3, 3, 3)", "begin; delete from m4 where id = 2; insert into m4 values (5, 2, 5); commit; begin; update m4 set u = null where id = 1; update m4 set u = 1 where id = 3; update m4 set u = 3 where id = 1; commit; replace into m4 values (9, 2, 9); update m4 set id = 30 where id = 3; insert into m4 values (40, 1, 0) on duplicate key update v = v + 100"},
		{"DM: foreign keys", "", "create table m5 (id int primary key); create table m5c (id int primary key, up int, foreign key (up) references m5 (id))",
			"insert into m5 values (1), (2); insert into m5c values (1, 1)", "begin; insert into m5 values (3); insert into m5c values (2, 3), (3, 2); update m5c set up = 2 where id = 1; delete from m5 where id = 1; commit; begin; delete from m5c; delete from m5; commit; begin; insert into m5 values (8); insert into m5c values (8, 8); commit"},
		{"Airbyte: CHECK, NOT NULL with and without a DEFAULT, unsigned, an ENUM", "", "create table m6 (id int unsigned primary key, a int not null check (a > 0), b varchar(10) not null default 'x', e enum('p', 'q') not null)",
			"insert into m6 values (1, 1, 'a', 'q')", "insert into m6 (id, a, e) values (4294967295, 2, 'p'); update m6 set a = 3; update m6 set e = 'q', b = '' where id > 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ends := range othersEnds {
				t.Run(ends[0], func(t *testing.T) {
					t.Parallel()
					r := othersRig(t, ends[0], ends[1])
					r.source.Exec(c.table)
					r.target.Exec(c.table)
					othersSQL(r, c.before)
					r.once()
					r.othersEqual(t)
					othersSQL(r, c.after)
					r.once()
					r.othersEqual(t)
				})
			}
		})
	}
}

// TestOthersDatabaseNames: databases whose names somebody has to quote, Debezium's special_characters_test among them.
func TestOthersDatabaseNames(t *testing.T) {
	t.Parallel()
	for _, ends := range othersEnds {
		t.Run(ends[0], func(t *testing.T) {
			t.Parallel()
			r := rigBetween(t, "direct", newEngine(t, ends[0]), newEngine(t, ends[1]))
			r.config.include = nil
			m := r.source.(*mysql)
			var tables []string
			for i, name := range []string{"special_\"[`]$'_", "a-b c,", "日本é%", "SELECT", "dot.ted", `back\slash`} {
				db := name + m.Database[len(m.Database)-8:]
				quoted := "`" + strings.ReplaceAll(db, "`", "``") + "`"
				m.Exec("create database " + quoted)
				t.Cleanup(func() { m.Exec("drop database " + quoted) })
				tables = append(tables, fmt.Sprintf("%s.t%d", quoted, i))
				m.Exec(fmt.Sprintf("create table %[1]s (id int primary key, v varchar(10)); insert into %[1]s values (1, 'a'), (2, 'b')", tables[i]))
				r.config.include = append(r.config.include, strings.NewReplacer(`[`, `\[`, `]`, `\]`, `\`, `\\`, `.`, `?`).Replace(db)+".*")
			}
			r.once()
			for _, table := range tables {
				m.Exec(fmt.Sprintf("truncate table %[1]s; insert into %[1]s values (3, 'c'), (4, 'd'); alter table %[1]s add w int; update %[1]s set w = 1 where id = 3; delete from %[1]s where id = 4", table))
			}
			r.once()
			for i, table := range tables {
				if want, have := m.Query("select id, v, w from "+table), r.target.Query(fmt.Sprintf("select id, v, w from t%d", i)); fmt.Sprint(have) != fmt.Sprint(want) {
					t.Errorf("%s is %v at the target, want %v", table, have, want)
				}
			}
		})
	}
}

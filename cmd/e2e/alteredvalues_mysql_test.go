package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// alteredCase is DDL that changes values of rows that are there, of which the log has no row. {t} stands for its table.
type alteredCase struct {
	name          string
	on            string // "mysql", "mariadb" or both
	before, after string
	columns       string // that both ends are compared by
}

// lax is a session in which a value that doesn't fit becomes another one.
const lax = "set sql_mode = ''; "

// alteredCases change values that a target can follow without a change of its own but new columns.
var alteredCases = []alteredCase{
	{"NULL becomes 0 and an empty text", "", "create table {t} (id int primary key, n int, v varchar(10)); insert into {t} values (1, null, null), (2, 5, 'x')",
		lax + "alter table {t} modify n int not null, modify v varchar(10) not null", "id, n, v"},
	{"a text is cut off", "", "create table {t} (id int primary key, v varchar(10)); insert into {t} values (1, 'abcdefghij'), (2, 'abc')",
		lax + "alter table {t} modify v varchar(5)", "id, v"},
	{"a character set lacks a character", "", "create table {t} (id int primary key, v varchar(10) character set utf8mb4); insert into {t} values (1, 'né'), (2, '日本')",
		lax + "alter table {t} convert to character set latin1", "id, v"},
	{"a time is rounded", "", "create table {t} (id int primary key, d datetime(6)); insert into {t} values (1, '2020-01-01 00:00:00.7'), (2, '2020-01-01 00:00:00')",
		"alter table {t} modify d datetime", "id, cast(d as datetime(6))"},
	{"a number is rounded", "", "create table {t} (id int primary key, f decimal(12, 3)); insert into {t} values (1, 1.239), (2, 2)",
		"alter table {t} modify f decimal(10, 2)", "id, cast(f as decimal(12, 4))"},
	{"a text becomes a number", "", "create table {t} (id int primary key, v varchar(10)); insert into {t} values (1, '007'), (2, '1e2'), (3, '12x')",
		lax + "alter table {t} modify v int", "id, cast(v as char)"},
	{"a number is as large as fits", "", "create table {t} (id int primary key, n int); insert into {t} values (1, 70000), (2, -70000), (3, 5)",
		lax + "alter table {t} modify n smallint unsigned", "id, cast(n as char)"},
	{"a set in another order", "", "create table {t} (id int primary key, s set('a', 'b', 'c')); insert into {t} values (1, 'a,c'), (2, 'b')",
		"alter table {t} modify s set('c', 'b', 'a')", "id, cast(s as char)"},
	{"blanks at the end", "", "create table {t} (id int primary key, v varchar(10)); insert into {t} values (1, 'a  '), (2, 'b')",
		"alter table {t} modify v char(10)", "id, hex(v)"},
	{"a default in a new column", "", "create table {t} (id int primary key); insert into {t} values (1), (2)",
		"alter table {t} add v varchar(10) default 'x', add n int default -5, add d decimal(6, 2) default 1.5, add t datetime default '2020-02-03 04:05:06'", "id, v, n, d, t"},
	{"a NOT NULL column with a constant, and with the type's own", "", "create table {t} (id int primary key); insert into {t} values (1), (2)",
		"alter table {t} add v varchar(10) not null default 'x', add n int not null, add e enum('a', 'b') not null", "id, v, n, e"},
	{"a NOT NULL clock", "", "create table {t} (id int primary key); insert into {t} values (1), (2)",
		"alter table {t} add t datetime not null default current_timestamp", "id, t"},
	{"a clock in a new column", "", "create table {t} (id int primary key); insert into {t} values (1), (2)",
		"alter table {t} add t datetime(6) default current_timestamp(6)", "id, t"},
	{"a value of its own in a new column", "mariadb", "create table {t} (id int primary key); insert into {t} values (1), (2)",
		"alter table {t} add u char(36) default (uuid())", "id, u"},
	{"a new column that is computed", "mysql", "create table {t} (id int primary key, n int); insert into {t} values (1, 5), (2, null)",
		"alter table {t} add g int as (n + 1) virtual, add h int as (n * 2) stored", "id, n, g, h"},
	{"a column that is computed otherwise", "mysql", "create table {t} (id int primary key, n int, g int as (n + 1) stored); insert into {t} (id, n) values (1, 5), (2, null)",
		"alter table {t} modify g int as (n + 2) stored", "id, n, g"},
	{"a column that is computed no more", "mysql", "create table {t} (id int primary key, n int, g int as (n + 1) stored); insert into {t} (id, n) values (1, 5), (2, null)",
		"alter table {t} modify g int", "id, n, g"},
	{"AUTO_INCREMENT on a key of 0", "", "create table {t} (id int primary key, n int); insert into {t} values (0, 1), (7, 2)",
		"alter table {t} modify id int not null auto_increment", "id, n"},
	{"a key that becomes another", "", "create table {t} (id varchar(10) primary key, n int); insert into {t} values ('007', 1), ('8', 2)",
		"alter table {t} modify id int", "cast(id as char), n"},
	{"a column made again in one statement", "", "create table {t} (id int primary key, n int); insert into {t} values (1, 5), (2, 6)",
		"alter table {t} drop column n, add column n int default 9", "id, n"},
	{"rows without a key", "", "create table {t} (n int, v varchar(10)); insert into {t} values (null, 'a'), (null, 'a'), (1, 'b')",
		lax + "alter table {t} modify n int not null", "n, v"},
}

// TestAlteredValues: rows that nobody touches are the same at both ends behind DDL that changes what they hold, whether the program runs or comes later.
func TestAlteredValues(t *testing.T) {
	t.Parallel()
	for _, ends := range [][2]string{{"mysql97", "mariadb118"}, {"mariadb118", "mysql97"}} {
		for _, way := range []string{"direct running", "direct behind", "kafka running"} {
			if ends[0] == "mariadb118" && way == "kafka running" {
				continue
			}
			t.Run(ends[0]+" "+way, func(t *testing.T) {
				t.Parallel()
				var stream, when string
				if _, err := fmt.Sscan(way, &stream, &when); err != nil {
					t.Fatal(err)
				}
				r := rigBetween(t, stream, newEngine(t, ends[0]), newEngine(t, ends[1]))
				r.config.inSink = ", on_schema_change: { drop: apply, narrow: ignore }"
				r.altered(t, when == "running", alteredCases)
			})
		}
	}
}

// altered runs cases one after the other, each with a table of its own, and compares both ends at the end.
func (r *rig) altered(t *testing.T, running bool, cases []alteredCase) {
	t.Helper()
	m := r.source.(*mysql)
	each := func(f func(table string, c alteredCase)) {
		for i, c := range cases {
			if c.on == "" || c.on == m.kind() {
				f(fmt.Sprintf("t%02d", i), c)
			}
		}
	}
	m.Exec("create table the_last (id int primary key auto_increment)")
	each(func(table string, c alteredCase) { othersSQL(r, alteredSQL(c.before, table)) })
	r.once()
	var p *process
	if running {
		p = r.start("run")
	}
	each(func(table string, c alteredCase) { othersSQL(r, alteredSQL(c.after, table)) })
	m.Exec("insert into the_last values ()")
	if p != nil {
		r.arrives(p, "select count(*) from the_last", "1")
		p.stop()
	}
	r.once()
	each(func(table string, c alteredCase) {
		query := "select " + c.columns + " from " + table
		if !testenv.Compare(t, r.source.Of(query), r.target.Of(query)) {
			t.Errorf("%s (%s): %s", c.name, table, c.after)
		}
	})
}

func alteredSQL(sql, table string) string { return strings.ReplaceAll(sql, "{t}", table) }

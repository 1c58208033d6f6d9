package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sinkParked are rows that the target refuses one by one: the others go on, and when the target is mended a snapshot of the table brings them.
var sinkParked = []struct {
	pgCase
	parked string // table and code of each change that is kept, in order
	fix    string
}{
	{pgCase{name: "SeaTunnel: a number that is too large", before: "create table p1 (id int primary key, v int); insert into p1 values (1, 1)",
		ready: "create table p1 (id int primary key, v smallint)", after: "insert into p1 values (2, 40000), (3, 3);; update p1 set v = v + 1 where id < 3"},
		"p1 22003, p1 ", "alter table p1 alter v type int"},
	{pgCase{name: "kafka-connect-jdbc: a key that is too large", before: "create table p2 (id int primary key, v int); insert into p2 values (1, 1)",
		ready: "create table p2 (id smallint primary key, v int)", after: "insert into p2 values (40000, 2), (3, 3)"},
		"p2 22003", "alter table p2 alter id type int"},
	{pgCase{name: "Debezium JdbcSinkColumnTypeMapping: a text that is too long, one whose blanks would go", before: "create table p3 (id int primary key, v text); insert into p3 values (1, 'abc')",
		ready: "create table p3 (id int primary key, v varchar(3))", after: "insert into p3 values (2, 'abcd'), (3, 'ab '), (4, 'abc ')"},
		"p3 22001, p3 22001", "alter table p3 alter v type text"},
	{pgCase{name: "pg_partman: a row for which there is no partition, and one that would move to none", before: "create table p4 (id int primary key, v text); insert into p4 values (1, 'a'), (2, 'b')",
		ready: "create table p4 (id int primary key, v text) partition by range (id); create table p4a partition of p4 for values from (0) to (10)", after: "insert into p4 values (50, 'x'), (3, 'c');; update p4 set id = 60 where id = 2"},
		"p4 23514, p4 23514", "create table p4b partition of p4 default"},
	{pgCase{name: "pglogical: triggers that raise, and that skip", before: "create table p5 (id int primary key, v text); insert into p5 values (1, 'a'), (2, 'b')",
		ready: "create table p5 (id int primary key, v text); create function p5_f() returns trigger language plpgsql as $$ begin if new.v = 'raise' then raise exception 'not this one'; end if; if new.v = 'skip' then return null; end if; return new; end $$; create trigger t before insert or update on p5 for each row execute function p5_f()",
		after: "insert into p5 values (3, 'skip'), (4, 'd');; update p5 set v = 'raise' where id = 1"},
		"p5 P0001, p5 row_skipped", "drop trigger t on p5"},
	{pgCase{name: "JDBC sink: NULL where the target has none", before: "create table p6 (id int primary key, v text); insert into p6 values (1, 'a')",
		ready: "create table p6 (id int primary key, v text not null default 'd')", after: "insert into p6 values (2, null), (3, 'c');; update p6 set v = null where id = 1"},
		"p6 23502, p6 23502", "alter table p6 alter v drop not null"},
	{pgCase{name: "PeerDB Test_Enums: a label and a domain that the target doesn't know", before: "create table p7 (id int primary key, e text, d int); insert into p7 values (1, 'x', 1)",
		ready: "create type p7_e as enum ('x', 'y'); create domain p7_d as int check (value > 0); create table p7 (id int primary key, e p7_e, d p7_d)", after: "insert into p7 values (2, 'z', 1), (3, 'y', 0), (4, 'y', 1)"},
		"p7 22P02, p7 23514", "alter table p7 alter e type text, alter d type int"},
	{pgCase{name: "pglogical conflict_secondary_unique: a value that a row of the target's own has", before: "create table p8 (id int primary key, u int, r int4range); insert into p8 values (1, 1, '[1,2)')",
		ready: "create table p8 (id int primary key, u int unique, r int4range, exclude using gist (r with &&)); insert into p8 values (-1, 100, '[100,200)')", after: "insert into p8 values (2, 100, null), (3, 3, '[150,151)'), (4, 4, null)"},
		"p8 23505, p8 23P01", "delete from p8 where id = -1"},
	{pgCase{name: "Debezium DBZ-842, PostgreSQL 035_conflicts: a row that is gone, whose change has not all columns", before: "create table p9 (id int primary key, v text, t text); alter table p9 alter t set storage external; insert into p9 values (1, 'a', repeat('t', 9000)), (2, 'b', repeat('t', 9000)), (3, 'c', 'short')",
		ready: "create table p9 (id int primary key, v text, t text); create function p9_f() returns trigger language plpgsql as $$ begin if new.id <> 2 then return new; end if; delete from p9 where id < 4; return new; end $$; create trigger t after insert on p9 for each row execute function p9_f()", after: "update p9 set v = 'x'"},
		"p9 row_missing, p9 row_missing", "drop trigger t on p9"},
	{pgCase{name: "PostgreSQL regproc.sql: names of objects that the target lacks", before: "create table p10 (id int primary key, r regclass, t regtype, f regproc, n regnamespace); insert into p10 values (1, 'pg_class', 'int', 'now', 'public')",
		after: "create sequence p10_s; create type p10_t as enum ('a'); create function p10_f() returns int language sql as 'select 1'; create schema p10_n;; insert into p10 values (2, 'p10_s', null, null, null), (3, null, 'p10_t', null, null), (4, null, null, 'p10_f', null), (5, null, null, null, 'p10_n'), (6, 'pg_type', 'text', 'now', 'pg_catalog')"},
		"p10 42P01, p10 42704, p10 42883, p10 3F000", "create sequence p10_s; create type p10_t as enum ('a'); create function p10_f() returns int language sql as 'select 1'; create schema p10_n"},
}

// TestOthersParked: rows that are refused, and how they come in the end.
func TestOthersParked(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := pgRig(t, "pg18", "pg15", stream)
		r.config.inSink = ", order_wait: 100ms"
		var want []string
		for _, c := range sinkParked {
			pgSQL(r.source, c.before)
			pgSQL(r.target, c.ready)
			for kept := range strings.SplitSeq(c.parked, ", ") {
				want = append(want, kept)
			}
		}
		r.once()
		for _, c := range sinkParked {
			pgSQL(r.source, c.after)
		}
		r.start("run", "--once").refuses(1, fmt.Sprint(len(want))+" changes are parked", "parked list")
		slices.Sort(want)
		if have := r.parked(); !slices.Equal(have, want) {
			t.Errorf("parked are %q, want %q", have, want)
		}
		for _, c := range sinkParked {
			pgSQL(r.target, c.fix)
		}
		p := r.start("run")
		r.source.Exec("insert into p1 values (9, 9)")
		r.arrives(p, "select count(*) from p1", "3") // it runs
		for i := range sinkParked {
			r.start("snapshot", "start", "--table", fmt.Sprintf("public.p%d", i+1)).ends(0)
		}
		r.arrives(p, "select count(*) from _tailwater_parked", "0")
		p.stop()
		r.once()
		r.pgEqual(t)
	})
}

// parked are the table and the code of each change that a PostgreSQL target has parked.
func (r *rig) parked() []string {
	r.t.Helper()
	have := first(r.target.Query("select name || ' ' || code from _tailwater_parked"))
	slices.Sort(have)
	return have
}

// TestOthersKeptRows: a trigger or a rule of the target that keeps rows from being deleted: none is taken for gone.
func TestOthersKeptRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, keeps, fix, sink string }{
		{"a rule", "create rule r as on delete to o do instead nothing", "drop rule r on o", ""},
		{"a trigger", "create function f() returns trigger language plpgsql as $$ begin return null; end $$; create trigger r before delete on o for each row when (old.v <> 'goes') execute function f()", "drop trigger r on o", ""},
		{"a trigger that keeps what is to be stamped", "create function f() returns trigger language plpgsql as $$ begin if new._tailwater_deleted_at is not null and new.v <> 'goes' then return null; end if; return new; end $$; create trigger r before update on o for each row execute function f()",
			"drop trigger r on o", ", mode: soft_delete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", "direct")
			r.config.inSink = c.sink
			r.source.Exec("create table o (id int primary key, v text); insert into o values (1, 'a'), (2, 'b'), (3, 'goes')")
			r.once()
			r.target.Exec(c.keeps)
			r.source.Exec("delete from o where id = 1; update o set id = 20 where id = 2; insert into o values (4, 'goes')")
			r.start("run", "--once").refuses(1, "2 changes are parked")
			if have := r.parked(); !slices.Equal(have, []string{"o row_skipped", "o row_skipped"}) {
				t.Errorf("parked are %q", have)
			}
			r.target.Exec(c.fix)
			r.target.Exec("delete from o where id < 3; delete from _tailwater_parked")
			r.once()
			if have := fmt.Sprint(r.target.Query("select id, v from o order by id")); have != "[[3 goes] [4 goes] [20 b]]" {
				t.Errorf("the target has %s", have)
			}
		})
	}
}

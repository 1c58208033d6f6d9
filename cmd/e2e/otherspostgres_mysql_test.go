package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// pgToMySQL are cases whose values MySQL and MariaDB show as PostgreSQL does.
var pgToMySQL = []pgCase{
	{name: "JDBC sink quoting, Flink quote_primary_key: names that SQL or a sink has a use for",
		before: `create table "values" (id int primary key, "values" text, t text, new text, excluded text, r text); create table new (id int primary key, "old" text, "new" text, "user" text); create table "select" ("from" int primary key, "where" text); create table "rank" ("key" int, "order" int, "group" text, "system" text, primary key ("order", "key")); create table "x.y" ("a.b" int primary key, "c` + "`" + `d" text, "%s" text, "e'f" text, "g\h" text, "?" text);` +
			`insert into "values" values (1, 'a', 'b', 'c', 'd', 'e'); insert into new values (1, 'a', 'b', 'c'); insert into "select" values (1, 'a'); insert into "rank" values (1, 2, 'a', 'b'); insert into "x.y" values (1, '?', '%d', '''', '\', '?')`,
		after: `update "values" set "values" = 'x', t = null;; insert into "values" values (2, 'q', 'q', 'q', 'q', 'q');; update new set "old" = '\''';; delete from new where id = 1;; insert into new values (3, 'x', 'y', 'z');; update "select" set "where" = 'b';; update "rank" set "order" = 9;; update "x.y" set "?" = null, "%s" = '\\n';; update "x.y" set "a.b" = 2`},
	{name: "Debezium DBZ-7193, PeerDB: text that stands outside of the row, keys that change, tables without one",
		before: "create table tst (id int primary key, n int, t text, v varchar(20000)); alter table tst replica identity full; insert into tst select i, i, string_agg(md5((g * i)::text), ''), repeat('v', 15000) from generate_series(1, 3) i, generate_series(1, 300) g group by i; create table nok (n int, t text); alter table nok replica identity full; insert into nok select i % 3, 'x' from generate_series(1, 9) i; insert into nok select 5, string_agg(md5(g::text), '') from generate_series(1, 300) g",
		after:  "update tst set n = 10;; update tst set id = id + 10;; update tst set v = 'short' where id = 11;; update nok set n = n + 1;; delete from nok where n = 2;; insert into nok values (null, null), (null, null), (7, ' x'), (7, 'x ');; delete from nok where ctid = (select min(ctid) from nok where n is null);; update nok set t = 'X' where t = 'x '"},
	{name: "Debezium, Airbyte: one key often in one transaction, savepoints, TRUNCATE among rows",
		before: "create table onc (id int primary key, v int, w text); insert into onc values (1, 1), (2, 2), (3, 3)",
		after: "begin; delete from onc where id = 1; insert into onc values (1, 10); update onc set v = 11 where id = 1; delete from onc where id = 2; insert into onc values (5, 5); savepoint s; delete from onc where id = 5; rollback to s; update onc set id = 30 where id = 3; update onc set id = 3 where id = 30; commit;;" +
			"begin; update onc set id = -id; update onc set id = id + 100; commit;; begin; truncate onc; insert into onc values (1, 1); truncate onc; insert into onc values (2, 2); commit;; begin; insert into onc values (3); truncate onc; rollback;; merge into onc using (values (2), (9)) s (id) on onc.id = s.id when matched then update set w = 'm' when not matched then insert values (s.id, 9, 'n')"},
	{name: "pglogical foreign_key, triggers: what cascades and what triggers write",
		before: "create table fka (id int primary key); create table fkb (id int primary key, a int references fka on delete cascade on update cascade, b int default 1 references fka on delete set default); create table aud (n int generated always as identity primary key, what text); insert into fka values (1), (2), (3); insert into fkb values (10, 2, 3), (11, 3, 2);" +
			"create function aud_f() returns trigger language plpgsql as $$ begin insert into aud (what) values (tg_op || old.id); return coalesce(new, old); end $$; create trigger a before update or delete on fkb for each row execute function aud_f()",
		after: "delete from fka where id = 2;; update fka set id = 33 where id = 3;; insert into fkb values (12, 1, 1);; delete from fka where id = 33"},
	{name: "Airbyte, Flink: keys of text that MySQL's collations take for the same; texts with blanks at their end, empty, of four bytes",
		before: "create table ktx (k text primary key, v int); insert into ktx values ('a', 1), ('A', 2), ('a ', 3), ('á', 4), ('', 5), (' ', 6), ('ß', 7), ('ss', 8), ('😀', 9), ('😁', 10); create table kvc (k varchar(40), c char(3), v text, primary key (k)); insert into kvc values ('x', 'abc', ''), ('x ', 'äöü', ' '), ('X', null, null)",
		after:  "update ktx set v = v * 10;; update ktx set k = 'A  ' where k = 'A';; delete from ktx where k in ('a ', 'ß', '😁');; insert into ktx values ('SS', 11), ('null', 12), ('\\N', 13);; update kvc set v = v || '.';; delete from kvc where k = 'x';; update kvc set k = 'x' where k = 'X'"},
	{name: "PeerDB Test_Simple_Schema_Changes, Debezium: columns come, go, hold more and change names",
		before: "create table ssc (id bigint primary key, c1 int, s varchar(5), gone text); insert into ssc values (1, 1, 'a', 'g')",
		after:  "alter table ssc add column c2 bigint;; update ssc set c2 = 5;; alter table ssc alter c1 type bigint, alter s type varchar(50);; insert into ssc values (2, 1::bigint << 40, 'longer than five', 'g', 2);; alter table ssc drop column gone;; insert into ssc values (4, 4, 't', 4);; alter table ssc add column c5 int not null default 7, add column c6 text default 'it''s \\';; update ssc set c1 = 0 where id = 1"},
	{name: "Debezium: a column with another name", before: "create table ren (id int primary key, a int); insert into ren values (1, 1)", after: "insert into ren values (2, 2);; alter table ren rename a to b;; insert into ren values (3, 3);; update ren set b = 5 where id = 1"},
	{name: "PostgreSQL 013_partition, PeerDB Test_Inheritance: partitions, tables that inherit",
		before: "create table prt (a int primary key, b text) partition by list (a); create table prt_1 (b text, x int, a int not null); alter table prt_1 drop column x; alter table prt attach partition prt_1 for values in (1, 2, 3); create table prt_d partition of prt default; insert into prt values (1, 'a'), (4, 'd'); create table inh (id int primary key, v text); create table inh_a (x int, primary key (id)) inherits (inh); insert into inh values (1, 'p'); insert into inh_a values (1, 'a', 1)",
		after:  "update prt set a = 2 where a = 1;; update prt set a = 3 where a = 4;; insert into prt values (9, 'n');; update prt set b = 'x';; delete from prt where a = 9;; update inh set v = v || '!';; insert into inh_a values (2, 'c', 2);; delete from inh_a where id = 1"},
}

// TestOthersPostgresToMySQL is that for targets of another engine, by each of the servers.
func TestOthersPostgresToMySQL(t *testing.T) {
	t.Parallel()
	for _, ends := range [][3]string{{"pg15", "mysql97", "direct"}, {"pg18", "mariadb118", "kafka"}} {
		for _, when := range []string{"running", "behind"} {
			t.Run(strings.Join(ends[:], "/")+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := pgRig(t, ends[0], ends[1], ends[2])
				r.config.inSink = ", on_schema_change: { drop: apply }"
				r.pgOthers(t, when, pgToMySQL)
			})
		}
	}
}

// pgEqualMySQL compares all tables of the source with those of a MySQL or MariaDB target.
func (r *rig) pgEqualMySQL(t *testing.T) {
	t.Helper()
	my := r.target.(*mysql)
	for _, table := range r.pgTables() {
		name := "`" + table[0] + "`"
		at := first(my.Query("select column_name from information_schema.columns where table_schema = database() and table_name = " + pgText(table[0])))
		if len(at) == 0 && r.source.Value("select count(*) from "+table[1]) == "0" {
			continue // a table is made with its first row
		}
		var here, there []string
		for _, c := range r.pgColumns(table[1]) {
			if c[2] != "t" || slices.Contains(at, c[0]) {
				here, there = append(here, c[1]+"::text as "+c[1]), append(there, "`"+strings.ReplaceAll(c[0], "`", "``")+"`")
			}
		}
		if !testenv.Compare(t, r.source.Of("select "+strings.Join(here, ", ")+" from "+pgOnly(r.source, table[1])), my.Of("select "+strings.Join(there, ", ")+" from "+name)) {
			t.Errorf("%s differs", table[0])
		}
	}
}

package mysql

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// shift is statements after which tables are others than they were.
type shift struct {
	name   string
	before string
	first  string // in front of a restart
	then   string // while nobody reads
	tables []string
}

var shifts = []shift{
	{"gh-ost", "create table a (id int primary key, v varchar(20)); insert into a values (1, 'one'), (2, 'two'), (3, 'three')",
		"create /* gh-ost */ table `{}`.`_a_ghc` (id bigint unsigned auto_increment, last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, " +
			"hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null, primary key(id), unique key hint_uidx(hint)) auto_increment=256 comment='gh-ost';" +
			"create /* gh-ost */ table `{}`.`_a_gho` like `{}`.`a`; alter /* gh-ost */ table `{}`.`_a_gho` ADD COLUMN n int not null default 7;" +
			"insert /* gh-ost */ into `{}`.`_a_ghc` (id, hint, value) values (NULLIF(2, 0), 'state', 'GhostTableMigrated') on duplicate key update last_update=NOW(), value=VALUES(value);" +
			"update a set v = 'two and a half' where id = 2; insert into a values (4, 'four');" +
			"insert /* gh-ost `{}`.`a` */ ignore into `{}`.`_a_gho` (`id`, `v`) (select `id`, `v` from `{}`.`a` force index (`PRIMARY`) where (((`id` > 0)) and ((`id` < 9))) lock in share mode)",
		"delete from a where id = 1; delete /* gh-ost `{}`.`_a_gho` */ from `{}`.`_a_gho` where ((`id` = 1)); insert into a values (5, 'five');" +
			"replace /* gh-ost `{}`.`_a_gho` */ into `{}`.`_a_gho` (`id`, `v`) values (5, 'five');" +
			"create /* gh-ost */ table `{}`.`_a_del` (id int auto_increment primary key) engine=InnoDB comment='ghost-cut-over-sentry';" +
			"lock /* gh-ost */ tables `{}`.`a` write, `{}`.`_a_del` write, `{}`.`_a_gho` write; drop /* gh-ost */ table if exists `{}`.`_a_del`; unlock tables;" +
			"rename /* gh-ost */ table `{}`.`a` to `{}`.`_a_del`, `{}`.`_a_gho` to `{}`.`a`;" +
			"insert into a values (6, 'six', 6); drop /* gh-ost */ table `{}`.`_a_ghc`; drop /* gh-ost */ table if exists `{}`.`_a_del`; update a set n = 0 where id = 3",
		[]string{"a"}},
	{"pt-online-schema-change", "create table a (id int primary key, v varchar(20)); insert into a values (1, 'one'), (2, 'two'), (3, 'three')",
		"CREATE TABLE `{}`.`_a_new` (`id` int NOT NULL, `v` varchar(20) DEFAULT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB; ALTER TABLE `{}`.`_a_new` DROP COLUMN v, ADD COLUMN w varchar(30) default 'w' FIRST;" +
			"CREATE TRIGGER `pt_osc_{}_a_del` AFTER DELETE ON `{}`.`a` FOR EACH ROW DELETE IGNORE FROM `{}`.`_a_new` WHERE `{}`.`_a_new`.`id` <=> OLD.`id`;" +
			"CREATE TRIGGER `pt_osc_{}_a_ins` AFTER INSERT ON `{}`.`a` FOR EACH ROW REPLACE INTO `{}`.`_a_new` (`id`) VALUES (NEW.`id`);" +
			"insert into a values (4, 'four'); INSERT LOW_PRIORITY IGNORE INTO `{}`.`_a_new` (`id`) SELECT `id` FROM `{}`.`a` LOCK IN SHARE MODE /*pt-online-schema-change 4242 copy table*/",
		"delete from a where id = 2; insert into a values (5, 'five'); ANALYZE TABLE `{}`.`_a_new` /* pt-online-schema-change */; RENAME TABLE `{}`.`a` TO `{}`.`_a_old`, `{}`.`_a_new` TO `{}`.`a`;" +
			"DROP TABLE IF EXISTS `{}`.`_a_old`; DROP TRIGGER IF EXISTS `{}`.`pt_osc_{}_a_del`; DROP TRIGGER IF EXISTS `{}`.`pt_osc_{}_a_ins`; insert into a values ('six', 6)",
		[]string{"a"}},
	{"names exchanged", "create table a (id int primary key, v int); create table b (k varchar(9) primary key); create table c (x int); insert into a values (1, 1), (2, 2); insert into b values ('b'); insert into c values (3), (3)",
		"rename table a to tmp, b to a, tmp to b; insert into a values ('in a'); insert into b values (3, 3)",
		"rename table c to tmp, a to c, tmp to a; insert into c values ('in c'); insert into a values (4); rename table b to other, other to b; delete from b where id = 1; rename table b to other; rename table other to b; insert into b values (5, 5)",
		[]string{"a", "b", "c"}},
	{"like and as", "create table a (id int primary key, v int); insert into a values (1, 1), (2, 2)",
		"create table l like a; insert into l select * from a; create table if not exists l (z int); create table s as select * from a; create table k (n int primary key) as select id as n, v from a",
		"insert into s values (1, 1); update k set v = 5; drop table l; create table l like s; insert into l select * from s; create table e as select 1 as one where false; insert into e values (7); drop table k; create table k select 'text' as n",
		[]string{"a", "l", "s", "k", "e"}},
	{"partitions", "create table a (id int primary key, v int) partition by range (id) (partition p0 values less than (10), partition p1 values less than (100)); insert into a values (1, 1), (50, 50); create table x (id int primary key, v int); insert into x values (5, 5)",
		"insert into a values (2, 2); alter table a exchange partition p0 with table x; insert into a values (6, 6); update x set v = 9",
		"alter table a truncate partition p1; insert into a values (60, 60); alter table a drop partition p0; alter table a add partition (partition p2 values less than (1000)); insert into a values (500, 500); " +
			"alter table a reorganize partition p1, p2 into (partition p values less than (2000)); update a set v = v + 1; alter table a remove partitioning; delete from a where id = 60",
		[]string{"a", "x"}},
	{"made again", "create table a (id int primary key, v int); create table b (id int primary key); insert into a values (1, 1), (2, 2); insert into b values (1)",
		"drop table a; create table a (v varchar(9), id bigint unsigned, primary key (id)); insert into a values ('x', 2); truncate b; insert into b values (2); truncate table b",
		"drop table a, b; create table b (id int, w int); create table a (id int primary key, v int); insert into a values (3, 3); insert into b values (3, 3), (3, 3); drop table a; create table a (z date, id int primary key); insert into a values ('2020-02-02', 4); truncate a; insert into a values (null, 5)",
		[]string{"a", "b"}},
	{"names", "create table `q\"uo'te` (id int primary key); create table `tick``s` (id int primary key); create table `dot.ted.` (id int primary key); create table `Ünï 日` (`ä.b` int primary key); " +
		"create table `sp ace` (id int primary key); create table `per%cent_` (id int primary key); create table `sl/ash\\` (id int primary key); create table Upper (id int primary key); create table upper (id int primary key); " +
		"insert into `q\"uo'te` values (1); insert into `dot.ted.` values (1); insert into upper values (1); insert into Upper values (2); insert into `sl/ash\\` values (1)",
		"insert into `tick``s` values (1); insert into `Ünï 日` values (1); insert into `sp ace` values (1); truncate `dot.ted.`; insert into `dot.ted.` values (2); truncate table upper; insert into Upper values (3); alter table `tick``s` add column `x``y` int default 3, algorithm=copy",
		"truncate `q\"uo'te`; insert into `q\"uo'te` values (7); rename table upper to `tmp.`, Upper to upper, `tmp.` to Upper; insert into Upper values (9); drop table `sp ace`; create table `sp ace` (id int, n int, primary key (id)); insert into `sp ace` values (4, 4); " +
			"insert into `per%cent_` values (1); truncate `{}`.`sl/ash\\`; insert into `sl/ash\\` values (3); truncate `tick``s`; insert into `tick``s` values (2, 2); rename table `Ünï 日` to `日`, `日` to `Ünï 日`; update `Ünï 日` set `ä.b` = 2",
		[]string{"q\"uo'te", "tick`s", "dot.ted.", "Ünï 日", "sp ace", "per%cent_", "sl/ash\\", "Upper", "upper"}},
}

// TestTablesShift: tables that become others leave the same at the target, in a backlog, over a restart, and when the log is read again from
// in front of all of it with today's catalogue, by a target that has it and by one that has not.
func TestTablesShift(t *testing.T) {
	for _, s := range shifts {
		t.Run(s.name, func(t *testing.T) {
			each(t, func(t *testing.T, my *testenv.My) { s.run(t, my) })
		})
	}
}

func (s *shift) run(t *testing.T, my *testenv.My) {
	in := func(sql string) { my.Exec(strings.ReplaceAll(sql, "{}", my.Database)) }
	in(s.before)
	p := newPipe(t, my, s.tables...)
	p.finish()
	began, target := p.start, p.target.clone()
	in(s.first)
	p.finish()
	p.close()
	in(s.then)
	p.open()
	p.finish()
	p.compare()
	for _, again := range []*memory{p.target, target} {
		p.close()
		p.start, p.target = began, again
		p.open()
		p.finish()
		p.compare()
	}
}

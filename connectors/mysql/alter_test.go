package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// alters are statements on the table of TestAlterAsTheServerDoes; one that a server refuses says nothing there.
var alters = []string{
	"add x int", "add column x int unsigned not null default 5 first", "add x varchar(10) character set latin1 collate latin1_bin comment 'a, b' after b",
	"add (x int, y bigint unsigned)", "add x int after c, add y int after x, add z int first", "drop a", "drop column a, drop d",
	"modify a bigint", "modify column a bigint unsigned after d", "modify d int first, modify b int after a", "change a x int", "change column a x int first", "change a b int, change b a int",
	"rename column a to b, rename column b to a", "rename column a to x", "drop a, add a int", "drop a, add a varchar(3) first", "change a x int after d, add y int after x",
	"modify a int after b, modify b int after c, add x int after a", "change a x int, change b y int after x", "drop c, change d c int first", "change A B int, drop b",
	"add x datetime(3) default current_timestamp(3) on update current_timestamp(3)", "add x decimal(10,2) default -1.5", "add x bit(3) default b'1'", "add x varchar(5) default _latin1'x'",
	"engine = InnoDB row_format=dynamic, comment = 'drop a'", "add index i (a), drop b", "default character set latin1", "force", "algorithm = copy, lock = shared, drop d",
	"alter a set default 7, alter column b drop default", "auto_increment 100", "add fulltext index f (t)", "modify id bigint unsigned after d", "rename column id to key_",
	"change id `select` bigint first, add `a``b` int after `select`", "add if not exists a int, add if not exists x int", "drop if exists nothing, drop if exists b",
	"add x json after a", "add x int invisible", "add x text, add y blob, add z time(2) null", "rename column a to x, add y int after x", "add x int after a, rename column a to y",
	"add column x int, rename column b to a, rename column a to b", "modify a int, rename column b to x, drop c, add c int after x", "add x int unsigned zerofill, modify b smallint not null after c",
	"partition by hash (id) partitions 3", "order by a", "order by a, b desc, t.c", "rename column a to x, order by b, c", "/*! add x int */", "add x /* comment, */ int",
}

// refusedAlters can't be followed.
var refusedAlters = []string{
	"add x enum('a')", "modify a set('a')", "convert to character set latin1", "add x int primary key", "drop primary key", "add x int generated always as (a + 1)", "add x int as (a) stored",
	"add unique (a), rename to y", "add constraint c check (a > 1)", "rename y", "add x int unique", "add x serial", "drop id", "modify a int check (a > 1)",
	"add x int, add x2 uuid", "drop key `PRIMARY`", "add period for system_time (a, b)", "add system versioning", "add x national char(3)", "add x long varchar",
}

// TestAlterAsTheServerDoes holds what is made of a statement against what the server makes of it.
func TestAlterAsTheServerDoes(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		config := Config{SourceID: "s", Flavor: MySQL, Addr: my.Addr, User: "root", Include: []string{"x.*"}, SpoolDir: t.TempDir()}
		if my.MariaDB {
			config.Flavor = MariaDB
		}
		config, err := config.checked()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := config.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.close()
		name := tableName{my.Database, "t"}
		present := func() *past {
			d, err := describe(t.Context(), conn, config.Flavor, name)
			if err != nil {
				t.Fatal(err)
			}
			return pastOf(name, d)
		}
		for _, keyless := range []bool{false, true} {
			followed := 0
			for _, sql := range alters {
				my.Exec("drop table if exists t; create table t (id int primary key, a int, b int, t text, c int, d int)")
				if keyless {
					my.Exec("alter table t drop primary key")
				}
				was := present()
				sql = "alter table t " + sql
				if my.Do(t.Context(), sql) != nil {
					continue
				}
				now := present()
				got, err := follow(was, sql, config.Flavor)
				switch {
				case (keyless || my.MariaDB && strings.Contains(sql, "json")) && errors.Is(err, errAlter):
				case err != nil:
					t.Errorf("%s: %v", sql, err)
				case columnsText(got) != columnsText(now) || keysText(got) != keysText(now):
					t.Errorf("%s: %s %s, the server has %s %s", sql, columnsText(got), keysText(got), columnsText(now), keysText(now))
				default:
					followed++
				}
			}
			t.Logf("%d of %d were followed", followed, len(alters))
		}
		for _, sql := range refusedAlters {
			my.Exec("drop table if exists t; create table t (id int primary key, a int, b int, t text, c int, d int)")
			if got, err := follow(present(), "alter table t "+sql, config.Flavor); err == nil {
				t.Errorf("%s was followed: %s", sql, columnsText(got))
			}
		}
	})
}

func follow(was *past, sql, flavor string) (*past, error) {
	e, err := readEdits(query{schema: "d", sql: sql, status: status{known: true}})
	if err != nil {
		return nil, err
	}
	return was.altered(e, flavor)
}

// columnsText is a table's columns with their signs.
func columnsText(p *past) string {
	var list []string
	for i := range p.Types {
		list = append(list, p.Types[i].Name)
		if p.Types[i].Unsigned {
			list = append(list, "unsigned")
		}
	}
	return strings.Join(list, " ")
}

func keysText(p *past) string {
	text := ""
	for _, k := range p.Keys {
		if text += k.Name + "(" + strings.Join(k.Columns, ",") + ")"; k.Name == primaryKey {
			break
		}
	}
	return text
}

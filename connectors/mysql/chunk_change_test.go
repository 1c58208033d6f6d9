package mysql

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// keyTables are tables of a few hundred rows whose keys are of every kind, each with an expression for the rows 1 to 300.
func keyTables(my *testenv.My) map[string]string {
	tables := map[string]string{
		"k_unsigned": "(a bigint unsigned primary key)|18446744073709551615 - i * 3",
		"k_signed":   "(a tinyint, b smallint, primary key (a, b))|i % 7 - 3, i - 150",
		"k_ci":       "(a varchar(20) character set utf8mb4 primary key)|concat(elt(1 + i % 5, 'a', 'B', 'ß', 'Ä', 'é'), i)",
		"k_latin":    "(a varchar(20) character set latin1 collate latin1_german2_ci primary key)|concat(elt(1 + i % 4, 'a', 'Z', 'ö', 'ß'), i)",
		"k_cp1251":   "(a char(20) character set cp1251 primary key)|concat(elt(1 + i % 3, 'я', 'Б', 'x '), i)",
		"k_utf16":    "(a varchar(20) character set utf16 primary key)|concat(elt(1 + i % 3, 'я', '日', 'x'), i)",
		"k_bin":      "(a varbinary(30) primary key)|concat(char(i % 256), i)",
		"k_binary":   "(a binary(8), b int, primary key (a, b))|concat(char(i % 9), 'x'), i",
		"k_decimal":  "(a decimal(30,5) primary key)|(i - 150) * 1.5",
		"k_datetime": "(a datetime(3) primary key)|timestamp('2020-01-01') + interval i * 1500 microsecond + interval i day",
		"k_date":     "(a date, b time(2), primary key (a, b))|date('1999-12-31') + interval i % 4 day, sec_to_time(i * 100 - 15000)",
		"k_stamp":    "(a timestamp(6) primary key)|timestamp('2020-01-01') + interval i * 77 minute",
		"k_enum":     "(a enum('z', 'a', 'm'), b int, primary key (a, b))|1 + i % 3, i",
		"k_set":      "(a set('z', 'a', 'm'), b int, primary key (a, b))|i % 8, i",
		"k_bit":      "(a bit(20) primary key)|i * 300",
		"k_double":   "(a double primary key)|(i - 150) / 7",
		"k_year":     "(a year, b int, primary key (a, b))|1999 + i % 5, i",
		"k_float":    "(a float, b int, primary key (a, b))|0.7, i",
		"k_float2":   "(a float primary key)|1234567 + i",
		"k_places":   "(a float(12,3), b double(20,3), primary key (b, a))|i / 7, i / 7",
		"k_digits":   "(a enum('3', '1', 'ä', '2') character set latin1, b int, primary key (a, b))|1 + i % 4, i",
		"k_unlisted": "(a enum('1', 'b'), b int, primary key (a, b))|i % 3, i",
		"k_bitmask":  "(a set('2', '1', '3'), b int, primary key (a, b))|1 + i % 7, i",
		"k_wide":     "(a set(" + wideSet() + ") primary key)|cast(9223372036854775808 as unsigned) + i",
		"k_bit64":    "(a bit(64) primary key)|18446744073709551615 - i * 3",
		"k_year0":    "(a year, b int, primary key (a, b))|if(i % 2, 0, 1901 + i % 100), i",
		"k_prefix":   "(a text, b int, primary key (a(4), b))|concat('long text ', i), i",
		"k_unique":   "(a int, b int not null, c varchar(20) not null, unique key (c, b))|null, i % 3, concat('k', i)",
		"k_dates":    "(a date, c datetime(2), b int, primary key (a, c, b))|elt(1 + i % 5, '0000-00-00', '2023-02-31', '2024-00-10', '2024-01-05', '2024-02-00'), elt(1 + i % 3, '0000-00-00', '2023-02-31 01:02:03.5', '2024-02-00 10:11:12'), i",
		"k_stamp0":   "(a timestamp default '2000-01-01', b int, primary key (a, b))|if(i % 2, '0000-00-00', '2024-01-05'), i",
		"k_reserved": "(`select` int, `from``x` int, primary key (`from``x`, `select`))|i, i % 5",
	}
	if my.MariaDB {
		tables["k_uuid"] = "(a uuid primary key)|concat(lpad(hex(i * 77777), 8, '0'), '-71ca-11e1-9e33-c80aa94', lpad(i, 5, '0'))"
		tables["k_inet6"] = "(a inet6 primary key)|concat('2001:db8::', hex(i))"
	}
	return tables
}

// wideSet are as many labels as a SET has.
func wideSet() string {
	var labels []string
	for i := range 64 {
		labels = append(labels, fmt.Sprintf("'%d'", i))
	}
	return strings.Join(labels, ",")
}

// TestSnapshotKeys reads tables in small chunks by every kind of key, with rows changed and deleted beside it.
func TestSnapshotKeys(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("set sql_mode = 'ALLOW_INVALID_DATES'; create table seq (i int primary key); insert into seq values (1)")
		for n := 1; n < 300; n *= 2 {
			my.Exec(fmt.Sprintf("insert into seq select i + %d from seq", n))
		}
		var names []string
		for name, definition := range keyTables(my) {
			columns, rows, _ := strings.Cut(definition, "|")
			my.Exec("create table " + name + " " + strings.TrimSuffix(columns, ")") + ", pad varchar(400) default (repeat('p', 100)))")
			list := columnList(my, name)
			my.Exec("insert into " + name + " (" + list + ") select " + rows + " from seq where i <= 300")
			names = append(names, name)
		}
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		my.Exec("drop table seq")
		p := newPipe(t, my, names...)
		p.close()
		p.config.chunkBytes = 12 << 10
		p.open()
		for n := 0; !p.done(); n++ {
			p.read()
			name := names[n%(len(names)/2)]
			switch n % 3 {
			case 0:
				my.Exec("delete from " + name + " limit 5")
			case 1:
				my.Exec("update " + name + " set pad = 'changed' order by pad desc limit 7")
			}
		}
		p.finish()
		p.compare()
		for _, progress := range p.source.Progress() { // where nobody wrote each row came once
			_, name, _ := strings.Cut(progress.Table, ".")
			if slices.Contains(names[len(names)/2:], name) && fmt.Sprint(progress.Rows) != my.Value("select count(*) from "+name) {
				t.Errorf("%s: %d rows were handed over", name, progress.Rows)
			}
		}
	})
}

// columnList lists a table's columns but pad.
func columnList(my *testenv.My, name string) string {
	var list []string
	for _, row := range my.Query("select column_name from information_schema.columns where table_schema = database() and table_name = '" + name +
		"' and column_name <> 'pad' order by ordinal_position") {
		list = append(list, quote(row[0]))
	}
	return strings.Join(list, ", ")
}

// TestSnapshotOfReadKeys: an UPDATE that lacks columns, of a row whose chunk is behind the reader or still to come, is made whole by reading the row by its key.
func TestSnapshotOfReadKeys(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("set sql_mode = 'ALLOW_INVALID_DATES'")
		var names []string
		for name, definition := range keyTables(my) {
			columns, rows, _ := strings.Cut(definition, "|")
			my.Exec("create table " + name + " " + strings.TrimSuffix(columns, ")") + ", pad varchar(400) default ('p'), n int default 0)")
			list := strings.ReplaceAll(columnList(my, name), ", `n`", "")
			for i := 1; i <= 20; i++ {
				my.Exec("insert into " + name + " (" + list + ") select " + rows + fmt.Sprintf(" from (select %d as i) s", i*11))
			}
			names = append(names, name)
		}
		p := newPipe(t, my, names...)
		p.close()
		p.config.chunkBytes = 600
		p.open()
		my.Exec("set session binlog_row_image = minimal")
		before, again := map[string]map[string]bool{}, map[string]bool{}
		for !p.done() {
			b := p.read()
			for i := range b.Changes {
				c := &b.Changes[i]
				name := c.Table.Name
				if c.Op != change.SnapshotRow {
					continue
				}
				if before[name] == nil { // the first of its chunks is at the target, others aren't
					before[name] = map[string]bool{}
					my.Exec("update " + name + " set n = n + 1")
				}
				key, err := change.AppendKey(nil, c.Table, c.Row())
				if err != nil {
					t.Fatal(err)
				}
				again[name] = again[name] || before[name][string(key)]
				before[name][string(key)] = true
			}
		}
		p.finish()
		p.compare()
		for _, name := range names {
			if !again[name] {
				t.Errorf("%s: no row was read again by its key", name)
			}
		}
	})
}

// TestSnapshotOfAnotherTable is R-08: a table that was dropped and created again, or exchanged by a rename, while nobody looked or while
// it was read, is emptied at the target and read from its first row.
func TestSnapshotOfAnotherTable(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v text); insert into a values (1, 'first'), (9, 'first'); create table keyless (v int); insert into keyless values (1), (1)")
		p := newPipe(t, my, "a", "keyless")
		p.finish()
		p.compare()
		p.close()
		my.Exec("drop table a; create table a (id int primary key, v text); insert into a values (1, 'second'), (2, 'second')")
		p.open()
		p.finish()
		p.compare()
		my.Exec("create table b (id int primary key, v text); insert into b values (3, 'third')")
		my.Exec("rename table a to old, b to a")
		my.Exec("insert into a values (4, 'third'); create or replace view w as select 1")
		p.finish()
		p.compare()
		p.close()
		p.open() // the progress remembers which table it was
		p.finish()
		p.compare()
		if my.MariaDB {
			my.Exec("create or replace table keyless (v int); insert into keyless values (5)")
		} else {
			my.Exec("drop table keyless; create table keyless (v int); insert into keyless values (5)")
		}
		p.finish()
		p.compare()
	})
}

// TestSnapshotOfLostPartitions: rows that go without a word in the log are gone at the target too.
func TestSnapshotOfLostPartitions(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key) partition by range (id) (partition p0 values less than (10), partition p1 values less than (100))")
		my.Exec("insert into a values (1), (2), (50)")
		p := newPipe(t, my, "a")
		p.finish()
		my.Exec("alter table a truncate partition p0")
		my.Exec("insert into a values (3)")
		p.finish()
		p.compare()
		my.Exec("create table x (id int primary key); insert into x values (4)")
		my.Exec("alter table a exchange partition p0 with table x")
		p.tables = append(p.tables, "x")
		p.finish()
		p.compare()
	})
}

// TestSnapshotOfNewTables: tables that appear are captured, those made since with their rows and those renamed into the selection.
func TestSnapshotOfNewTables(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key)")
		p := newPipe(t, my, "a", "fresh")
		p.finish()
		my.Exec("create table fresh (id int primary key, v varchar(10)); insert into fresh values (1, 'x'); insert into a values (1)")
		for len(p.target.rows(my.Database+".fresh")) == 0 || len(p.source.Progress()) < 2 {
			p.read()
		}
		p.finish()
		p.compare()
	})
}

// TestSnapshotOfAlteredTable changes the shape while chunks are read.
func TestSnapshotOfAlteredTable(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		makeTables(my)
		p := newPipe(t, my)
		statements := []string{"update doc set n = -n where id = 5000", "alter table doc add column x int default 7", "update doc set n = n + 1 where id in (1, 4000)",
			"alter table doc drop column body", "delete from doc where id = 2", "alter table doc modify n bigint not null", "truncate doc",
			"insert into doc (id, n) select row_number() over (order by b, a), 5 from pair", "alter table doc add unique key (n, id)",
			"update doc set x = 0 where id < 1010"}
		for !p.done() {
			if p.read(); len(statements) > 0 {
				my.Exec(statements[0])
				statements = statements[1:]
			}
		}
		for _, sql := range statements {
			my.Exec(sql)
		}
		p.finish()
		if got := len(p.target.keyed[my.Database+".doc"]); fmt.Sprint(got) != my.Value("select count(*) from doc") {
			t.Errorf("%d rows at the target, %s at the source", got, my.Value("select count(*) from doc"))
		}
	})
}

// TestSnapshotWithoutGTIDs reads under writes on a MySQL server that knows places by file and offset only.
func TestSnapshotWithoutGTIDs(t *testing.T) {
	t.Parallel()
	s := testenv.StartMySQL(t, "mysql97", testenv.Options{Settings: []string{"gtid-mode=OFF", "enforce-gtid-consistency=OFF"}})
	makeTables(s.My)
	p := newPipe(t, s.My, workloadNames...)
	w := startWorkload(t, s.My, 3)
	for !p.done() {
		p.read()
	}
	w.stop()
	p.finish()
	p.compare()
}

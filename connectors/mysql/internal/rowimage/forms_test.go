package rowimage_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// logRows decodes what f writes; the log's shapes must be the catalogue's.
func logRows(t *testing.T, my *testenv.My, f func()) []row {
	t.Helper()
	events := written(t, my, f)
	conn := snapshotSession(t, my)
	d := &decoder{flavor: flavorOf(my), schema: my.Database, catalogue: func(m *rowimage.TableMap) ([]myvalue.Type, error) {
		types, err := catalogueOf(t, my, conn, m.Name)
		if err != nil {
			return nil, err
		}
		return myvalue.Agree(m.Types, types)
	}}
	for _, e := range events {
		if err := d.event(e); err != nil {
			t.Fatal(err)
		}
	}
	return d.rows
}

// rowTexts writes rows for comparison: the operation, the old and the new row, ? for Unset and - for NULL.
func rowTexts(rows []row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %s", r.op, r.table.Name)
		for _, image := range [][]change.Value{r.before, r.after} {
			if image == nil {
				continue
			}
			b.WriteString(" (")
			for i, v := range image {
				if i > 0 {
					b.WriteByte(' ')
				}
				c := r.types[i].Column()
				switch {
				case v.IsUnset():
					b.WriteByte('?')
				case v.IsNull():
					b.WriteByte('-')
				default:
					b.WriteString(short(string(change.AppendText(nil, &c, v))))
				}
			}
			b.WriteByte(')')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// short is a text of some length as its beginning, its length and a hash.
func short(s string) string {
	const shown = 60
	if len(s) <= 2*shown {
		return s
	}
	return fmt.Sprintf("%.*s...%d:%08x", shown, s, len(s), crc32.ChecksumIEEE([]byte(s)))
}

func expectRows(t *testing.T, rows []row, want string) {
	t.Helper()
	if got := rowTexts(rows); got != want {
		t.Errorf("rows\n%s, want\n%s", got, want)
	}
}

// TestRowImages reads what each binlog_row_image carries.
func TestRowImages(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table t (id int primary key, a int, b text, c varchar(10) not null default 'x')")
		for image, want := range map[string]string{
			"full":    "insert t (1 - long x)\nupdate t (1 - long x) (1 5 long x)\ndelete t (1 5 long x)\n",
			"minimal": "insert t (1 ? long ?)\nupdate t (1 ? ? ?) (? 5 ? ?)\ndelete t (1 ? ? ?)\n",
			"noblob":  "insert t (1 - long x)\nupdate t (1 - ? x) (1 5 ? x)\ndelete t (1 5 ? x)\n",
		} {
			t.Run(image, func(t *testing.T) {
				rows := logRows(t, my, func() {
					my.Exec("set binlog_row_image = " + image)
					my.Exec("insert into t (id, b) values (1, 'long'); update t set a = 5; delete from t")
				})
				expectRows(t, rows, want)
			})
		}
	})
}

// TestCompressed reads what the servers' own compression leaves in the log.
func TestCompressed(t *testing.T) {
	t.Run("mysql97", func(t *testing.T) {
		my := testenv.MySQL(t, "mysql97")
		my.Exec("create table t (id int primary key, b longtext)")
		rows := logRows(t, my, func() {
			my.Exec("set binlog_transaction_compression = on")
			my.Exec("begin; insert into t values (1, repeat('a', 1000000)), (2, 'b'); update t set b = 'c' where id = 1; delete from t where id = 2; commit")
			my.Exec("insert into t values (3, repeat('d', 3000000)); set binlog_transaction_compression = off")
		})
		expectRows(t, rows, "insert t (1 "+short(strings.Repeat("a", 1000000))+")\ninsert t (2 b)\nupdate t (1 "+short(strings.Repeat("a", 1000000))+") (1 c)\ndelete t (2 b)\ninsert t (3 "+
			short(strings.Repeat("d", 3000000))+")\n")
	})
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			my := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"log-bin-compress=1", "log-bin-compress-min-len=10"}}).My
			my.Exec("create table t (id int primary key, b longtext)")
			rows := logRows(t, my, func() {
				my.Exec("insert into t values (1, repeat('a', 1000000)), (2, 'b')")
				my.Exec("update t set b = repeat('c', 100000) where id = 1")
				my.Exec("delete from t")
			})
			expectRows(t, rows, "insert t (1 "+short(strings.Repeat("a", 1000000))+")\ninsert t (2 b)\nupdate t (1 "+short(strings.Repeat("a", 1000000))+") (1 "+short(strings.Repeat("c", 100000))+
				")\ndelete t (1 "+short(strings.Repeat("c", 100000))+")\ndelete t (2 b)\n")
		})
	}
}

// TestGenerated reads columns that the server computes, hides or keeps for itself.
func TestGenerated(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		rows := logRows(t, my, func() {
			my.Exec("create table g (v int generated always as (id + 1) virtual, id int primary key, s int generated always as (id + 2) stored, z int invisible default 9, e int)")
			my.Exec("insert into g (id, e) values (1, 7); update g set e = 8; update g set id = 2; delete from g")
		})
		generated := ""
		for _, typ := range rows[0].types {
			if typ.Column().Generated {
				generated += typ.Name
			}
		}
		if my.MariaDB { // 11.8 leaves them out of UPDATE and DELETE, so they are never carried
			expectRows(t, rows, "insert g (1 9 7)\nupdate g (1 9 7) (1 9 8)\nupdate g (1 9 8) (2 9 8)\ndelete g (2 9 8)\n")
		} else {
			expectRows(t, rows, "insert g (2 1 3 9 7)\nupdate g (2 1 3 9 7) (2 1 3 9 8)\nupdate g (2 1 3 9 8) (3 2 4 9 8)\ndelete g (3 2 4 9 8)\n")
		}
		if want := map[bool]string{true: "", false: "vs"}[my.MariaDB]; generated != want {
			t.Errorf("generated columns %q, want %q", generated, want)
		}
		plan, err := rowimage.NewPlan(rows[0].all)
		if err != nil {
			t.Fatal(err)
		}
		key, err := plan.Key(rows[0].table)
		if want := map[bool]int{true: 0, false: 1}[my.MariaDB]; err != nil || len(key) != 1 || key[0] != want {
			t.Errorf("key %v, %v, want %d", key, err, want)
		}
	})
}

// TestServersOwnColumns reads tables that the log gives columns of the server's own, or none of those that it has.
func TestServersOwnColumns(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		rows := logRows(t, my, func() {
			if my.MariaDB {
				my.Exec("create table u (id int primary key, b text, unique(b)); alter table u add c int")
			} else {
				my.Exec("create table u (id int primary key, b text, c int, index((c + 1)), unique((upper(left(b, 9)))))")
			}
			my.Exec("insert into u values (1, 'x', 2); update u set b = 'y'; delete from u")
		})
		expectRows(t, rows, "insert u (1 x 2)\nupdate u (1 x 2) (1 y 2)\ndelete u (1 y 2)\n")
	})
}

// TestVersioned refuses a table whose log holds its history.
func TestVersioned(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			my := testenv.MySQL(t, name)
			my.Exec("create table v (id int primary key) with system versioning")
			if _, err := catalogueOf(t, my, snapshotSession(t, my), "v"); !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "SYSTEM VERSIONING") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestDiffers names the column in which the log and the catalogue differ.
func TestDiffers(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		conn := snapshotSession(t, my)
		my.Exec("create table d (id int primary key, a int, b varchar(10))")
		events := written(t, my, func() { my.Exec("insert into d values (1, 1, 'b')") })
		m, err := rowimage.ParseTableMap(events[0].body, flavorOf(my))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ ddl, names, unlike string }{
			{"alter table d add c int", "column c isn't in the log", ""}, {"alter table d drop c, modify a bigint", "a int", "a"},
			{"alter table d modify a int unsigned", " unsigned (type 3", "a"}, {"alter table d modify a int not null", " not null (type 3", "a"},
			{"alter table d modify a int, modify b varchar(11)", "b varchar(11)", "b"}, {"alter table d modify b varchar(10) character set latin1", "collation 8", "b"},
			{"alter table d modify b varchar(10) first", "column 1: id", ""}, {"alter table d rename column a to z, modify b varchar(10) after z", "column 2: a", "a"},
			{"alter table d drop b, rename column z to a", "column 3: b", "b"},
		} {
			my.Exec(c.ddl)
			types, err := catalogueOf(t, my, conn, "d")
			if err != nil {
				t.Fatal(err)
			}
			if _, err = myvalue.Agree(m.Types, types); !errors.Is(err, myvalue.ErrDiffer) || !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("after %s: error %v, want one that names %q", c.ddl, err, c.names)
			}
			for i, adopted := range myvalue.Adopt(m.Types, types) {
				if adopted.Known == strings.Contains(c.unlike, adopted.Name) || adopted.Column().Kind != m.Types[i].Column().Kind {
					t.Errorf("after %s: column %s is known %t", c.ddl, adopted.Name, adopted.Known)
				}
			}
		}
	})
}

// TestManyColumns reads a table whose numbers of columns and names take more than a byte.
func TestManyColumns(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		var columns, values, want []string
		for i := range 300 {
			columns = append(columns, fmt.Sprintf("`%s%d` int", strings.Repeat("日", 20), i))
			values, want = append(values, fmt.Sprint(i)), append(want, fmt.Sprint(i))
			if i%7 == 3 {
				values[i], want[i] = "null", "-"
			}
		}
		rows := logRows(t, my, func() {
			my.Exec("create table m (" + strings.Join(columns, ",") + ")")
			my.Exec("insert into m values (" + strings.Join(values, ",") + ")")
		})
		expectRows(t, rows, "insert m ("+strings.Join(want, " ")+")\n")
	})
}

// TestPartitions reads rows whose events carry the partition beside them.
func TestPartitions(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		rows := logRows(t, my, func() {
			my.Exec("create table p (id int primary key, a int) partition by hash (id) partitions 4")
			my.Exec("insert into p values (1, 1), (2, 2), (5, 5); update p set id = 3 where id = 1; delete from p where id = 5")
		})
		if len(rows) != 5 {
			t.Errorf("rows\n%s", rowTexts(rows))
		}
	})
}

// TestRefused names the setting that has to change.
func TestRefused(t *testing.T) {
	t.Run("partial json", func(t *testing.T) {
		my := testenv.MySQL(t, "mysql97")
		events := written(t, my, func() {
			my.Exec("create table j (id int primary key, j json)")
			my.Exec(`insert into j values (1, '{"a": 1, "b": "long enough to be worth it"}')`)
			my.Exec("set binlog_row_value_options = PARTIAL_JSON; update j set j = json_set(j, '$.a', 2)")
		})
		refused(t, my, events, "binlog_row_value_options")
	})
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		value := "MINIMAL"
		if my.MariaDB {
			value = "NO_LOG"
		}
		my = testenv.StartMySQL(t, my.Name, testenv.Options{Settings: []string{"binlog-row-metadata=" + value}}).My
		my.Exec("create table t (id int primary key, b text)")
		events := written(t, my, func() { my.Exec("insert into t values (1, 'b')") })
		refused(t, my, events, "binlog_row_metadata=FULL")
	})
}

func refused(t *testing.T, my *testenv.My, events []event, names string) {
	t.Helper()
	d := &decoder{flavor: flavorOf(my)}
	for _, e := range events {
		if err := d.event(e); err != nil {
			if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), names) {
				t.Errorf("error %v, want one that halts and names %s", err, names)
			}
			return
		}
	}
	t.Errorf("nothing was refused")
}

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// raising makes the target's table raise an error for every row, as a server in trouble would.
func raising(target engine, code string) (trouble, undo string) {
	if m, ok := target.(*mysql); ok {
		return "create trigger trouble before insert on orders for each row signal sqlstate 'HY000' set mysql_errno = " + code + ", message_text = 'not now'", "drop trigger " + m.Database + ".trouble"
	}
	return "create function trouble() returns trigger language plpgsql as $$ begin raise exception 'not now' using errcode = '" + code + "'; end $$; create trigger trouble before insert on orders for each row execute function trouble()",
		"drop trigger trouble on orders; drop function trouble()"
}

// TestOthersTargetTrouble is Debezium's JdbcSinkRetryIT and more: a target that can't take a row for now is tried until it does, and no row is parked.
func TestOthersTargetTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, target, code string }{
		{"PostgreSQL: disk full", "pg15", "53100"}, {"PostgreSQL: a deadlock", "pg15", "40P01"}, {"PostgreSQL: a time limit", "pg15", "57014"},
		{"PostgreSQL: an I/O error", "pg15", "58030"},
		{"MySQL: disk full", "mysql97", "1114"}, {"MySQL: lock wait timeout", "mysql97", "1205"}, {"MariaDB: a deadlock", "mariadb118", "1213"}, {"MariaDB: read only", "mariadb118", "1290"},
		{"MariaDB: a time limit", "mariadb118", "1969"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", c.target, "direct")
			r.seed(5)
			p := r.start("run")
			r.arrives(p, "select count(*) from orders", "5")
			trouble, undo := raising(r.target, c.code)
			r.target.Exec(trouble)
			r.source.Exec("insert into orders values (6, 'six'); update orders set note = 'x' where id < 3; delete from orders where id = 4")
			testenv.Wait(t, "status says that the target is in trouble", func() bool {
				p.alive()
				s := r.status()
				return len(s.Sinks) == 1 && s.Sinks[0].Retry != ""
			})
			r.target.Exec(undo)
			r.arrives(p, "select count(*) from orders where id = 6", "1")
			p.stop()
			r.once()
			r.equal("orders")
			if n := r.target.Value("select count(*) from _tailwater_parked"); n != "0" {
				t.Errorf("%s changes are parked", n)
			}
		})
	}
}

// TestOthersTargetAway: connections that are cut, a table that takes another's name while rows come, rows that somebody else writes.
func TestOthersTargetAway(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"pg15", "mysql97", "mariadb118"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", target, "direct")
			r.source.Exec("create table orders (id bigint primary key, note varchar(100))")
			r.insert("orders", 1, 100, "first")
			p := r.start("run")
			r.arrives(p, "select count(*) from orders", "100")
			for i := range 15 {
				r.source.Exec(fmt.Sprintf("insert into orders values (%d, 'n'); update orders set note = note || 'x' where id %% 15 = %d; delete from orders where id = %d", 1000+i, i, i+1))
				r.cutConnections()
			}
			r.arrives(p, "select count(*) from orders where id = 1014", "1")
			text, key := "text", "bigint"
			if target != "pg15" {
				text = "longtext"
			}
			r.target.Exec("create table copied (extra int default 3, note " + text + ", id " + key + " primary key); insert into copied (id, note) select id, note from orders; alter table orders rename to orders_was; alter table copied rename to orders")
			r.source.Exec("insert into orders values (2000, 'into the new one'); update orders set note = 'y' where id = 50")
			r.arrives(p, "select count(*) from orders where id = 2000", "1")
			r.target.Exec("insert into orders (id, note) values (2001, 'by hand'); update orders set note = 'by hand' where id = 51; delete from orders where id in (52, 53)")
			r.source.Exec("insert into orders values (2001, 'ours'); update orders set note = 'ours' where id in (51, 52); delete from orders where id = 53; insert into orders values (2002, 'last')")
			r.arrives(p, "select count(*) from orders where id = 2002", "1")
			p.stop()
			r.once()
			testenv.Compare(t, r.source.Of("select id, note from orders"), r.target.Of("select id, note from orders"))
		})
	}
}

// cutConnections ends all connections to the target's database but the test's own.
func (r *rig) cutConnections() {
	r.t.Helper()
	m, ok := r.target.(*mysql)
	if !ok {
		r.target.Exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
		return
	}
	for _, id := range first(m.Query("select id from information_schema.processlist where db = '" + m.Database + "' and id <> connection_id()")) {
		_ = m.Do(r.t.Context(), "kill "+id) // it may be gone
	}
}

// TestOthersOperator is what an operator changes between two runs: either both ends are equal after it, or the start says what to do, and nothing is
// lost when it is put back.
func TestOthersOperator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, stream string
		change       func(r *rig)
		code         int // of the start; 0: both are equal
		words        []string
	}{
		{"the format of the records", "kafka", func(r *rig) { r.config.link = "format: canal-json" }, 0, nil},
		{"the format of the records, and back", "kafka", func(r *rig) {
			r.config.link = "format: maxwell-json"
			r.once()
			r.source.Exec("update orders set note = 'maxwell' where id = 1")
			r.once()
			r.config.link = ""
		}, 0, nil},
		{"tombstones and what stands for what is not carried", "kafka", func(r *rig) { r.config.link = "tombstones: false, unset: placeholder, compression: none" }, 0, nil},
		{"the topics' names", "kafka", func(r *rig) { r.config.link = "topic: \"other_{prefix}.{schema}.{table}\"" }, 5, []string{"other_", "is gone"}},
		{"from upsert to soft_delete", "direct", func(r *rig) { r.config.inSink = ", mode: soft_delete" }, 0, nil},
		{"lanes", "direct", func(r *rig) { r.config.link = "atomic: false, lanes: 2" }, 4, []string{"the number of lanes can't change"}},
		{"tables are made no longer", "direct", func(r *rig) { r.config.tables = false }, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", c.stream)
			r.seed(50)
			r.once()
			r.goOn()
			was := r.config
			c.change(r)
			p := r.start("run", "--once")
			if c.code != 0 {
				p.refuses(c.code, c.words...)
				r.config = was
				r.once()
			} else {
				p.ends(0)
			}
			columns := "id, note"
			alive := ""
			if strings.Contains(r.config.inSink, "soft_delete") {
				alive = " where _tailwater_deleted_at is null"
			}
			testenv.Compare(t, r.source.Of("select "+columns+" from orders"), r.target.Of("select "+columns+" from orders"+alive))
		})
	}
}

// TestOthersCharacters: texts that the target's database has no letters for are parked, in a key too, and the others go on.
func TestOthersCharacters(t *testing.T) {
	t.Parallel()
	t.Run("NUL from MySQL", func(t *testing.T) {
		t.Parallel()
		r := rigBetween(t, "direct", newEngine(t, "mysql97"), newEngine(t, "pg15"))
		r.source.Exec(`create table o (k varchar(20) collate utf8mb4_0900_bin primary key, v text); insert into o values ('a', 'x'), ('b', 'y\0z'), ('c\0', 'w'), ('d', '\Z')`)
		r.start("run", "--once").refuses(1, "2 changes are parked")
		r.source.Exec(`update o set v = 'z' where k in ('b', 'c\0', 'd'); insert into o values ('e', 'e'); delete from o where k = 'c\0'`)
		r.start("run", "--once").refuses(1, "changes are parked")
		if have := fmt.Sprint(r.target.Query("select k, v from o order by k")); have != "[[a x] [d z] [e e]]" {
			t.Errorf("the target has %s, parked are %q", have, r.parked())
		}
		p := r.start("run")
		r.source.Exec("insert into o values ('f', 'f')")
		r.arrives(p, "select count(*) from o", "4")
		r.start("snapshot", "start", "--table", r.table("o")).ends(0)
		r.arrives(p, "select count(*) from o", "5")
		p.stop()
		if have := fmt.Sprint(r.target.Query("select k, v from o order by k")); have != "[[a x] [b z] [d z] [e e] [f f]]" {
			t.Errorf("the target has %s, parked are %q", have, r.parked())
		}
	})
	t.Run("a database of LATIN1", func(t *testing.T) {
		t.Parallel()
		r := pgRig(t, "pg18", "pg15", "direct")
		pg := r.target.(*postgres)
		name := pg.Database + "_latin1"
		pg.Exec("create database " + name + " template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
		t.Cleanup(func() { pg.Exec("drop database " + name + " with (force)") })
		r.config.targetURL = strings.Replace(r.config.targetURL, "/"+pg.Database, "/"+name, 1)
		r.source.Exec("create table o (k text primary key, v text); insert into o values ('é', 'ü'), ('b', '日'), ('日😀', 'x')")
		r.start("run", "--once").refuses(1, "2 changes are parked")
		r.source.Exec("update o set v = 'z' where k = 'b'; insert into o values ('c', 'c')")
		r.start("run", "--once").refuses(1, "3 changes are parked")
		list := r.start("parked", "list")
		list.ends(0)
		if out := list.out.String(); !slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool { return strings.Contains(line, "22P05") }) {
			t.Errorf("the list says\n%s", out)
		}
	})
}

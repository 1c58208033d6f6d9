package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// toPostgres says that a case's tables fit PostgreSQL: a name of 64 letters doesn't, and names in other letters are other names there.
func (c othersCase) toPostgres() bool {
	return !strings.Contains(c.name, "64 letters") && !strings.Contains(c.name, "other letters")
}

// alikeInPostgres is the columns of a table, as SQL, whose text is the same in MySQL and PostgreSQL; table is quoted as text.
const alikeInPostgres = `select concat('"', replace(column_name, '"', '""'), '"') from information_schema.columns where table_schema = '%s' and table_name = '%s'
	and data_type in ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'varchar', 'text', 'mediumtext', 'longtext', 'enum', 'set', 'date', 'year') %s order by ordinal_position`

// TestOthersMySQLToPostgres: the same cases, into PostgreSQL; columns are compared whose texts are the same there.
func TestOthersMySQLToPostgres(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"mysql97", "mariadb118"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			r := othersRig(t, server, "pg15")
			m := r.source.(*mysql)
			cases := othersCases()
			for _, c := range cases {
				if c.holds(m) && c.toPostgres() && c.before != "" {
					othersSQL(r, c.before)
				}
			}
			r.once()
			r.equalInPostgres(t)
			for _, c := range cases {
				if c.holds(m) && c.toPostgres() {
					othersSQL(r, c.after)
				}
			}
			r.once()
			r.once() // tables made meanwhile are read by a snapshot
			r.equalInPostgres(t)
		})
	}
}

func (r *rig) equalInPostgres(t *testing.T) {
	t.Helper()
	m, carried := r.source.(*mysql), ""
	if m.MariaDB {
		carried = "and is_generated = 'NEVER'"
	}
	for _, table := range first(m.Query("select table_name from information_schema.tables where table_schema = '" + m.Database + "' and table_type = 'BASE TABLE'")) {
		quoted := "`" + strings.ReplaceAll(table, "`", "``") + "`"
		if r.target.Value("select count(*) from pg_tables where schemaname = 'public' and tablename = '"+table+"'") == "0" {
			if n := m.Value("select count(*) from " + quoted); n != "0" {
				t.Errorf("%s: the target lacks the table, which has %s rows", table, n)
			}
			continue
		}
		columns := append(first(m.Query(fmt.Sprintf(alikeInPostgres, m.Database, table, carried))), "1 as n")
		theirs := strings.Join(columns, ", ")
		ours := strings.NewReplacer("`", "``", `""`, `"`, `"`, "`").Replace(theirs)
		if !testenv.Compare(t, r.source.Of("select "+ours+" from "+quoted), r.target.Of("select "+theirs+` from "`+table+`"`)) {
			t.Errorf("%s differs", table)
		}
	}
}

// TestOthersSettings: what a server's settings make of a session that doesn't say what it wants.
func TestOthersSettings(t *testing.T) {
	t.Parallel()
	settings := "set global autocommit = 0; set global transaction isolation level %s; set global group_concat_max_len = 4; set global sql_safe_updates = 1; set global wait_timeout = 1;" +
		"set global default_storage_engine = myisam; set global character_set_server = latin1; set global time_zone = '+05:30'; set global completion_type = 1; set global sql_mode = '%s'"
	for _, ends := range othersEnds {
		t.Run(ends[0], func(t *testing.T) {
			t.Parallel()
			source, target := testenv.StartMySQL(t, ends[0], testenv.Options{}), testenv.StartMySQL(t, ends[1], testenv.Options{})
			r := rigBetween(t, "direct", &mysql{My: source.My}, &mysql{My: target.My})
			source.Exec("create table a (id int auto_increment primary key, c char(10), d decimal(10, 2), v varchar(20), t timestamp(3) null); insert into a (c, v, t) values ('a', 'é', '2024-01-01'), ('b', 'it''s \\\\', null), ('c', '\"', '2024-03-31 02:30:00.5'), ('d', ' ', null);" +
				"create table keyless (a int, b varchar(10)); insert into keyless values (1, 'a'), (1, 'a'), (2, 'b'); create table the_last (id int primary key)")
			source.Exec(fmt.Sprintf(settings, "read uncommitted", "ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH") + "; set global binlog_checksum = none")
			target.Exec(fmt.Sprintf(settings, "serializable", "ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH"))
			r.once()
			r.othersEqual(t)
			source.Exec("set autocommit = 1; insert into a (c, v) select c, v from a; update a set d = id, t = now(3); delete from a where id = 2; alter table a add n int; insert into a (n) values (3);" +
				"insert into keyless values (9, 'x'); delete from keyless where a = 1 limit 1; update keyless set b = 'z' where a = 2; insert into the_last values (1)")
			p := r.start("run")
			r.arrives(p, "select count(*) from the_last", "1")
			source.Exec("truncate keyless; insert into keyless values (1, '1'); select sleep(2); insert into the_last values (2)")
			r.arrives(p, "select count(*) from the_last", "2")
			p.stop()
			r.othersEqual(t)
		})
	}
}

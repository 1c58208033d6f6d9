package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestOthersTargetSessions is what is set for a target's database by those who run it: sessions that end while they wait, short waits for locks, reads
// only by default.
func TestOthersTargetSessions(t *testing.T) {
	t.Parallel()
	for target, settings := range map[string]string{
		"pg18": "idle_in_transaction_session_timeout = 2000;transaction_timeout = 8000;lock_timeout = 1000;default_transaction_read_only = on;array_nulls = off;createrole_self_grant = ''",
		"pg15": "default_transaction_read_only = on;default_transaction_isolation = 'repeatable read';synchronous_commit = off;xmlbinary = hex;lc_messages = 'C';password_encryption = md5",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", target, "direct")
			r.source.Exec("create table sss (id int primary key, v text, x xml); insert into sss select i, 'v' from generate_series(1, 100) i")
			r.once()
			for setting := range strings.SplitSeq(settings+";idle_session_timeout = 20", ";") {
				r.target.Exec("alter database " + r.target.name() + " set " + setting)
			}
			p := r.start("run")
			for i := range 8 {
				r.source.Exec(fmt.Sprintf("insert into sss select %[1]d * 1000 + i + 200, 'w', xmlelement(name a, '\\x00ff'::bytea) from generate_series(1, 50) i; update sss set v = v || 'x' where id %% 8 = %[1]d; delete from sss where id = %[1]d + 1", i))
				r.arrives(p, fmt.Sprintf("select count(*) from sss where id > %d", i*1000+200), "50")
				testenv.Wait(t, "the target has ended the sessions", func() bool {
					return r.target.Value("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()") == "0"
				})
			}
			p.stop()
			r.once()
			r.pgEqual(t)
		})
	}
}

// lesser makes a role of the target, which the config then names, that may do everything with what there is, and returns what takes away its right to
// update orders and what gives it back.
func (r *rig) lesser() (revoke, grant string) {
	r.t.Helper()
	role := r.target.name()
	r.config.targetURL = strings.NewReplacer("//root@", "//"+role+"@", "//postgres@", "//"+role+"@").Replace(r.config.targetURL)
	if _, ok := r.target.(*postgres); ok {
		r.target.Exec("create role " + role + " login; grant all on schema public to " + role + "; grant all on all tables in schema public to " + role)
		r.t.Cleanup(func() { r.target.Exec("drop owned by " + role + "; drop role " + role) })
		return "revoke update on orders from " + role, "grant update on orders to " + role
	}
	orders, user := "update on "+role+".orders", "'"+role+"'@'%'"
	r.target.Exec("create user " + user + "; grant select, insert, delete, create, alter on " + role + ".* to " + user + "; grant update on " + role + "._tailwater_marks to " + user + "; grant " + orders + " to " + user)
	r.t.Cleanup(func() { r.target.Exec("drop user " + user) })
	return "revoke " + orders + " from " + user, "grant " + orders + " to " + user
}

// TestOthersRightsLost: a right that goes while it runs ends it, and nothing is lost when it is back.
func TestOthersRightsLost(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"pg15", "mysql97", "mariadb118"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", target, "direct")
			r.source.Exec("create table orders (id int primary key, note varchar(50)); insert into orders values (1, 'a'), (2, 'b')")
			r.once()
			revoke, grant := r.lesser()
			p := r.start("run")
			r.source.Exec("insert into orders values (3, 'c')")
			r.arrives(p, "select count(*) from orders", "3")
			r.target.Exec(revoke)
			r.source.Exec("insert into orders values (4, 'd'); update orders set note = 'x' where id = 1; insert into orders values (5, 'e')")
			p.refuses(3, "denied", "orders")
			r.unchangedRows(func() { r.start("run", "--once").refuses(3, "denied", "orders") })
			r.target.Exec(grant)
			r.once()
			testenv.Compare(t, r.source.Of("select id, note from orders"), r.target.Of("select id, note from orders"))
		})
	}
}

// TestOthersAlteredTargets: somebody alters the target while rows come.
func TestOthersAlteredTargets(t *testing.T) {
	t.Parallel()
	type step struct{ target, source string }
	for _, c := range []struct {
		name, before string
		steps        []step
	}{
		{"a column of another type, wider, and back", "create table o (id int primary key, a int, b text); insert into o values (100, 1, 'first')", []step{
			{"alter table o alter a type bigint", "insert into o values (1, 1, 'a'); update o set a = 2"},
			{"alter table o alter a type numeric", "insert into o values (2, 2, 'b'); update o set a = 3"},
			{"alter table o alter a type text", "insert into o values (3, 3, 'c'); update o set a = 4 where id < 3; delete from o where id = 1"},
			{"alter table o alter b type varchar(40)", "insert into o values (4, 4, 'd')"}}},
		{"columns of its own come and go", "create table o (id int primary key, a int, b text); insert into o values (100, 1, 'first')", []step{
			{"alter table o add mine int not null default 5", "insert into o values (1, 1, 'a')"},
			{"alter table o drop mine, add mine2 text generated always as (b || '!') stored", "insert into o values (2, 1, 'a'); update o set b = 'x'"},
			{"alter table o drop mine2; alter table o add mine3 timestamptz not null default now()", "insert into o values (3, 1, 'a'); delete from o where id = 1"},
			{"create unique index on o (b, id)", "insert into o values (4, 4, 'd')"}}},
		{"the key's index is made anew", "create table o (id int primary key, a int, b text); insert into o values (100, 1, 'first')", []step{
			{"create unique index o2 on o (id); alter table o drop constraint o_pkey", "insert into o values (1, 1, 'a'); update o set a = 2"},
			{"alter table o add primary key using index o2", "insert into o values (2, 1, 'a'); update o set a = a + 1"},
			{"cluster o using o2;; vacuum full o", "insert into o values (3, 1, 'a'); delete from o where id = 1"},
			{"reindex table o", "insert into o values (4, 4, 'd')"}}},
		{"it becomes partitioned", "create table o (id int primary key, a int, b text); insert into o values (100, 1, 'first')", []step{
			{"begin; alter table o rename to o_was; create table o (b text, id int primary key, a int) partition by hash (id); create table o_1 partition of o for values with (modulus 2, remainder 0); create table o_2 partition of o for values with (modulus 2, remainder 1); insert into o (id, a, b) select id, a, b from o_was; commit", "insert into o values (1, 1, 'a'), (2, 2, 'b'); update o set a = 2"},
			{"drop table o_was", "insert into o values (4, 4, 'd'); update o set id = 3 where id = 1"}}},
		{"without a key: columns of its own, another type", "create table o (a int, b text); alter table o replica identity full; insert into o values (1, 'first')", []step{
			{"alter table o add mine int default 5", "insert into o values (1, 'a'), (1, 'a'), (2, 'b')"},
			{"alter table o alter a type bigint", "delete from o where ctid = (select min(ctid) from o where a = 1)"},
			{"alter table o drop mine", "update o set b = 'z' where a = 1"},
			{"alter table o alter b type varchar(40)", "insert into o values (4, 'd')"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", "direct")
			pgSQL(r.source, c.before+"; create table the_last (id int primary key)")
			r.once()
			p := r.start("run")
			for i, s := range c.steps {
				pgSQL(r.target, s.target)
				pgSQL(r.source, fmt.Sprintf("%s; insert into the_last values (%d)", s.source, i))
				r.arrives(p, fmt.Sprintf("select count(*) from the_last where id = %d", i), "1")
			}
			p.stop()
			r.once()
			r.pgEqual(t)
			if n := r.target.Value("select count(*) from _tailwater_parked"); n != "0" {
				t.Errorf("%s changes are parked", n)
			}
		})
	}
}

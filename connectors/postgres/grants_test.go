package postgres_test

import (
	"path"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestGrantsOfPatterns: the printed SQL gives, for each pattern, what the pattern matches here, and can be run again.
func TestGrantsOfPatterns(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	names := []string{"a", "ab", "abc", "a.b", "a-b", "a*b", "b", "z9", `it's`, `q"q`, "A", "a]b", `a\b`, "a^b", "$grants$", "é", "_tailwater_marks"}
	pg.Exec(`create schema s; create schema "other one"`)
	for _, n := range names {
		pg.Exec(`create table s."` + strings.ReplaceAll(n, `"`, `""`) + `" (id int primary key)`)
	}
	pg.Exec(`create table "other one".a (id int primary key); create unlogged table s.unlogged (id int);
		create table s.parted (id int primary key) partition by range (id); create table s.part partition of s.parted for values from (0) to (9)`)
	role := "cdc_" + pg.Database
	t.Cleanup(func() { pg.Exec("drop owned by " + role + "; drop role " + role) })
	for _, pattern := range []string{"a*", "?", "a?b", "[ab]", "[^a-b]*", `a\*b`, `a[\]\-.]b`, "[a-c]?*", `a[\\^]b`, "$*", "é", "it's", `*"*`, "*"} {
		c := config(t, pg)
		c.URL = strings.Replace(c.URL, "postgres@", role+"@", 1)
		c.Include, c.Exclude = []string{"s." + pattern}, []string{"s.part*", "s.unlogged", "s.[z]*"}
		if pattern == "*" {
			c.Include = append(c.Include, "other*.a")
		}
		c.Publication.Name = "p"
		grants, err := postgres.Grants(c)
		if err != nil {
			t.Fatal(err)
		}
		pg.Psql(grants)
		pg.Psql(grants)
		for _, n := range append(names, "part", "parted", "unlogged") {
			want, _ := path.Match(pattern, n)
			want = want && !strings.HasPrefix(n, "part") && n != "unlogged" && n != "z9" && n != "_tailwater_marks"
			at := "'s' and %s = '" + strings.ReplaceAll(n, "'", "''") + "'"
			published := pg.Value("select count(*) from pg_publication_tables where pubname = 'p' and schemaname = "+strings.Replace(at, "%s", "tablename", 1)) == "1"
			granted := pg.Value("select count(*) from information_schema.role_table_grants where grantee = '"+role+"' and privilege_type = 'SELECT' and table_schema = "+
				strings.Replace(at, "%s", "table_name", 1)) == "1"
			if published != want || granted != want {
				t.Errorf("%s and table %s: published %t, granted %t, want %t\n%s", pattern, n, published, granted, want, grants)
			}
		}
		if got := pg.Value("select count(*) from pg_publication_tables where pubname = 'p' and schemaname = 'other one'"); (got == "1") != (pattern == "*") {
			t.Errorf("%s: %s tables of the other schema", pattern, got)
		}
		pg.Exec("drop publication p; drop owned by " + role)
	}
}

// TestGrantsGiveWhatIsMissing: a role that exists gets what it lacks, one that may do more is left alone.
func TestGrantsGiveWhatIsMissing(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create table a (id int primary key); create table b (id int primary key); create publication p for table a with (publish_via_partition_root = true)")
	role := "cdc_" + pg.Database
	pg.Exec("create role " + role)
	t.Cleanup(func() { pg.Exec("drop owned by " + role + "; drop role " + role) })
	c := config(t, pg)
	c.URL = strings.Replace(c.URL, "postgres@", role+"@", 1)
	c.Include, c.Publication.Name = []string{"public.a", "public.b"}, "p"
	grants, err := postgres.Grants(c)
	if err != nil {
		t.Fatal(err)
	}
	pg.Psql(grants)
	if got := pg.Value("select rolcanlogin and rolreplication and not rolsuper from pg_roles where rolname = '" + role + "'"); got != "t" {
		t.Error("the role can't replicate")
	}
	if got := pg.Value("select string_agg(tablename, ' ' order by 1) from pg_publication_tables where pubname = 'p'"); got != "a b" {
		t.Errorf("published: %s", got)
	}
	pg.Exec("alter role " + role + " superuser noreplication")
	pg.Psql(grants)
	if got := pg.Value("select rolreplication from pg_roles where rolname = '" + role + "'"); got != "f" {
		t.Error("a superuser was given more")
	}
}

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// as has the pipeline read its MySQL or MariaDB source as an account that may do only what the grants say.
func (r *rig) as(grants ...string) (user string) {
	r.t.Helper()
	m := r.source.(*mysql)
	user, password := m.User(grants...)
	r.config.sourceURL = "mysql://" + user + "@" + m.Addr + "/"
	r.config.inSource = `      password: "${env:E2E_PASSWORD:-` + password + `}"`
	return user
}

// reading are the grants that the log takes.
var reading = []string{"replication slave on *.*", "replication client on *.*"}

// TestMySQLRefuses: what an account may not do is exit code 3, a table that isn't there is 4, each before the target is touched.
func TestMySQLRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(r *rig)
		code    int
		words   []string
	}{
		{"wrong password", func(r *rig) {
			r.as("select")
			r.config.inSource = `      password: "${env:E2E_PASSWORD:-wrong}"`
		}, 3, []string{"source", "Access denied", "access denied"}},
		{"no such account", func(r *rig) {
			r.config.sourceURL = strings.Replace(r.config.sourceURL, "root@", "nobody@", 1)
		}, 3, []string{"source", "nobody", "access denied"}},
		{"no grant for the log", func(r *rig) { r.as("select", reading[1]) }, 3, []string{"source", "REPLICATION SLAVE", "access denied"}},
		{"no grant for the log's end", func(r *rig) { r.as("select", reading[0]) }, 3, []string{"source", "access denied"}},
		{"no grant for any table", func(r *rig) { r.as(reading...) }, 3, []string{"no table matches", "SELECT", "tailwater grants source", "access denied"}},
		{"no grant for a table that is named", func(r *rig) {
			r.as(append(reading, "select on "+r.table("other"))...)
			r.config.include = []string{r.table("orders"), r.table("other")}
		}, 4, []string{r1("orders"), "doesn't exist, or the user lacks SELECT"}},
		{"a missing table", func(r *rig) {
			r.config.include = []string{r.table("orders"), r.table("none")}
		}, 4, []string{r1("none"), "doesn't exist"}},
		{"nobody listens", func(r *rig) { r.config.sourceURL = "mysql://root@127.0.0.1:1/" }, 3, []string{"source", "127.0.0.1:1", "unreachable"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"mysql97", "mariadb118"} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					r := rigOf(t, "direct", newEngine(t, name))
					r.source.Exec("create table other (id int primary key)")
					r.seed(1)
					c.prepare(r)
					r.unchanged(func() { r.start("run").refuses(c.code, c.words...) })
					if r.target.has("orders") {
						t.Error("the target has the table")
					}
				})
			}
		})
	}
}

// r1 is how a message ends the name of a table whose database is the test's own.
func r1(table string) string { return "." + table }

// TestATableThatIsHidden: rows of a table that the account may not read stand in the log. They are never passed over, nor taken without those that
// the table had before: the end names the table and the grant, and after it both ends are equal.
func TestATableThatIsHidden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mysql97", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			bothStreams(t, func(t *testing.T, stream string) {
				r := rigOf(t, stream, newEngine(t, name))
				r.seed(10)
				r.source.Exec("create table hidden (id bigint primary key, note text)")
				r.insert("hidden", 1, 10, "before")
				user := r.as(append(reading, "select on "+r.table("orders"), "lock tables")...)
				r.once()
				r.equal("orders")
				r.insert("hidden", 11, 20, "in the log")
				r.insert("orders", 11, 20, "behind it")
				for range 2 {
					r.start("run").refuses(1, r.table("hidden"), "lacks SELECT", "GRANT SELECT ON `"+r.source.name()+"`.`hidden`")
				}
				r.source.Exec(fmt.Sprintf("grant select on %s to '%s'@'%%'", r.table("hidden"), user))
				r.once()
				r.equal("orders", "hidden")
			})
		})
	}
}

// TestMySQLNotFit: settings of a server that hide what changed are exit code 4, with the setting.
func TestMySQLNotFit(t *testing.T) {
	t.Parallel()
	refuses := func(r *rig, words ...string) {
		r.t.Helper()
		r.unchanged(func() { r.start("run").refuses(4, words...) })
		p := r.start("doctor", "--check", r.source.(*mysql).kind()+".")
		p.ends(4)
		if out := p.out.String(); !strings.Contains(out, words[0]) || !strings.Contains(out, "fix: ") {
			r.t.Errorf("doctor doesn't name %s and its fix:\n%s", words[0], out)
		}
	}
	for _, name := range []string{"mysql97", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{})
			r := rigOf(t, "direct", &mysql{My: server.My})
			r.seed(1)
			server.Exec("set global binlog_format = statement")
			refuses(r, "binlog_format", "ROW", "STATEMENT")
			server.Exec("set global binlog_format = row")
			r.once()
			r.equal("orders")
			server.Restart("skip-log-bin")
			refuses(r, "log", "log_bin")
		})
	}
}

// TestTheOtherFlavor: MySQL and MariaDB are told apart, whatever the config calls the server.
func TestTheOtherFlavor(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{"mysql97": "mariadb", "mariadb118": "mysql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rigOf(t, "direct", &mysql{My: testenv.MySQL(t, name), flavor: said})
			r.seed(1)
			r.unchanged(func() { r.start("run").refuses(4, "other flavor", "the configuration "+said) })
		})
	}
}

// TestMySQLTargetRefuses: the same for a target, and what it lacks.
func TestMySQLTargetRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(r *rig)
		code    int
		words   []string
	}{
		{"no such account", func(r *rig) {
			r.config.targetURL = strings.Replace(r.config.targetURL, "root@", "nobody@", 1)
		}, 3, []string{"sink copy", "nobody", "access denied"}},
		{"nobody listens", func(r *rig) { r.config.targetURL = "mysql://root@127.0.0.1:1/x" }, 3, []string{"sink copy", "127.0.0.1:1", "unreachable"}},
		{"no such database", func(r *rig) { r.config.targetURL += "_nowhere" }, 3, []string{"sink copy", "_nowhere"}},
		{"no grant to write", func(r *rig) {
			m := r.target.(*mysql)
			user, password := m.User("select")
			r.config.targetURL = strings.Replace(r.config.targetURL, "root@", user+"@", 1)
			r.config.inSink = `, password: "${env:E2E_PASSWORD:-` + password + `}"`
		}, 3, []string{"sink copy", "denied", "tailwater grants"}},
		{"no table", func(r *rig) { r.config.tables = false }, 4, []string{"orders", "create_tables is off", "CREATE TABLE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"mysql97", "mariadb118"} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					r := rigBetween(t, "direct", &postgres{testenv.Postgres(t, 15)}, newEngine(t, name))
					r.seed(1)
					c.prepare(r)
					r.start("run").refuses(c.code, c.words...)
					if r.target.has("orders") {
						t.Error("the target has the table")
					}
				})
			}
		})
	}
}

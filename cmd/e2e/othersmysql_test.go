package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// othersCase is what another system's suite does to a MySQL or MariaDB source: after a snapshot of what before makes, all tables of the source are
// equal at the target once after is applied. {db} stands for the database, {other} for one that isn't captured.
type othersCase struct {
	name          string // the system, and what it tests
	on            string // "mysql", "mariadb" or one server alone
	before, after string
}

// holds says that the case is one of the server.
func (c othersCase) holds(m *mysql) bool { return c.on == "" || c.on == m.kind() || c.on == m.Name }

// asBefore puts the session back to what it was.
const asBefore = "; set autocommit = 1, timestamp = default, sql_mode = default, foreign_key_checks = 1, time_zone = '+00:00', binlog_row_image = default; set names utf8mb4; use {db}"

func othersSQL(r *rig, sql string) {
	db := r.source.name()
	r.source.Exec(strings.NewReplacer("{db}", db, "{other}", db+"_other").Replace(sql + asBefore))
}

// othersRig is a pipeline between a MySQL and a MariaDB server, with a database beside the captured one.
func othersRig(t *testing.T, source, target string) *rig {
	t.Helper()
	r := rigBetween(t, "direct", newEngine(t, source), newEngine(t, target))
	r.config.inSink = ", on_schema_change: { drop: apply }"
	r.source.Exec("create database " + r.source.name() + "_other")
	t.Cleanup(func() { r.source.Exec("drop database " + r.source.name() + "_other") })
	return r
}

// othersEqual compares all tables of the source, column by column whatever the order in which the target has them.
func (r *rig) othersEqual(t *testing.T) {
	t.Helper()
	m := r.source.(*mysql)
	tables := first(m.Query("select table_name from information_schema.tables where table_schema = '" + m.Database + "' and table_type in ('BASE TABLE', 'SYSTEM VERSIONED')"))
	carried := ""
	if m.MariaDB { // its log may lack what the server computes
		carried = " and is_generated = 'NEVER'"
	}
	for _, table := range tables {
		if !r.target.has(table) {
			if n := m.Value("select count(*) from `" + table + "`"); n != "0" {
				t.Errorf("%s: the target lacks the table, which has %s rows", table, n)
			}
			continue
		}
		names := "`" + strings.Join(first(m.Query(fmt.Sprintf("select replace(column_name, '`', '``') from information_schema.columns where table_schema = '%s' and table_name = '%s'%s order by ordinal_position",
			m.Database, table, carried))), "`, `") + "`"
		query := "select " + names + " from `" + table + "`"
		if !testenv.Compare(t, r.source.Of(query), r.target.Of(query)) {
			t.Errorf("%s differs", table)
		}
	}
}

// othersEnds are the sources, each with a target of the other kind.
var othersEnds = [][2]string{{"mysql97", "mariadb118"}, {"mariadb10", "mysql97"}, {"mariadb118", "mysql97"}}

// TestOthersMySQL: what other systems' suites do, in one database, while the program runs and while it stands still, so that today's catalogue is
// another than the log's.
func TestOthersMySQL(t *testing.T) {
	t.Parallel()
	for _, ends := range othersEnds {
		for _, when := range []string{"running", "behind"} {
			if ends[0] == "mariadb10" && when == "running" {
				continue // its log is 11.8's
			}
			t.Run(ends[0]+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := othersRig(t, ends[0], ends[1])
				r.others(t, when, othersCases())
			})
		}
	}
}

func (r *rig) others(t *testing.T, when string, cases []othersCase) {
	t.Helper()
	m := r.source.(*mysql)
	r.source.Exec("create table the_last (id int primary key)")
	for _, c := range cases {
		if c.holds(m) && c.before != "" {
			othersSQL(r, c.before)
		}
	}
	r.once()
	r.othersEqual(t)
	var p *process
	if when == "running" {
		p = r.start("run")
	}
	for i, c := range cases {
		if !c.holds(m) {
			continue
		}
		othersSQL(r, fmt.Sprintf("%s; insert into {db}.the_last values (%d)", c.after, i))
		if p != nil {
			r.arrives(p, fmt.Sprintf("select count(*) from the_last where id = %d", i), "1")
		}
	}
	if p != nil {
		p.stop()
	}
	r.once() // tables made meanwhile are read by a snapshot
	r.othersEqual(t)
}

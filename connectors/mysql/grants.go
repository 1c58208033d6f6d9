package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/internal/tables"
)

// Grants returns the SQL that gives the configured user what Open needs and no more, to be run by an administrator. It can be run again: for
// what stands already, and for tables made since that match a pattern. It never grants a right to KILL: a connection's number that we know
// is somebody else's after a failover.
func Grants(config Config) (string, error) {
	sel, err := newSelection(config.Include, config.Exclude)
	if err != nil {
		return "", err
	}
	g := grants{user: config.User, mariadb: config.Flavor == MariaDB, tls: config.TLS != nil, sel: sel}
	if g.user == "" {
		g.user = "tailwater"
	}
	g.account()
	g.replication()
	for _, p := range sel.Include {
		g.table(p)
	}
	return g.b.String(), nil
}

// grants is SQL on its way.
type grants struct {
	user         string
	mariadb, tls bool
	sel          selection
	b            strings.Builder
	databases    []string
}

func (g *grants) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

// who is the account. Narrow '%' to the address that tailwater runs at.
func (g *grants) who() string { return plainText(g.user) + "@'%'" }

// account makes the account; nobody can log in with it until it has a password.
func (g *grants) account() {
	secure := ""
	if g.tls {
		secure = " REQUIRE SSL"
	}
	g.line("-- narrow '%%' to the address that tailwater runs at, and give the account a password: ALTER USER %s IDENTIFIED BY '...';", g.who())
	if g.mariadb {
		g.line("CREATE USER IF NOT EXISTS %s IDENTIFIED VIA mysql_native_password USING 'invalid'%s;", g.who(), secure)
		return
	}
	g.line("CREATE USER IF NOT EXISTS %s IDENTIFIED BY RANDOM PASSWORD%s;", g.who(), secure)
}

func (g *grants) replication() {
	if g.mariadb {
		g.line("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO %s;", g.who())
		return
	}
	g.line("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO %s;", g.who())
	g.line("-- only where gtid_mode is not ON: the log's place is read under a lock of an instant while a snapshot is under way")
	g.line("-- GRANT RELOAD ON *.* TO %s;", g.who())
}

// table grants what an included table or pattern needs. SQL's own grants know patterns of databases only, so a pattern of tables is a query
// that writes the grants for the tables there are.
func (g *grants) table(p tables.Pattern) {
	switch {
	case p.OneSchema() && p.Name == "*" && !g.excludes(p.Schema):
		g.line("GRANT SELECT ON %s.* TO %s;", quote(p.Schema), g.who())
	case p.Exact():
		if !g.sel.Excludes(p.Schema, p.Name) {
			g.line("GRANT SELECT ON %s TO %s;", quoteTable(p.Schema, p.Name), g.who())
		}
	default:
		g.line("-- run what this prints, and again for tables made later")
		g.line("SELECT CONCAT('GRANT SELECT ON `', REPLACE(table_schema, '`', '``'), '`.`', REPLACE(table_name, '`', '``'), '` TO ', %s, ';') AS grants",
			plainText(g.who()))
		g.line("  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND (%s)%s;", like(p), g.notExcluded())
	}
	if p.OneSchema() && !slices.Contains(g.databases, p.Schema) {
		g.databases = append(g.databases, p.Schema)
		if g.mariadb {
			g.line("-- for the snapshot of tables without a key, if their engine has no transactions (MyISAM, Aria, MEMORY) or XA is in use")
		} else {
			g.line("-- for the instant in which the snapshot of a table without a key begins (and of every table where gtid_mode is not ON)")
		}
		g.line("GRANT LOCK TABLES ON %s.* TO %s;", quote(p.Schema), g.who())
	}
}

// excludes says that some table of a database may be excluded.
func (g *grants) excludes(schema string) bool {
	for _, p := range g.sel.Exclude {
		if !p.OneSchema() || p.Schema == schema {
			return true
		}
	}
	return false
}

func (g *grants) notExcluded() string {
	sql := " AND NOT table_name REGEXP " + plainText(tables.OwnExpression)
	for _, p := range g.sel.Exclude {
		sql += " AND NOT (" + like(p) + ")"
	}
	return sql
}

// like is a pattern of path.Match as a condition.
func like(p tables.Pattern) string {
	return fmt.Sprintf("table_schema REGEXP %s AND table_name REGEXP %s", plainText(tables.Expression(p.Schema)), plainText(tables.Expression(p.Name)))
}

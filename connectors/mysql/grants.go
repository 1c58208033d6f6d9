package mysql

import (
	"fmt"
	"slices"
	"strings"
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
	for _, p := range sel.include {
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
func (g *grants) table(p pattern) {
	switch {
	case p.databaseIsExact() && p.name == "*" && !g.excludes(p.schema):
		g.line("GRANT SELECT ON %s.* TO %s;", quote(p.schema), g.who())
	case p.exact():
		if !matchAny(g.sel.exclude, p.schema, p.name) {
			g.line("GRANT SELECT ON %s TO %s;", quoteTable(p.schema, p.name), g.who())
		}
	default:
		g.line("-- run what this prints, and again for tables made later")
		g.line("SELECT CONCAT('GRANT SELECT ON `', REPLACE(table_schema, '`', '``'), '`.`', REPLACE(table_name, '`', '``'), '` TO ', %s, ';') AS grants",
			plainText(g.who()))
		g.line("  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND (%s)%s;", like(p), g.notExcluded())
	}
	if p.databaseIsExact() && !slices.Contains(g.databases, p.schema) {
		g.databases = append(g.databases, p.schema)
		if g.mariadb {
			g.line("-- for the snapshot of tables without a key, if their engine has no transactions (MyISAM, Aria, MEMORY) or XA is in use")
		} else {
			g.line("-- for the instant in which the snapshot of a table without a key begins (and of every table where gtid_mode is not ON)")
		}
		g.line("GRANT LOCK TABLES ON %s.* TO %s;", quote(p.schema), g.who())
	}
}

func (p pattern) databaseIsExact() bool { return !strings.ContainsAny(p.schema, `*?[\`) }

// excludes says that some table of a database may be excluded.
func (g *grants) excludes(schema string) bool {
	for _, p := range g.sel.exclude {
		if !p.databaseIsExact() || p.schema == schema {
			return true
		}
	}
	return false
}

func (g *grants) notExcluded() string {
	sql := ""
	for _, p := range g.sel.exclude {
		sql += " AND NOT (" + like(p) + ")"
	}
	return sql
}

// like is a pattern of path.Match as a condition.
func like(p pattern) string {
	return fmt.Sprintf("table_schema REGEXP %s AND table_name REGEXP %s", plainText(expression(p.schema)), plainText(expression(p.name)))
}

// expression is a pattern of path.Match as a regular expression of the server.
func expression(pattern string) string {
	var b strings.Builder
	b.WriteByte('^')
	class, escaped := false, false
	for i, r := range pattern {
		switch {
		case escaped:
			escaped = false
			b.WriteString(literal(r))
		case r == '\\':
			escaped = true
		case class && r == ']', class && r == '-', class && r == '^' && pattern[i-1] == '[':
			class = r != ']'
			b.WriteRune(r)
		case class:
			b.WriteString(literal(r))
		case r == '[':
			class = true
			b.WriteRune(r)
		case r == '*':
			b.WriteString(".*")
		case r == '?':
			b.WriteString(".")
		default:
			b.WriteString(literal(r))
		}
	}
	return b.String() + "$"
}

// literal is one character that means itself.
func literal(r rune) string {
	if strings.ContainsRune(`.^$*+?()[]{}|\-`, r) {
		return `\` + string(r)
	}
	return string(r)
}

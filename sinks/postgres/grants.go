package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var errNoRole = errors.New("the URL names no user")

// Grants returns the SQL that a superuser or the owner of the target runs so that the role of the URL can do what the configuration asks
// for: the role and the schema if they don't exist, our own tables, and the rights on them. It can be run again.
func Grants(c Config) (string, error) {
	c, pc, err := c.checked()
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(c.URL); err == nil && u.Scheme != "" && u.User.Username() == "" {
		return "", fmt.Errorf("sink %s: %w", c.SinkName, errNoRole)
	}
	role, schema := quoteIdent(pc.User), quoteIdent(c.Schema)
	var b strings.Builder
	b.WriteString("-- the role if it doesn't exist; give it a password of your own\n" + unless("pg_roles WHERE rolname = "+quoteLiteral(pc.User), "CREATE ROLE "+role+" LOGIN"))
	fmt.Fprintf(&b, "GRANT CONNECT ON DATABASE %s TO %s;\n", quoteIdent(databaseOf(pc)), role)
	b.WriteString(unless("pg_namespace WHERE nspname = "+quoteLiteral(c.Schema), "CREATE SCHEMA "+schema))
	for _, t := range ownTables {
		b.WriteString(ownSQL(c.Schema, t.name, t.columns, t.index))
	}
	rights := "USAGE"
	if c.CreateTables {
		rights = "USAGE, CREATE"
	}
	fmt.Fprintf(&b, "GRANT %s ON SCHEMA %s TO %s;\n", rights, schema, role)
	for _, t := range ownTables {
		fmt.Fprintf(&b, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s.%s TO %s;\n", schema, quoteIdent(t.name), role)
	}
	if c.TrustKeys {
		b.WriteString("-- foreign_keys: trust; takes a superuser, PostgreSQL 15 or later\n" + trustSQL(pc.User) + ";\n")
	}
	fmt.Fprintf(&b, "-- for each target table that %s doesn't own:\n", role)
	fmt.Fprintf(&b, "-- GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s.\"...\" TO %s;\n", schema, role)
	if c.Policy.Alters() {
		fmt.Fprintf(&b, "-- and for those whose columns it is to follow, which takes an owner; without it such a change halts with its statement:\n")
		fmt.Fprintf(&b, "-- ALTER TABLE %s.\"...\" OWNER TO %s;\n", schema, role)
	}
	return b.String(), nil
}

// trustSQL lets a role write without the checks of foreign keys.
func trustSQL(user string) string {
	return "GRANT SET ON PARAMETER session_replication_role TO " + quoteIdent(user)
}

// databaseOf is the database that the server chooses too where none is named.
func databaseOf(pc *pgconn.Config) string {
	if pc.Database == "" {
		return pc.User
	}
	return pc.Database
}

// unless runs a statement if the catalogue has no such row. CREATE SCHEMA IF NOT EXISTS would ask for CREATE on the database of somebody
// who owns the schema already.
func unless(row, statement string) string {
	code := "BEGIN\n	IF NOT EXISTS (SELECT FROM pg_catalog." + row + ") THEN\n		" + statement + ";\n	END IF;\nEND"
	tag := "$grants$" // must not occur in the code
	for n := 1; strings.Contains(code, tag); n++ {
		tag = fmt.Sprintf("$grants%d$", n)
	}
	return "DO " + tag + "\n" + code + "\n" + tag + ";\n"
}

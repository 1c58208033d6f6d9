package postgres

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Grants returns the SQL that gives the configured role what Open needs and no more: as a superuser the role's part, as the owner of
// the tables the rest. Patterns of tables are granted by schema, since SQL has no patterns.
func Grants(config Config) (string, error) {
	sel, err := newSelection(config.Include, config.Exclude)
	if err != nil {
		return "", err
	}
	role, database := roleAndDatabase(config.URL)
	if role == "" {
		role = "tailwater"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- as a superuser; give the role a password of your own\nCREATE ROLE %s LOGIN REPLICATION;\n", quote(role))
	fmt.Fprintf(&b, "GRANT CONNECT ON DATABASE %s TO %s;\n", quote(database), quote(role))
	seen := map[string]bool{}
	b.WriteString("-- as the owner of the tables\n")
	for _, p := range sel.include {
		if pattern := strings.ContainsAny(p.schema, `*?[\`); pattern {
			fmt.Fprintf(&b, "-- for each schema that matches %s: GRANT USAGE ON SCHEMA ... and GRANT SELECT ON ALL TABLES IN SCHEMA ... TO %s\n",
				p.schema, quote(role))
			continue
		}
		if !seen[p.schema] {
			seen[p.schema] = true
			fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s;\n", quote(p.schema), quote(role))
		}
		if p.exact() {
			fmt.Fprintf(&b, "GRANT SELECT ON %s TO %s;\n", quoteTable(p.schema, p.name), quote(role))
			continue
		}
		fmt.Fprintf(&b, "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s;\n", quote(p.schema), quote(role))
		fmt.Fprintf(&b, "ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT ON TABLES TO %s;\n", quote(p.schema), quote(role))
	}
	var tables []candidate
	complete := true
	for _, p := range sel.include {
		if !p.exact() {
			complete = false
			continue
		}
		tables = append(tables, candidate{tableName: tableName{p.schema, p.name}})
	}
	if !complete {
		b.WriteString("-- name each table that is to be captured\n")
	}
	b.WriteString(createStatement(config.Publication.Name, tables) + ";\n")
	return b.String(), nil
}

// roleAndDatabase reads both from a connection string; what it can't read it leaves empty.
func roleAndDatabase(dsn string) (role, database string) {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		return u.User.Username(), strings.TrimPrefix(u.Path, "/")
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", ""
	}
	return config.User, config.Database
}

package postgres

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors/internal/tables"
)

// Grants returns the SQL that gives the configured role what Open needs and no more: as a superuser the role's part, as the owner of
// the tables the rest. It can be run again: for what stands already, and for tables made since that match a pattern.
func Grants(config Config) (string, error) {
	sel, err := newSelection(config.Include, config.Exclude)
	if err != nil {
		return "", err
	}
	g := grants{role: "tailwater", publication: config.Publication.Name, sel: sel}
	role, database := roleAndDatabase(config.URL)
	if role != "" {
		g.role = role
	}
	if database == "" {
		database = g.role // the server's own default
	}
	g.line("-- as a superuser; give the role a password of your own")
	g.block("BEGIN\n" + g.makeRole() + "END")
	g.line("GRANT CONNECT ON DATABASE %s TO %s;", quote(database), quote(g.role))
	g.line("-- as the owner of the tables, with CREATE on the database for the publication")
	g.exact()
	g.block(g.publish())
	return g.b.String(), nil
}

// grants is SQL on its way.
type grants struct {
	role, publication string
	sel               selection
	b                 strings.Builder
}

func (g *grants) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

// block writes PL/pgSQL between quotes that don't occur in it.
func (g *grants) block(code string) {
	tag := "$grants$"
	for n := 1; strings.Contains(code, tag); n++ {
		tag = fmt.Sprintf("$grants%d$", n)
	}
	g.line("DO %s\n%s\n%s;", tag, code, tag)
}

// makeRole makes the role, or gives one that exists what it lacks.
func (g *grants) makeRole() string {
	where := "(SELECT FROM pg_catalog.pg_roles WHERE rolname = " + quoteText(g.role)
	return "	IF NOT EXISTS " + where + ") THEN\n" +
		"		CREATE ROLE " + quote(g.role) + " LOGIN REPLICATION;\n" +
		"	ELSIF NOT EXISTS " + where + " AND rolcanlogin AND (rolreplication OR rolsuper)) THEN\n" +
		"		ALTER ROLE " + quote(g.role) + " LOGIN REPLICATION;\n" +
		"	END IF;\n"
}

// exact grants what is included by name.
func (g *grants) exact() {
	seen := map[string]bool{}
	for _, p := range g.sel.Named() {
		if !seen[p.Schema] {
			seen[p.Schema] = true
			g.line("GRANT USAGE ON SCHEMA %s TO %s;", quote(p.Schema), quote(g.role))
		}
		g.line("GRANT SELECT ON %s TO %s;", quoteTable(p.Schema, p.Name), quote(g.role))
	}
}

// publish makes the publication and adds each table to it, and grants what is included by a pattern: SQL's own grants know none.
func (g *grants) publish() string {
	published := func(schema, table string) string {
		return fmt.Sprintf("IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables WHERE pubname = %s AND schemaname = %s AND tablename = %s) THEN\n",
			quoteText(g.publication), schema, table)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "	IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = %s) THEN\n		%s;\n	END IF;\n",
		quoteText(g.publication), createStatement(g.publication, nil))
	for _, p := range g.sel.Named() {
		b.WriteString("	" + published(quoteText(p.Schema), quoteText(p.Name)))
		fmt.Fprintf(&b, "		ALTER PUBLICATION %s ADD TABLE %s;\n	END IF;\n", quote(g.publication), quoteTable(p.Schema, p.Name))
	}
	matching := g.matching()
	if matching == "" {
		return "BEGIN\n" + b.String() + "END"
	}
	b.WriteString(matching)
	fmt.Fprintf(&b, "		EXECUTE format('GRANT USAGE ON SCHEMA %%I TO %%I', t.nspname, %s);\n", quoteText(g.role))
	fmt.Fprintf(&b, "		EXECUTE format('GRANT SELECT ON %%I.%%I TO %%I', t.nspname, t.relname, %s);\n", quoteText(g.role))
	b.WriteString("		" + published("t.nspname", "t.relname"))
	fmt.Fprintf(&b, "			EXECUTE format('ALTER PUBLICATION %%I ADD TABLE %%I.%%I', %s, t.nspname, t.relname);\n		END IF;\n	END LOOP;\n",
		quoteText(g.publication))
	return "DECLARE\n	t record;\nBEGIN\n" + b.String() + "END"
}

// matching begins a loop over the tables that are included by a pattern, as selected takes them; empty where there is no pattern.
func (g *grants) matching() string {
	var in, out []tables.Pattern
	for _, p := range g.sel.Include {
		if !p.Exact() {
			in = append(in, p)
		}
	}
	if len(in) == 0 {
		return ""
	}
	out = g.sel.Exclude
	sql := "	FOR t IN SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n" +
		"		WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition\n" +
		"			AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname !~ " + quoteText(tables.OwnExpression) + "\n			AND (" + anyOf(in) + ")\n"
	if len(out) > 0 {
		sql += "			AND NOT (" + anyOf(out) + ")\n"
	}
	return sql + "	LOOP\n"
}

func anyOf(patterns []tables.Pattern) string {
	each := make([]string, len(patterns))
	for i, p := range patterns {
		each[i] = "n.nspname ~ " + quoteText(tables.Expression(p.Schema)) + " AND c.relname ~ " + quoteText(tables.Expression(p.Name))
	}
	return strings.Join(each, " OR ")
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

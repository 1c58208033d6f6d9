package mysql

import (
	"errors"
	"fmt"
	"strings"
)

var errNoUser = errors.New("the URL names no user")

// Grants returns the SQL that an administrator of the target runs so that the account of the URL can do what the configuration asks for: the account and
// the database if they don't exist, our own tables, and the rights on them. It can be run again.
func Grants(c Config) (string, error) {
	c, dc, err := c.checked()
	if err != nil {
		return "", err
	}
	if dc.User == "" {
		return "", fmt.Errorf("sink %s: %w", c.SinkName, errNoUser)
	}
	account, database := quoteIdent(dc.User)+"@'%'", quoteIdent(c.Schema)
	var b strings.Builder
	b.WriteString("-- the account if it doesn't exist, locked until it has a password of your own:\n")
	fmt.Fprintf(&b, "-- ALTER USER %s IDENTIFIED BY '...' ACCOUNT UNLOCK;\n", account)
	fmt.Fprintf(&b, "CREATE USER IF NOT EXISTS %s ACCOUNT LOCK;\n", account)
	fmt.Fprintf(&b, "CREATE DATABASE IF NOT EXISTS %s;\n", database)
	for _, t := range ownTables {
		b.WriteString(ownSQL(c.Schema, t.name, t.columns) + ";\n")
	}
	if c.CreateTables { // who makes a table has no rights on it by that
		fmt.Fprintf(&b, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON %s.* TO %s;\n", grantPattern(c.Schema), account)
		return b.String(), nil
	}
	for _, t := range ownTables {
		fmt.Fprintf(&b, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s;\n", qualified(c.Schema, t.name), account)
	}
	rights := "SELECT, INSERT, UPDATE, DELETE"
	if c.Policy.Alters() {
		rights += ", ALTER" // without it, a change that on_schema_change follows halts with its statement
	}
	fmt.Fprintf(&b, "-- for each target table:\n-- GRANT %s ON %s.`...` TO %s;\n", rights, database, account)
	return b.String(), nil
}

// grantPattern is a database's name in GRANT ... ON database.*, where _ and % stand for others.
func grantPattern(database string) string {
	return quoteIdent(strings.NewReplacer("_", `\_`, "%", `\%`).Replace(database))
}

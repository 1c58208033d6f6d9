package mysql

import (
	"encoding/hex"
	"strings"
)

// quote writes an identifier.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteTable(schema, name string) string { return quote(schema) + "." + quote(name) }

// quoteText writes UTF-8 text as a literal that no sql_mode reads otherwise.
func quoteText(s string) string { return "_utf8mb4 " + quoteBytes(s) }

// quoteBytes writes a binary string.
func quoteBytes(s string) string { return "x'" + hex.EncodeToString([]byte(s)) + "'" }

// plainText writes text for people to paste, as a server of the default sql_mode reads it.
func plainText(s string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(s) + "'"
}

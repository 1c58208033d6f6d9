package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func quoteTable(schema, name string) string { return pgx.Identifier{schema, name}.Sanitize() }

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

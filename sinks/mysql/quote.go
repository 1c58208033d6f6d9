package mysql

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxIdent is the longest name that the server takes, in characters. Source: MySQL manual 11.2.1; MariaDB, "Identifier Names".
const maxIdent = 64

// quoteIdent quotes any name that checkIdent takes.
func quoteIdent(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// qualified is a table's name in SQL.
func qualified(database, table string) string { return quoteIdent(database) + "." + quoteIdent(table) }

// quoteLiteral quotes a text for SQL. NO_BACKSLASH_ESCAPES is on in every session of ours.
func quoteLiteral(s string) string { return string(appendQuoted(nil, s)) }

// hexLiteral is a text without a quote in it. MySQL 9.7 prints a condition on a view that is a union and reads it again, with backslashes
// whatever sql_mode says.
func hexLiteral(s string) string { return "0x" + hex.EncodeToString([]byte(s)) }

// appendQuoted appends s between quotes, its own doubled.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '\'')
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			break
		}
		dst = append(append(dst, s[:i]...), '\'', '\'')
		s = s[i+1:]
	}
	return append(append(dst, s...), '\'')
}

var errEmptyName = errors.New("a name is empty")

// checkIdent refuses a name that the server would refuse or read as another.
func checkIdent(name string) error {
	switch {
	case name == "":
		return errEmptyName
	case utf8.RuneCountInString(name) > maxIdent:
		return fmt.Errorf("name %q has %d characters and the target takes %d", name, utf8.RuneCountInString(name), maxIdent)
	case strings.ContainsRune(name, 0) || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r > 0xffff }):
		return fmt.Errorf("name %q holds characters that the target takes in no name", name)
	case strings.ContainsRune(" \t\n\v\f\r", rune(name[len(name)-1])):
		return fmt.Errorf("name %q ends with a blank, which the target takes in no name", name)
	}
	return nil
}

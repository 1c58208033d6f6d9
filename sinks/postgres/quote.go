package postgres

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxIdent is the longest name that the server keeps whole, in bytes; it cuts longer ones, so two of them may become one.
// Source: PostgreSQL manual 4.1.1, NAMEDATALEN.
const maxIdent = 63

// quoteIdent quotes any name. It is the same as the server's format('%I') but for names that need no quotes, which get them too.
func quoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// quoteLiteral quotes a text for SQL; standard_conforming_strings is on in every session of ours.
func quoteLiteral(s string) string {
	return `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
}

var errEmptyName = errors.New("a name is empty")

// checkIdent refuses a name that the server would refuse or cut.
func checkIdent(name string) error {
	switch {
	case name == "":
		return errEmptyName
	case len(name) > maxIdent:
		return fmt.Errorf("name %q has %d bytes and PostgreSQL keeps %d", name, len(name), maxIdent)
	case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
		return fmt.Errorf("name %q holds bytes that PostgreSQL takes in no name", name)
	}
	return nil
}

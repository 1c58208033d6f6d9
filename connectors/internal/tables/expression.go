package tables

import "strings"

// Expression is a part of a Pattern as a regular expression that PostgreSQL, MySQL and MariaDB read alike.
func Expression(pattern string) string {
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

// literal is one character that means itself. A backslash before a letter or a digit would give it a meaning.
func literal(r rune) string {
	if strings.ContainsRune(`.^$*+?()[]{}|\-`, r) {
		return `\` + string(r)
	}
	return string(r)
}

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Environment is what ${env:} and ${file:} read from.
type Environment struct {
	Lookup   func(name string) (string, bool)
	ReadFile func(path string) ([]byte, error)
}

// System is the process's own environment and files.
func System() Environment { return Environment{Lookup: os.LookupEnv, ReadFile: readSecretFile} }

// maxSecretFile bounds a ${file:} in bytes.
const maxSecretFile = 64 << 10

// readSecretFile reads the whole of a small file.
func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(b) > maxSecretFile {
		return nil, fmt.Errorf("larger than %d bytes", maxSecretFile)
	}
	return b, err
}

var errReference = errors.New("a ${ has to be ${env:NAME}, ${env:NAME:-default} or ${file:PATH}; write $${ for the two characters themselves")

// errNotSet: a variable without a text.
var errNotSet = errors.New("is not set")

// expand replaces the references in s. What they bring is not looked at again. The error never holds a value.
func (e Environment) expand(s string) (string, error) {
	var b strings.Builder
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
		if at > 0 && s[at-1] == '$' {
			b.WriteString(s[:at-1] + "${")
			s = s[at+2:]
			continue
		}
		b.WriteString(s[:at])
		ref, rest, closed := strings.Cut(s[at+2:], "}")
		if !closed {
			return "", errReference
		}
		v, err := e.resolve(ref)
		if err != nil {
			return "", err
		}
		b.WriteString(v)
		s = rest
	}
}

// resolve returns what one reference stands for. A variable that is set but empty counts as not set, as in a shell's :-.
func (e Environment) resolve(ref string) (string, error) {
	how, what, _ := strings.Cut(ref, ":")
	switch how {
	case "env":
		name, fallback, hasFallback := strings.Cut(what, ":-")
		if name == "" || strings.ContainsAny(name, " \t=:") {
			return "", errReference
		}
		if v, _ := e.Lookup(name); v != "" {
			return v, nil
		}
		if hasFallback {
			return fallback, nil
		}
		return "", fmt.Errorf("environment variable %s %w", name, errNotSet)
	case "file":
		if what == "" {
			return "", errReference
		}
		b, err := e.ReadFile(what)
		if err != nil {
			return "", fmt.Errorf("read secret file: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
	}
	return "", errReference
}

// isReference says that s holds something to replace.
func isReference(s string) bool { return strings.Contains(s, "${") }

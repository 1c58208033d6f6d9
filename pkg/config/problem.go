package config

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one thing that is wrong, or doubtful, in a config file.
type Problem struct {
	File       string `json:"file"`
	Line       int    `json:"line,omitempty"` // from 1; 0: of the file as a whole
	Column     int    `json:"column,omitempty"`
	Code       string `json:"code"`                 // stable id, e.g. "config.unknown_key"
	Path       string `json:"configPath,omitempty"` // e.g. pipelines[0].source.url
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"` // what to write instead
}

// The codes of Problems.
const (
	CodeSyntax     = "config.syntax"
	CodeUnknownKey = "config.unknown_key"
	CodeDuplicate  = "config.duplicate"
	CodeMissing    = "config.missing"
	CodeType       = "config.type"
	CodeValue      = "config.value"
	CodeNotYet     = "config.not_available"
	CodeSecret     = "config.secret"
	CodeConflict   = "config.conflict"
	CodeRead       = "config.read"
)

// String returns file:line:column: path: message; suggestion.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		b.WriteString("; " + p.Suggestion)
	}
	return b.String()
}

// Error is every Problem of a file that keeps it from being used, in the file's order.
type Error struct{ Problems []Problem }

// Error returns one line for each Problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i := range e.Problems {
		lines[i] = e.Problems[i].String()
	}
	return strings.Join(lines, "\n")
}

// Problems returns what err says is wrong with the file, or nil where err is of another kind.
func Problems(err error) []Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Problems
	}
	return nil
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

// outcome is what a verb has to say, whether it failed or not.
type outcome struct {
	summary string          // one sentence
	result  any             // for --json
	text    func(io.Writer) // for people; nil: the summary alone. What a verb was asked for is printed with --quiet too
}

// envelope is the JSON that every verb prints.
type envelope struct {
	Command string         `json:"command"`
	OK      bool           `json:"ok"`
	Summary string         `json:"summary"`
	Result  any            `json:"result,omitempty"`
	Error   *envelopeError `json:"error,omitempty"`
}

type envelopeError struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	ConfigPath string `json:"configPath,omitempty"`
	Suggestion string `json:"suggestion,omitempty"`
}

// report prints what a verb returned and gives its exit code.
func (a *app) report(verb string, out outcome, err error) int {
	if a.json {
		return a.reportJSON(verb, out, err)
	}
	switch {
	case out.text != nil:
		out.text(a.stdout)
	case out.summary != "" && !a.quiet:
		fmt.Fprintln(a.stdout, out.summary)
	}
	if err == nil {
		return exitOK
	}
	f := classify(err)
	if problems := config.Problems(err); problems != nil {
		for _, p := range problems {
			fmt.Fprintln(a.stderr, a.paint(red, "error: ")+lines(p.String()))
		}
		return f.exit
	}
	fmt.Fprintln(a.stderr, a.paint(red, "error: ")+lines(f.Error()))
	if f.fix != "" {
		fmt.Fprintln(a.stderr, "fix: "+f.fix)
	}
	return f.exit
}

func (a *app) reportJSON(verb string, out outcome, err error) int {
	e := envelope{Command: verb, OK: err == nil, Summary: out.summary, Result: out.result}
	code := exitOK
	if err != nil {
		f := classify(err)
		code = f.exit
		e.Error = &envelopeError{Code: f.code, Message: f.Error(), Suggestion: f.fix}
		if problems := config.Problems(err); len(problems) > 0 {
			first := problems[0]
			e.Error.Message, e.Error.ConfigPath, e.Error.Suggestion = fmt.Sprintf("%s:%d:%d: %s", first.File, first.Line, first.Column, first.Message), first.Path, first.Suggestion
			if e.Result == nil {
				e.Result = map[string]any{"problems": problems}
			}
		}
		if e.Summary == "" {
			e.Summary = e.Error.Message
		}
	}
	b, marshalErr := json.MarshalIndent(e, "", "  ")
	if marshalErr != nil {
		fmt.Fprintln(a.stderr, "error: write the answer as JSON: "+marshalErr.Error())
		return exitRuntime
	}
	fmt.Fprintln(a.stdout, string(b))
	return code
}

// lines keeps what a server said, or a name in it, away from the terminal's own commands; it may have several lines.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	return strings.Join(parts, "\n")
}

// colour is an ANSI colour.
type colour string

const (
	red    colour = "\x1b[31m"
	yellow colour = "\x1b[33m"
	green  colour = "\x1b[32m"
	reset  colour = "\x1b[0m"
)

// paint returns s in a colour where people look at it.
func (a *app) paint(c colour, s string) string {
	if a.noColor || os.Getenv("NO_COLOR") != "" || !isTerminal(a.stdout) || !isTerminal(a.stderr) {
		return s
	}
	return string(c) + s + string(reset)
}

// isTerminal says that somebody looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

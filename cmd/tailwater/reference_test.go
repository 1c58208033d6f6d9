package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

var update = flag.Bool("update", false, "write docs/cli.md again")

// TestGoldenReference holds docs/cli.md to the verbs, their flags and the API's routes.
func TestGoldenReference(t *testing.T) {
	const file = "../../docs/cli.md"
	var b strings.Builder
	b.WriteString(referenceHead)
	a := &app{}
	root := a.root()
	b.WriteString("\nEvery verb takes:\n\n" + flags(root.PersistentFlags()))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			describeCompletion(&b, c)
			continue
		}
		describe(&b, c)
	}
	b.WriteString(referenceHTTP)
	for _, r := range api.Routes() {
		needs := "token"
		if r.Open {
			needs = "open"
		}
		fmt.Fprintf(&b, "| `%s %s` | %s | %s |\n", r.Method, r.Path, needs, r.Doc)
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Errorf("%s differs (%v); run the test with -update and look at the difference", file, err)
	}
}

func describe(b *strings.Builder, c *cobra.Command) {
	if c.HasSubCommands() {
		for _, below := range c.Commands() {
			describe(b, below)
		}
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n%s.\n", strings.TrimSuffix(strings.TrimPrefix(c.UseLine(), "tailwater "), " [flags]"), c.Short)
	if c.Long != "" {
		b.WriteString("\n" + c.Long + "\n")
	}
	if own := flags(c.LocalNonPersistentFlags()); own != "" {
		b.WriteString("\n" + own)
	}
}

// describeCompletion: cobra's own verb has one below it for each shell.
func describeCompletion(b *strings.Builder, c *cobra.Command) {
	var shells []string
	for _, s := range c.Commands() {
		shells = append(shells, s.Name())
	}
	fmt.Fprintf(b, "\n### completion %s\n\n%s. `tailwater completion SHELL --help` says where the script goes.\n", strings.Join(shells, "|"), c.Short)
}

func flags(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() != "bool" {
			name += " " + strings.ToUpper(f.Name)
		}
		fmt.Fprintf(&b, "- `%s`: %s", name, f.Usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(&b, " (default `%s`)", f.DefValue)
		}
		b.WriteString("\n")
	})
	return b.String()
}

const referenceHead = `# Command line

` + "`tailwater VERB -c FILE [-p PIPELINE]`" + `. This page is written by ` + "`go test ./cmd/tailwater -run Golden -update`" + ` from the verbs themselves.

With ` + "`--json`" + ` every verb prints one envelope: ` + "`{command, ok, summary, result, error{code, message, configPath, suggestion}}`" + `. An error is one
sentence, with the fix below it. No verb takes a password on its command line.

| exit code | |
|---|---|
| 0 | ok; also after a graceful stop by SIGTERM or SIGINT |
| 1 | runtime: a pipeline halted, or changes are parked after ` + "`run --once`" + ` |
| 2 | usage or config |
| 3 | environment: a server that doesn't answer or refuses us, a port in use, a lock or slot held by another instance |
| 4 | preflight: a server's setting or a table doesn't allow what the config asks for |
| 5 | continuity lost: an operator must decide |
| 130, 143 | forced by a second SIGINT or SIGTERM; any other verb than ` + "`run`" + ` and ` + "`status -w`" + `: by the first |

Where several pipelines end with different codes the process ends with the worst: 5, 4, 3, 1, 0 in that order.
`

const referenceHTTP = `
## HTTP

` + "`run`" + ` serves this on ` + "`server.listen`" + `, to requests that name it by loopback, by its address or by a name in its certificate. What isn't open takes
the header ` + "`Authorization: Bearer TOKEN`" + `; the token is made at the first start and stands in the file ` + "`token`" + ` of ` + "`server.state_dir`" + `, readable by
its owner only. The verbs read it there, with the address beside it. Refusals are JSON: ` + "`{error: {code, message, suggestion}}`" + `.

| | | |
|---|---|---|
`

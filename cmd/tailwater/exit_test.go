package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// nobody is a config whose servers don't answer; it gives up at once.
const nobody = `version: 1
server: { listen: "127.0.0.1:0", state_dir: ./state, start_timeout: 1s }
pipelines:
  - name: copy
    source:
      type: postgres
      url: postgres://cdc@127.0.0.1:1/app?sslmode=disable
      password: ${env:SECRET:-x}
      slot: { name: tailwater_copy, create: true }
      publication: { name: tailwater_copy, create: true }
      tables: { include: ["public.*"] }
    stream: { type: direct }
    sinks:
      - { name: copy, type: postgres, url: "postgres://writer@127.0.0.1:1/x?sslmode=disable", password: "${env:SECRET:-x}" }
`

const twoPipelines = nobody + `  - name: second
    source:
      type: mysql
      url: mysql://cdc@127.0.0.1:1/
      tables: { include: ["a.*"] }
    stream: { type: kafka, brokers: ["127.0.0.1:1"], tls: { mode: disable }, prefix: p }
`

// TestExitCodes runs the program as a shell does: bad input of every kind, what is said, and the exit code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Close() })
	sub := func(from, to string) string {
		if !strings.Contains(nobody, from) {
			t.Fatalf("%q isn't there", from)
		}
		return strings.Replace(nobody, from, to, 1)
	}
	cases := []struct {
		name   string
		config string
		args   []string
		code   int
		says   []string
	}{
		{"no verb prints help", nobody, nil, 0, []string{"Usage:", "status"}},
		{"help", nobody, []string{"run", "--help"}, 0, []string{"--new-epoch", "SIGTERM"}},
		{"unknown verb", nobody, []string{"frob"}, 2, []string{"unknown command", "fix:"}},
		{"nearly a verb", nobody, []string{"stats"}, 2, []string{"status"}},
		{"unknown flag", nobody, []string{"lint", "--jsn"}, 2, []string{"unknown flag"}},
		{"flag without value", nobody, []string{"echo", "-c"}, 2, []string{"flag needs an argument"}},
		{"too many arguments", nobody, []string{"echo", "x"}, 2, []string{"unknown command"}},
		{"no such file", nobody, []string{"lint", "none.yaml"}, 2, []string{"no such file", "-c FILE"}},
		{"good", nobody, []string{"lint"}, 0, []string{"0 errors"}},
		{"unknown key", sub("slot:", "slott:"), []string{"lint"}, 2, []string{`tailwater.yaml:9:7`, `did you mean "slot"?`}},
		{"wrong type", sub("version: 1", "version: one"), []string{"run"}, 2, []string{":1:10:", "whole number"}},
		{"missing secret", sub("${env:SECRET:-x}", "${env:TAILWATER_NO_SUCH}"), []string{"run"}, 2, []string{"TAILWATER_NO_SUCH is not set"}},
		{"bad size", sub("start_timeout: 1s", "memory_limit: 1GB"), []string{"echo"}, 2, []string{`did you mean "1GiB"?`}},
		{"bad duration", sub("start_timeout: 1s", "start_timeout: 5"), []string{"status"}, 2, []string{"give the unit: 5s"}},
		{"password in a url", sub("cdc@", "cdc:x@"), []string{"run"}, 2, []string{"carries a password"}},
		{"unknown pipeline", nobody, []string{"run", "-p", "x"}, 2, []string{`no pipeline "x"`, "copy"}},
		{"unknown role", nobody, []string{"run", "--role", "x"}, 2, []string{"all, capture or apply"}},
		{"role of a direct stream", nobody, []string{"run", "--role", "apply"}, 2, []string{"one process"}},
		{"engine that isn't there", sub("type: postgres", "type: mongodb"), []string{"run"}, 2, []string{`"mongodb" must be one of: postgres, mysql, mariadb`}},
		{"MySQL unreachable", twoPipelines, []string{"run", "-p", "second"}, 3, []string{"127.0.0.1:1"}},
		{"public address", sub("127.0.0.1:0", "0.0.0.0:7300"), []string{"run"}, 2, []string{"server.tls"}},
		{"port in use", sub("127.0.0.1:0", busy.Addr().String()), []string{"run"}, 3, []string{"address already in use", "server.listen"}},
		{"unreachable", nobody, []string{"run"}, 3, []string{"127.0.0.1"}},
		{"unreachable for doctor", nobody, []string{"doctor"}, 4, []string{"postgres.reachable", "sink.reachable", "host.state_dir", "fix:"}},
		{"one check", nobody, []string{"doctor", "--check", "host.open"}, 0, []string{"1 checks"}},
		{"no such check", nobody, []string{"doctor", "--check", "x"}, 2, []string{`no check "x"`}},
		{"grants of what", nobody, []string{"grants", "x"}, 2, []string{`invalid argument "x"`}},
		{"grants", nobody, []string{"grants", "source"}, 0, []string{"GRANT"}},
		{"parked without a target", nobody, []string{"parked", "list"}, 3, []string{"127.0.0.1"}},
		{"parked of no sink", nobody, []string{"parked", "list", "--sink", "x"}, 2, []string{`no sink "x"`}},
		{"snapshot without a process", nobody, []string{"snapshot", "start", "--table", "a.b"}, 3, []string{"no tailwater runs", "tailwater run"}},
		{"snapshot without a table", nobody, []string{"snapshot", "start"}, 2, []string{`required flag(s) "table"`}},
		{"snapshot of no table", nobody, []string{"snapshot", "start", "--table", "b"}, 2, []string{"schema.table"}},
		{"snapshot of which", twoPipelines, []string{"snapshot", "start", "--table", "a.b"}, 2, []string{"several pipelines", "-p"}},
		{"drop nothing", nobody, []string{"drop"}, 2, []string{"accepts 1 arg"}},
		{"drop unasked", nobody, []string{"drop", "copy"}, 2, []string{"Type its name", "nothing was dropped", "--yes"}},
		{"drop unreachable", nobody, []string{"drop", "copy", "--yes"}, 3, []string{"not dropped whole"}},
		{"status of nothing", nobody, []string{"status"}, 0, []string{"copy", "not running"}},
		{"version", nobody, []string{"version"}, 0, []string{"tailwater unknown"}},
		{"completion", nobody, []string{"completion", "bash"}, 0, []string{"bash completion"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, c.config)
			p, code := once(t, dir, nil, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(p.text(), want) {
					t.Errorf("%q isn't said", want)
				}
			}
			if t.Failed() {
				t.Log(p.text())
			}
			if len(c.args) == 0 || c.args[0] == "completion" || strings.Contains(strings.Join(c.args, " "), "--help") {
				return
			}
			p, jsonCode := once(t, folder(t, c.config), nil, append(c.args, "--json")...)
			e := p.envelope()
			if jsonCode != code || e.OK != (code == 0) || (e.Error == nil) != e.OK || e.Command == "" {
				t.Errorf("as JSON: exit code %d, %+v", jsonCode, e)
			}
			if e.Error != nil && (e.Error.Code == "" || e.Error.Message == "") {
				t.Errorf("as JSON: %+v", e.Error)
			}
		})
	}
}

func TestJSONNamesTheKey(t *testing.T) {
	t.Parallel()
	p, _ := once(t, folder(t, strings.Replace(nobody, "slot:", "slott:", 1)), nil, "run", "--json")
	want := envelopeError{Code: "config.unknown_key", Message: "tailwater.yaml:9:7: unknown key", ConfigPath: "pipelines[0].source.slott", Suggestion: `did you mean "slot"?`}
	if e := p.envelope(); e.Error == nil || *e.Error != want {
		t.Errorf("%+v", e.Error)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err  error
		exit int
	}{
		{change.ErrGap, 5}, {change.ErrPreflight, 4}, {change.ErrBusy, 3}, {change.ErrDenied, 3}, {change.ErrFenced, 3},
		{change.ErrUnreachable, 3}, {change.ErrHalt, 1}, {errors.New("other"), 1},
		{errors.Join(change.ErrHalt, change.ErrUnreachable, change.ErrGap), 5},
		{errors.Join(change.ErrUnreachable, change.ErrPreflight), 4},
	}
	for _, c := range cases {
		if f := classify(fmt.Errorf("x: %w", c.err)); f.exit != c.exit {
			t.Errorf("%v: %d, want %d", c.err, f.exit, c.exit)
		}
	}
}

// TestNothingShowsTheSecret runs every verb at its most talkative with a password that must not be seen.
func TestNothingShowsTheSecret(t *testing.T) {
	t.Parallel()
	const canary = "canary-5d1e8b"
	kafka := strings.Replace(nobody, "stream: { type: direct }",
		`stream: { type: kafka, brokers: ["127.0.0.1:1"], tls: { mode: require }, sasl: { mechanism: plain, user: u, password: "${env:SECRET}" }, prefix: p }`, 1)
	for _, config := range []string{nobody, kafka, strings.ReplaceAll(nobody, "cdc@", "cdc:"+canary+"@"), strings.ReplaceAll(nobody, "postgres://cdc@127.0.0.1:1/app", "${env:SECRET}")} {
		for _, verb := range [][]string{{"run"}, {"echo"}, {"lint"}, {"doctor"}, {"grants"}, {"status"}, {"parked", "list"}, {"drop", "copy", "--yes"}, {"drop", "copy"}} {
			for _, mode := range []string{"--json", "--no-color"} {
				t.Run(strings.Join(verb, " ")+mode, func(t *testing.T) {
					t.Parallel()
					dir := folder(t, config)
					p, _ := once(t, dir, []string{"SECRET=" + canary}, append(verb, mode)...)
					if strings.Contains(p.text(), canary) {
						t.Errorf("seen:\n%s", p.text())
					}
					unseen(t, filepath.Join(dir, "state"), canary)
				})
			}
		}
	}
}

// unseen looks for a secret in every file below dir.
func unseen(t *testing.T, dir, secret string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), secret) {
			t.Errorf("%s holds the secret", f)
		}
	}
}

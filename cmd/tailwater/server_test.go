package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// pair is a direct pipeline between two databases of a real server.
func pair(t *testing.T) (source, target *testenv.PG, dir string) {
	t.Helper()
	source, target = testenv.Postgres(t, 15), testenv.Postgres(t, 15)
	source.Exec("create table orders (id bigint primary key, note text)")
	source.Exec("insert into orders select g, 'first' from generate_series(1, 1000) g")
	dir = folder(t, fmt.Sprintf(`version: 1
server: { listen: "127.0.0.1:0", state_dir: ./state, start_timeout: 1s }
pipelines:
  - name: copy
    source:
      type: postgres
      url: %q
      password: ${env:SECRET:-x}
      slot: { name: %s, create: true }
      publication: { name: %s, create: true }
      tables: { include: ["public.orders"] }
    stream: { type: direct }
    sinks:
      - { name: copy, type: postgres, url: %q, password: "${env:SECRET:-x}", create_tables: true }
`, source.URL, source.Database, source.Database, target.URL))
	return source, target, dir
}

// equal says that both ends hold the same rows.
func equal(source, target *testenv.PG) func() bool {
	const sum = "select count(*) || ' ' || coalesce(md5(string_agg(o::text, '|' order by id)), '') from orders o"
	return func() bool {
		return target.Value("select to_regclass('public.orders') is not null") == "t" && source.Value(sum) == target.Value(sum)
	}
}

// TestOneLife runs every verb against a running pipeline on real servers, with a password that must not be seen anywhere.
func TestOneLife(t *testing.T) {
	t.Parallel()
	const canary = "canary-91c2aa"
	env := []string{"SECRET=" + canary}
	source, target, dir := pair(t)
	verb := func(want int, says string, args ...string) {
		t.Helper()
		p, code := once(t, dir, env, args...)
		if code != want || !strings.Contains(p.text(), says) || strings.Contains(p.text(), canary) {
			t.Fatalf("%v: exit code %d, want %d with %q\n%s", args, code, want, says, p.text())
		}
	}
	verb(0, "0 errors", "doctor")
	run := start(t, dir, env, "run")
	testenv.Wait(t, "the snapshot is in the target", equal(source, target))
	source.Exec("update orders set note = 'second' where id % 2 = 0")
	source.Exec("delete from orders where id % 10 = 0")
	testenv.Wait(t, "the changes are in the target", equal(source, target))

	verb(0, "running", "status")
	verb(0, `"state": "running"`, "status", "--json")
	verb(0, "0 parked changes", "parked", "list")
	verb(3, "pid", "run")
	verb(3, "stop the running process first", "drop", "copy", "--yes")
	target.Exec("delete from orders where id < 500")
	verb(0, "begins beside the stream", "snapshot", "start", "--table", "public.orders")
	testenv.Wait(t, "the second snapshot is in the target", equal(source, target))
	verb(4, "public.none", "snapshot", "start", "--table", "public.none")
	scrape(t, dir, canary)

	if err := run.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := run.wait(); code != 0 || strings.Contains(run.text(), canary) {
		t.Fatalf("exit code %d after SIGTERM\n%s", code, run.text())
	}
	unseen(t, filepath.Join(dir, "state"), canary)
	verb(0, "not running", "status")
	source.Exec("insert into orders select g, 'third' from generate_series(2001, 3000) g")
	verb(0, "1 stopped", "run", "--once")
	if !equal(source, target)() {
		t.Error("run --once ended before all was applied")
	}
	verb(0, "is dropped", "drop", "copy", "--yes")
	if n := source.Value("select count(*) from pg_replication_slots where slot_name = '" + source.Database + "'"); n != "0" {
		t.Error("the slot is still there")
	}
}

// scrape asks the running process for what it serves.
func scrape(t *testing.T, dir, canary string) {
	t.Helper()
	for path, want := range map[string]string{
		"/readyz":                        "ok",
		"/api/v1/status":                 `"state":"running"`,
		"/api/v1/pipelines/copy/parked":  "[]",
		"/metrics":                       `tailwater_sink_rows_total{op="delete",pipeline="copy",result="applied",sink="copy",table="public.orders"} 100`,
		"/metrics?":                      `tailwater_pipeline_state{pipeline="copy",state="running"} 1`,
		"/metrics?a":                     `tailwater_snapshot_progress_ratio{pipeline="copy",table="public.orders"} 1`,
		"/api/v1/pipelines/other/parked": "there are: copy",
	} {
		if body := get(t, dir, path); !strings.Contains(body, want) || strings.Contains(body, canary) {
			t.Errorf("%s lacks %s:\n%s", path, want, body)
		}
	}
}

// get returns what the running process answers.
func get(t *testing.T, dir, path string) string {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, "state", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+read("address")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+read("token"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func ready(t *testing.T, dir string) string { return strings.TrimSpace(get(t, dir, "/readyz")) }

// TestASecondSignalEndsAtOnce: a drain that can't end, because the target is locked, is cut off by the second signal.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	source, target, dir := pair(t)
	run := start(t, dir, nil, "run")
	testenv.Wait(t, "the snapshot is in the target", equal(source, target))
	lock := target.Connect()
	tx, err := lock.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table orders in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	source.Exec("update orders set note = 'stuck'")
	testenv.Wait(t, "the sink waits for the lock", func() bool {
		return target.Value("select count(*) from pg_locks where not granted and relation = 'orders'::regclass") != "0"
	})
	signal := func() {
		if err := run.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatalf("%v\n%s", err, run.text())
		}
	}
	signal()
	testenv.Wait(t, "it drains", func() bool { return ready(t, dir) == "copy: draining" })
	signal()
	if code := run.wait(); code != exitTerminated {
		t.Errorf("exit code %d\n%s", code, run.text())
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, code := once(t, dir, nil, "run", "--once"); code != 0 || !equal(source, target)() {
		t.Errorf("after it: exit code %d, or the ends differ\n%s", code, p.text())
	}
}

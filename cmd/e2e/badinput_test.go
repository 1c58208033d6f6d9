package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// guarded is a server that asks for passwords.
func guarded(t *testing.T) *testenv.PGServer {
	t.Helper()
	server := testenv.StartPostgres(t, 15, testenv.Options{})
	server.Exec("create role cdc login replication password 'right'")
	server.Exec("create role plain login password 'right'")
	rules := "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"
	path := filepath.Join(server.Dir, "data", "pg_hba.conf")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil { // it keeps its owner
		t.Fatal(err)
	}
	server.Restart()
	server.Exec("create table orders (id bigint primary key, note text)")
	return server
}

// TestRefusedByTheSource: wrong passwords and missing grants end a start at once, with exit code 3.
func TestRefusedByTheSource(t *testing.T) {
	t.Parallel()
	server := guarded(t)
	as := func(role string) string { return strings.Replace(server.URL, "postgres@", role+"@", 1) }
	for _, c := range []struct {
		name, role, password string
		code                 int
		words                []string
	}{
		{"wrong password", "cdc", "wrong", 3, []string{"source", "password authentication failed", "access denied"}},
		{"no such role", "nobody", "right", 3, []string{"source", "password authentication failed", "access denied"}},
		{"no replication", "plain", "right", 3, []string{"REPLICATION", "access denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rigOf(t, "direct", &postgres{server.PG})
			r.config.sourceURL, r.config.inSource = as(c.role), "      password: ${env:E2E_PASSWORD:-"+c.password+"}"
			r.start("run").refuses(c.code, c.words...)
		})
	}
}

// TestOnceWithoutSelect: what the snapshot may not read ends run --once with exit code 3.
func TestOnceWithoutSelect(t *testing.T) {
	t.Parallel()
	server := guarded(t)
	r := rigOf(t, "direct", &postgres{server.PG})
	server.Exec("insert into orders values (1, 'x')")
	server.Exec("create publication " + r.name + " for table orders with (publish_via_partition_root = true)")
	r.config.sourceURL, r.config.inSource = strings.Replace(server.URL, "postgres@", "cdc@", 1), "      password: ${env:E2E_PASSWORD:-right}"
	r.start("run", "--once").refuses(3, "permission denied for table orders", "access denied")
}

// TestRefusedByTheTarget: the same for a target, and what it lacks.
func TestRefusedByTheTarget(t *testing.T) {
	t.Parallel()
	server := guarded(t)
	bothStreams(t, func(t *testing.T, stream string) {
		for _, c := range []struct {
			name, url string
			code      int
			words     []string
		}{
			{"wrong password", strings.Replace(server.URL, "postgres@", "cdc@", 1), 3, []string{"sink copy", "28P01", "access denied"}},
			{"no such database", strings.Replace(server.URL, "/postgres?", "/nowhere?", 1), 3, []string{"sink copy", "nowhere"}},
			{"nobody listens", "postgres://x@127.0.0.1:1/x?sslmode=disable", 3, []string{"sink copy", "127.0.0.1", "unreachable"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				r := newRig(t, stream)
				r.seed(10)
				r.config.targetURL, r.config.inSink = c.url, `, password: "${env:E2E_PASSWORD:-wrong}"`
				r.start("run").refuses(c.code, c.words...)
			})
		}
	})
}

// TestUnreachable: servers that don't answer are tried for start_timeout, then it is exit code 3.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, "direct")
	r.config.sourceURL = "postgres://x@127.0.0.1:1/x?sslmode=disable"
	r.start("run").refuses(3, "source", "127.0.0.1", "unreachable")

	k := newRig(t, "kafka")
	k.seed(1)
	k.broker = &testenv.Broker{Addr: "127.0.0.1:1"}
	k.start("run").refuses(3, "kafka", "127.0.0.1:1", "unreachable")
}

// TestSourceNotFit: what a server or a table doesn't allow is exit code 4, before anything is made at the source or the target.
func TestSourceNotFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(r *rig)
		words   []string
	}{
		{"a missing table", func(r *rig) { r.config.include = []string{"public.orders", "public.none"} }, []string{"public.none", "doesn't exist"}},
		{"a view", func(r *rig) {
			r.source.Exec("create view seen as select * from orders")
			r.config.include = []string{"public.seen"}
		}, []string{"public.seen", "it is a view", "include the tables that it reads"}},
		{"a materialized view", func(r *rig) {
			r.source.Exec("create materialized view kept as select * from orders")
			r.config.include = []string{"public.kept"}
		}, []string{"public.kept", "it is a materialized view", "include the tables that it reads"}},
		{"a sequence", func(r *rig) {
			r.source.Exec("create sequence numbers")
			r.config.include = []string{"public.orders", "public.numbers"}
		}, []string{"public.numbers", "it is a sequence", "take it out of include"}},
		{"a foreign table", func(r *rig) {
			r.source.Exec("create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing; create foreign table far (id int) server nowhere")
			r.config.include = []string{"public.far"}
		}, []string{"public.far", "it is a foreign table", "capture it there"}},
		{"an unlogged table", func(r *rig) {
			r.source.Exec("alter table orders set unlogged")
			r.config.include = []string{"public.orders"}
		},
			[]string{"public.orders", "ALTER TABLE", "SET LOGGED"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "direct")
			r.seed(1)
			c.prepare(r)
			r.start("run").refuses(4, c.words...)
			if n := r.source.Value("select count(*) from pg_replication_slots where slot_name = '" + r.name + "'"); n != "0" {
				t.Error("a slot was made")
			}
		})
	}
	t.Run("wal_level=replica", func(t *testing.T) {
		t.Parallel()
		r := rigOf(t, "direct", &postgres{testenv.StartPostgres(t, 15, testenv.Options{Settings: []string{"wal_level=replica"}}).PG})
		r.seed(1)
		r.start("run").refuses(4, "wal_level", "logical")
	})
	t.Run("no table in the target", func(t *testing.T) {
		t.Parallel()
		bothStreams(t, func(t *testing.T, stream string) {
			r := newRig(t, stream)
			r.seed(1)
			r.config.tables = false
			r.start("run").refuses(4, `"orders"`, "create_tables is off", "CREATE TABLE")
		})
	})
}

// TestTopicsCollide: tables whose names meet in one topic end a process that runs, with exit code 4: to try again would change nothing.
func TestTopicsCollide(t *testing.T) {
	t.Parallel()
	r := newRig(t, "kafka")
	r.source.Exec(`create table "a b" (id int primary key)`)
	r.source.Exec(`insert into "a b" values (1)`)
	p := r.start("run")
	testenv.Wait(t, "the first table arrives", func() bool {
		return r.target.Value(`select coalesce((select 1 from information_schema.tables where table_name = 'a b'), 0)`) == "1"
	})
	r.source.Exec(`create table "a#b" (id int primary key)`)
	r.source.Exec(`insert into "a#b" values (1)`)
	p.refuses(4, "a#b", "collides", "leave one of them out")
	r.start("run", "--once").refuses(4, "a#b", "collides")
}

// TestUpdateWithoutIdentity: a table without a key is carried; what the source then refuses itself is the source's to say, and doctor's
// before it happens.
func TestUpdateWithoutIdentity(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.source.Exec("create table notes (what text)")
		r.source.Exec("insert into notes values ('a'), ('a'), ('b')")
		r.once()
		r.equal("notes")
		if err := r.source.Do(t.Context(), "update notes set what = 'c' where what = 'b'"); err == nil {
			t.Error("the source takes an update that it can't log")
		} else if !strings.Contains(err.Error(), "replica identity") {
			t.Error(err)
		}
		p := r.start("doctor", "--check", "postgres.replica")
		<-p.done
		if out := p.out.String() + p.err.String(); !strings.Contains(out, "ALTER TABLE") || !strings.Contains(out, "notes") {
			t.Errorf("doctor doesn't name the statement:\n%s", out)
		}
		r.source.Exec("alter table notes replica identity full")
		r.source.Exec("update notes set what = 'c' where what = 'b'")
		r.source.Exec("insert into notes values ('d'), ('d')")
		r.source.Exec("delete from notes where ctid = (select min(ctid) from notes where what = 'd')")
		r.once()
		r.equal("notes")
	})
}

// TestARowTooLarge: halts by table, key and size, before the row and not after it.
func TestARowTooLarge(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		words := []string{"orders", "id", "2"}
		if r.stream == "kafka" {
			r.config.link = "max_record: 64KiB"
			words = []string{r.table("orders"), "max_record"}
		} else {
			r.config.inSource = "      max_row_bytes: 64KiB"
		}
		note := "text"
		if _, ok := r.source.(*mysql); ok {
			note = "longtext" // a text is smaller than any limit may be
		}
		r.source.Exec("create table orders (id bigint primary key, note " + note + ")")
		r.insert("orders", 1, 1, "first")
		r.once()
		r.insert("orders", 2, 2, strings.Repeat("large", 20<<10))
		r.insert("orders", 3, 3, "behind it")
		r.start("run").refuses(1, words...)
		if n := r.target.Value("select count(*) from orders"); n != "1" {
			t.Errorf("the target has %s rows, want the one before the large one", n)
		}
		if r.stream == "direct" { // the way out: a higher bound
			r.config.inSource = ""
			r.once()
			r.equal("orders")
		}
	})
}

// TestSecondInstance: with the same state directory, and with a copy of it, where the slot or the server's lock is what is held.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(10)
		first := r.start("run")
		r.arrives(first, "select count(*) from orders", "10")
		r.start("run").refuses(3, "state", "pid "+fmt.Sprint(first.cmd.Process.Pid))
		copied := t.TempDir()
		for _, name := range []string{"tailwater.yaml", "state"} {
			if err := copyAll(filepath.Join(r.dir, name), filepath.Join(copied, name)); err != nil {
				t.Fatal(err)
			}
		}
		held := []string{"slot " + r.name, "pid "}
		if _, ok := r.source.(*mysql); ok {
			held = []string{"holds the lock of source " + r.name, "connection "}
		}
		begin(t, copied, "run").refuses(3, held...)
		first.alive()
		r.insert("orders", 11, 11, "the first one goes on")
		r.arrives(first, "select count(*) from orders", "11")
		first.stop()
	})
}

func copyAll(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.Join(os.CopyFS(to, os.DirFS(from)), os.Chmod(filepath.Join(to, "token"), 0o600))
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// TestTornState: a checkpoint whose bytes are not what was written is never taken for none.
func TestTornState(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(10)
		r.once()
		files, err := filepath.Glob(filepath.Join(r.dir, "state", "*"+r.name+"*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("checkpoint files: %v, %v", files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f, b[:len(b)/2], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.goOn()
		r.unchanged(func() { r.start("run").refuses(5, "checkpoint", "restore the state directory", "--new-epoch") })
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
		r.once("--new-epoch")
		r.equal("orders")
	})
}

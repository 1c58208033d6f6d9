package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// rig is one pipeline between two databases. Its name is also that of the slot, the publication and the topics' prefix.
type rig struct {
	t              *testing.T
	name           string
	stream         string // "kafka" or "direct"
	source, target *testenv.PG
	broker         *testenv.Broker // of a Kafka stream
	dir            string
	config         config
}

// config is what a test may say otherwise.
type config struct {
	include                []string
	sourceURL, targetURL   string
	inSource, inSink, link string // more keys, "name: value, ..." or lines
	tables                 bool   // create_tables
}

// bothStreams runs a test for Postgres to Kafka to Postgres, and for Postgres to Postgres directly.
func bothStreams(t *testing.T, f func(t *testing.T, stream string)) {
	for _, stream := range []string{"kafka", "direct"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			f(t, stream)
		})
	}
}

// newRig makes a pipeline on the shared servers.
func newRig(t *testing.T, stream string) *rig {
	t.Helper()
	return rigOf(t, stream, testenv.Postgres(t, 15))
}

// rigOf makes a pipeline that reads from source.
func rigOf(t *testing.T, stream string, source *testenv.PG) *rig {
	t.Helper()
	r := &rig{t: t, stream: stream, source: source, target: testenv.Postgres(t, 15), dir: t.TempDir()}
	r.name = r.target.Database
	r.config = config{include: []string{"public.*"}, sourceURL: source.URL, targetURL: r.target.URL, tables: true}
	if stream == "kafka" {
		r.broker = testenv.Kafka(t)
		r.name = r.broker.Prefix(t)
	}
	return r
}

const twoParts = 2 // partitions of each topic

// pipeline is the pipeline's part of the config file.
func (r *rig) pipeline() string {
	c, link := r.config, "type: direct"
	if r.stream == "kafka" {
		link = fmt.Sprintf("type: kafka, brokers: [%q], tls: { mode: disable }, prefix: %q, partitions: %d", r.broker.Addr, r.name, twoParts)
	}
	if c.link != "" {
		link += ", " + c.link
	}
	include := make([]string, len(c.include))
	for i, pattern := range c.include {
		include[i] = fmt.Sprintf("%q", pattern)
	}
	return fmt.Sprintf(`  - name: %s
    source:
      type: postgres
      url: %q
      slot: { name: %s, create: true }
      publication: { name: %s, create: true }
      tables: { include: [%s] }
%s
    stream: { %s }
    sinks:
      - { name: copy, type: postgres, url: %q, create_tables: %t%s }
`, r.name, c.sourceURL, r.name, r.name, strings.Join(include, ", "), c.inSource, link, c.targetURL, c.tables, c.inSink)
}

const head = `version: 1
server: { listen: "127.0.0.1:0", state_dir: ./state, start_timeout: 2s }
pipelines:
`

// write writes the config file, of this pipeline and of others beside it.
func (r *rig) write(others ...*rig) {
	r.t.Helper()
	text := head + r.pipeline()
	for _, o := range others {
		text += o.pipeline()
	}
	if err := os.WriteFile(filepath.Join(r.dir, "tailwater.yaml"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// start starts a verb.
func (r *rig) start(args ...string) *process {
	r.t.Helper()
	r.write()
	return begin(r.t, r.dir, args...)
}

// once runs the pipeline until all that is committed is applied.
func (r *rig) once(args ...string) {
	r.t.Helper()
	r.start(append([]string{"run", "--once"}, args...)...).ends(0)
}

// seed makes the table that most tests copy, with rows 1 to n.
func (r *rig) seed(n int) {
	r.t.Helper()
	r.source.Exec("create table orders (id bigint primary key, note text)")
	r.source.Exec(fmt.Sprintf("insert into orders select g, 'first' from generate_series(1, %d) g", n))
}

// equal holds both ends against each other, row by row.
func (r *rig) equal(tables ...string) {
	r.t.Helper()
	for _, table := range tables {
		columns := r.columns(table)
		testenv.Compare(r.t, r.source.Of("select "+columns+" from "+table), r.target.Of("select "+columns+" from "+table))
	}
}

func (r *rig) columns(table string) string {
	r.t.Helper()
	return r.source.Value(fmt.Sprintf("select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = '%s'::regclass and attnum > 0 and not attisdropped", table))
}

// arrives waits until the target shows want for the query; a table that isn't there yet shows nothing.
func (r *rig) arrives(p *process, query, want string) {
	r.t.Helper()
	table := strings.Fields(query[strings.Index(query, " from ")+len(" from "):])[0]
	testenv.Wait(r.t, query+" = "+want, func() bool {
		p.alive()
		return r.target.Value("select to_regclass('"+table+"') is not null") == "t" && r.target.Value(query) == want
	})
}

// contents is all that a target holds, tailwater's own tables too, but for what says when.
func (r *rig) contents() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	for _, row := range r.target.Query("select tablename from pg_tables where schemaname = 'public'") {
		rows := r.target.Query("select (to_jsonb(t) - 'updated' - 'parked_at')::text from " + row[0] + " t order by 1")
		if len(rows) > 0 || !strings.HasPrefix(row[0], "_tailwater_") { // a sink that is opened makes its tables
			all[row[0]] = fmt.Sprint(rows)
		}
	}
	return all
}

// unchanged runs f, which may not change the target.
func (r *rig) unchanged(f func()) {
	r.t.Helper()
	before := r.contents()
	f()
	after := r.contents()
	for table, rows := range after {
		if before[table] != rows {
			r.t.Errorf("the target's %s changed from\n%.2000s\nto\n%.2000s", table, before[table], rows)
		}
		delete(before, table)
	}
	if len(before) > 0 {
		r.t.Errorf("gone from the target: %v", slices.Sorted(maps.Keys(before)))
	}
}

// dropSlot ends whoever reads the slot and drops it.
func (r *rig) dropSlot() {
	r.t.Helper()
	testenv.Wait(r.t, "the slot can be dropped", func() bool {
		r.source.Exec("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '" + r.name + "' and active")
		return r.source.Do(r.t.Context(), "select pg_drop_replication_slot('"+r.name+"')") == nil
	})
}

// forget deletes the state directory.
func (r *rig) forget() {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, "state")); err != nil {
		r.t.Fatal(err)
	}
}

// goOn is what happens at the source while nothing runs.
func (r *rig) goOn() {
	r.t.Helper()
	r.source.Exec("insert into orders select g, 'later' from generate_series(1001, 1100) g")
	r.source.Exec("update orders set note = 'changed' where id % 3 = 0")
	r.source.Exec("delete from orders where id % 5 = 0")
}

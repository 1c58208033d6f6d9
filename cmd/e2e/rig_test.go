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
	source, target engine
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

// everyEnd runs a test for each engine as a source and as a target, by way of Kafka and directly.
func everyEnd(t *testing.T, f func(t *testing.T, r *rig)) {
	for _, ends := range [][2]string{{"pg15", "pg15"}, {"mysql97", "mariadb118"}, {"mariadb118", "mysql97"}} {
		t.Run(ends[0], func(t *testing.T) {
			bothStreams(t, func(t *testing.T, stream string) {
				f(t, rigBetween(t, stream, newEngine(t, ends[0]), newEngine(t, ends[1])))
			})
		})
	}
}

// newRig makes a pipeline on the shared servers.
func newRig(t *testing.T, stream string) *rig {
	t.Helper()
	return rigOf(t, stream, &postgres{testenv.Postgres(t, 15)})
}

// rigOf makes a pipeline that reads from source.
func rigOf(t *testing.T, stream string, source engine) *rig {
	t.Helper()
	return rigBetween(t, stream, source, &postgres{testenv.Postgres(t, 15)})
}

// rigBetween makes a pipeline from source to target.
func rigBetween(t *testing.T, stream string, source, target engine) *rig {
	t.Helper()
	r := &rig{t: t, stream: stream, source: source, target: target, dir: t.TempDir()}
	r.name = target.name()
	r.config = config{include: []string{source.schema() + ".*"}, tables: true}
	r.config.sourceURL, _ = source.urls()
	_, r.config.targetURL = target.urls()
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
      %s
      tables: { include: [%s] }
%s
    stream: { %s }
    sinks:
      - { name: copy, %s, create_tables: %t%s }
`, r.name, r.source.source(c.sourceURL, r.name), strings.Join(include, ", "), c.inSource, link, r.target.sink(c.targetURL), c.tables, c.inSink)
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

// table is a table's name in the config and in messages.
func (r *rig) table(name string) string { return r.source.schema() + "." + name }

// seed makes the table that most tests copy, with rows 1 to n.
func (r *rig) seed(n int) {
	r.t.Helper()
	r.source.Exec("create table orders (id bigint primary key, note text)")
	r.insert("orders", 1, n, "first")
}

// insert inserts rows of an id and a note in one statement.
func (r *rig) insert(table string, from, to int, note string) {
	r.t.Helper()
	values := make([]string, 0, to-from+1)
	for id := from; id <= to; id++ {
		values = append(values, fmt.Sprintf("(%d, '%s')", id, note))
	}
	r.source.Exec("insert into " + table + " values " + strings.Join(values, ", "))
}

// equal holds both ends against each other, row by row.
func (r *rig) equal(tables ...string) {
	r.t.Helper()
	for _, table := range tables {
		testenv.Compare(r.t, r.source.Of("select "+r.source.columns(table)+" from "+table), r.target.Of("select "+r.target.columns(table)+" from "+table))
	}
}

// arrives waits until the target shows want for the query; a table that isn't there yet shows nothing.
func (r *rig) arrives(p *process, query, want string) {
	r.t.Helper()
	table := strings.Fields(query[strings.Index(query, " from ")+len(" from "):])[0]
	testenv.Wait(r.t, query+" = "+want, func() bool {
		p.alive()
		return r.target.has(table) && r.target.Value(query) == want
	})
}

// contents is all that a target holds, tailwater's own tables too, but for what says when.
func (r *rig) contents() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	for _, name := range r.target.tables() {
		rows := r.target.Query(r.target.texts(name))
		if len(rows) > 0 || !strings.HasPrefix(name, "_tailwater_") { // a sink that is opened makes its tables
			all[name] = fmt.Sprint(rows)
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
	r.insert("orders", 1001, 1100, "later")
	r.source.Exec("update orders set note = 'changed' where id % 3 = 0")
	r.source.Exec("delete from orders where id % 5 = 0")
}

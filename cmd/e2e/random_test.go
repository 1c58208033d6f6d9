package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// roundsOfALife is how many rounds one pipeline sees.
const roundsOfALife = 10

// TestRandomSchemas makes tables of any types, writes into them and changes them, while the program runs, stands still or is killed; after each
// round both targets say by their servers' own text what the source says. TAILWATER_ROUNDS (10) rounds, over three sources; the seed of each is
// printed, and TAILWATER_SEED, that of the first round, repeats them.
func TestRandomSchemas(t *testing.T) {
	t.Parallel()
	rounds, seed := number(t, "TAILWATER_ROUNDS", 10), number(t, "TAILWATER_SEED", int(time.Now().Unix()%1_000_000)*1000)
	servers := []string{"pg15", "mysql97", "mariadb118"}
	for first := 0; first < rounds; first += roundsOfALife * len(servers) {
		for i, server := range servers {
			t.Run(fmt.Sprintf("%s from %d", server, seed+first+i), func(t *testing.T) {
				t.Parallel()
				r := newRandomRig(t, server)
				for n := first + i; n < min(first+roundsOfALife*len(servers), rounds) && !t.Failed(); n += len(servers) {
					r.round(seed + n)
				}
				r.stop()
			})
		}
	}
}

func number(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// randomRig is a pipeline from one source to a target of each family.
type randomRig struct {
	*typesRig
	types   []typetable.Type
	process *process
	seed    int
}

func newRandomRig(t *testing.T, server string) *randomRig {
	t.Helper()
	targets := map[string][]string{"pg15": {"pg18", "mysql97"}, "mysql97": {"mariadb118", "pg15"}, "mariadb118": {"mysql97", "pg15"}}[server]
	r := &randomRig{typesRig: newTypesRig(t, server, targets)}
	for i := range r.tables {
		r.source.Exec("drop table " + r.tables[i].Name)
		for _, typ := range r.tables[i].Types {
			typ.Values = slices.DeleteFunc(slices.Clone(typ.Values), func(v typetable.Value) bool {
				return slices.ContainsFunc(r.ends, func(e end) bool { return typ.At(e.engine, v) == typetable.Refused })
			})
			if len(typ.Values) > 0 && len(typ.Values[0].SQL) < 1000 {
				r.types = append(r.types, typ)
			}
		}
	}
	r.config.inSink = ", on_schema_change: { rename: ignore }" // MySQL's log doesn't tell one
	if r.kind == typetable.Postgres {
		r.config.inSink = ""
		r.source.Exec("create publication everything for all tables with (publish_via_partition_root = true)")
	}
	r.configure(func(s string) string { // one publication that has every table from its first row on
		return strings.ReplaceAll(s, "publication: { name: "+r.name+", create: true }", "publication: { name: everything, create: false }")
	})
	return r
}

func (r *randomRig) round(seed int) {
	r.t.Helper()
	r.seed = seed
	p := &planner{kind: r.kind, types: r.types, round: seed}
	plan := rapid.Custom(p.plan).Example(seed)
	switch {
	case r.process == nil:
	case plan.down == "stopped":
		r.stop()
	case plan.down == "killed":
		_ = r.process.cmd.Process.Kill()
		<-r.process.done
		r.process = nil
	}
	var said strings.Builder
	for _, step := range plan.steps {
		fmt.Fprintf(&said, "%s;\n", step.sql)
	}
	defer func() {
		if r.t.Failed() {
			r.t.Logf("seed %d, %s, row image %s:\n%.20000s", seed, plan.down, plan.image, said.String())
		}
	}()
	if r.kind != typetable.Postgres {
		r.source.Exec("set session binlog_row_image = " + plan.image)
	}
	for _, step := range plan.steps {
		r.source.Exec(step.sql)
	}
	if r.process == nil {
		r.process = begin(r.t, r.dir, "run")
	}
	for _, table := range plan.tables { // nothing moves any more
		for _, e := range r.ends {
			r.same(table, e)
		}
	}
	if !r.t.Failed() {
		r.t.Logf("seed %d: %d statements", seed, len(plan.steps))
	}
}

func (r *randomRig) stop() {
	if r.process != nil {
		testenv.Wait(r.t, "it runs", func() bool { return strings.Contains(r.process.err.String(), "state=running") }) // before, a signal ends it at once
		r.process.stop()
		r.process = nil
	}
}

// same waits until a target's rows are the source's, and says how they differ if that never comes.
func (r *randomRig) same(table *randomTable, e end) {
	r.t.Helper()
	source := r.rows(r.source, r.kind, table, func(t *typetable.Type) string { return t.Name })
	for _, row := range source {
		for i, c := range table.columns {
			row[i+1] = r.translated(&c.typ, row[i+1], e)
		}
	}
	slices.SortFunc(source, slices.Compare)
	var have [][]string
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		r.process.alive()
		if have = nil; e.db.has(table.name) {
			have = r.targetRows(table, e)
		}
		if slices.EqualFunc(source, have, slices.Equal) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	r.t.Errorf("seed %d: %s of %s has\n%.3000q\nwant\n%.3000q\n%.3000s", r.seed, table.name, e.name, have, source, r.process.tail())
}

// targetRows are the rows of a target, nothing where it lacks a column still.
func (r *randomRig) targetRows(table *randomTable, e end) [][]string {
	r.t.Helper()
	columns := e.db.columns(table.name)
	for _, c := range table.columns {
		if !slices.Contains(strings.FieldsFunc(columns, func(c rune) bool { return strings.ContainsRune("`\", ", c) }), c.name) {
			return nil
		}
	}
	rows := r.rows(e.db, e.engine, table, func(t *typetable.Type) string { return t.Created(e.engine) })
	slices.SortFunc(rows, slices.Compare)
	return rows
}

func (r *randomRig) rows(db engine, kind string, table *randomTable, typ func(t *typetable.Type) string) [][]string {
	r.t.Helper()
	columns := []string{"id"}
	for _, c := range table.columns {
		columns = append(columns, typetable.Shown(kind, typ(&c.typ), c.name)+" as "+c.name)
	}
	return db.Query("select " + strings.Join(columns, ", ") + " from " + table.name)
}

// translated is what a target shows of a text of the source.
func (r *randomRig) translated(t *typetable.Type, text string, e end) string {
	for _, v := range t.Values {
		if v.Text == text && text != testenv.Null {
			return t.At(e.engine, v)
		}
	}
	if text != testenv.Null {
		r.t.Errorf("the source has %q of %s, which is no value of it", text, t.Name)
	}
	return text
}

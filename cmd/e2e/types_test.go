package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// end is a target of the type tables.
type end struct {
	name    string // of the sink
	engine  string
	db      engine
	without bool // PostgreSQL without the types that somebody makes
}

// typesRig copies the type tables of one source to a target of each engine.
type typesRig struct {
	*rig
	server, kind string
	tables       []typetable.Table
	ends         []end
}

// TestEveryTypeArrives carries every value of every type, once by a snapshot and once by the stream, through Kafka into each sink. What the
// targets' servers say of it is what is written by hand in typetable, and so is what stands in the topics.
func TestEveryTypeArrives(t *testing.T) {
	t.Parallel()
	for server, targets := range map[string][]string{
		"pg15": {"pg18", "mysql97", "mariadb118"}, "pg18": {"pg15", "mysql97", "mariadb10"}, "mysql97": {"pg15", "mysql97", "mariadb118"},
		"mariadb10": {"pg15", "mysql97", "mariadb10"}, "mariadb118": {"pg18", "mysql97", "mariadb118"},
	} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			r := newTypesRig(t, server, targets)
			r.fill(0)
			r.run()
			r.fill(typetable.Later)
			r.run()
			for i := range r.tables {
				r.checkTopic(&r.tables[i])
				for _, e := range r.ends {
					r.check(&r.tables[i], e)
				}
			}
		})
	}
}

// engineOn makes a fresh database of a shared server, and names its engine.
func engineOn(t *testing.T, server string) (engine, string) {
	t.Helper()
	switch server {
	case "pg18":
		return &postgres{testenv.Postgres(t, 18)}, typetable.Postgres
	case "pg15":
		return newEngine(t, server), typetable.Postgres
	case "mysql97":
		return newEngine(t, server), typetable.MySQL
	}
	return newEngine(t, server), typetable.MariaDB
}

func newTypesRig(t *testing.T, server string, targets []string) *typesRig {
	t.Helper()
	r := &typesRig{server: server}
	var source engine
	source, r.kind = engineOn(t, server)
	families := typetable.MySQLFamilies()
	if r.kind == typetable.Postgres {
		families = typetable.PostgresFamilies()
	}
	r.tables = typetable.Tables(families, server)
	for _, name := range targets {
		e := end{name: name}
		e.db, e.engine = engineOn(t, name)
		e.without = e.engine == typetable.Postgres && server == "pg18" // one target has the types, the other hasn't
		r.ends = append(r.ends, e)
	}
	r.rig = rigBetween(t, "kafka", source, r.ends[0].db)
	if my, ok := source.(*mysql); ok {
		my.Exec("set sql_mode = 'ALLOW_INVALID_DATES', names utf8mb4")
	}
	for i := range r.tables {
		for _, setup := range r.tables[i].Setup() {
			source.Exec(setup)
			for _, e := range r.ends {
				if e.engine == typetable.Postgres && !e.without {
					e.db.Exec(setup)
				}
			}
		}
		source.Exec(r.tables[i].CreateSQL())
	}
	return r
}

func (r *typesRig) fill(more int) {
	r.t.Helper()
	for i := range r.tables {
		r.source.Exec(r.tables[i].InsertSQL(more))
	}
}

// configure writes the config file, with all sinks.
func (r *typesRig) configure(also func(string) string) {
	r.t.Helper()
	text := head + also(r.pipeline())
	text = text[:strings.Index(text, "    sinks:\n")] + "    sinks:\n"
	for _, e := range r.ends {
		_, url := e.db.urls()
		text += fmt.Sprintf("      - { name: %s, %s, create_tables: true%s }\n", e.name, e.db.sink(url), r.config.inSink)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "tailwater.yaml"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// run runs the pipeline until all is applied or parked: parked rows make it end with 1.
func (r *typesRig) run() {
	r.t.Helper()
	r.configure(func(s string) string { return s })
	said := begin(r.t, r.dir, "run", "--once").ends(1)
	said = said[max(0, strings.LastIndex(said, "error: ")):]
	if strings.Count(said, "sink ") != 2*strings.Count(said, "are parked in sink") {
		r.t.Fatalf("more than parked rows: %s", said)
	}
}

// checkTopic holds what a reader of the topic sees against the JSON forms.
func (r *typesRig) checkTopic(table *typetable.Table) {
	r.t.Helper()
	seen := map[string]map[string]json.RawMessage{}
	r.eachRecord(table.Name, func(rec record) {
		if rec.none {
			return
		}
		var row struct{ After map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(rec.value), &row); err != nil {
			r.t.Errorf("%s: %v: %s", table.Name, err, rec.value)
		}
		seen[string(row.After["id"])] = row.After
	})
	for _, c := range table.Cells {
		for _, id := range []int{c.ID, c.ID + typetable.Later} {
			if have := string(seen[fmt.Sprint(id)][typetable.ColumnName(c.Column)]); have != c.Value.JSON {
				r.t.Errorf("the topic has %.200s for %.80s of %s, want %.200s", have, c.Value.SQL, table.Types[c.Column].Name, c.Value.JSON)
			}
		}
	}
}

// check holds a target's columns and texts against the table. What it can't hold is parked, and nothing else is.
func (r *typesRig) check(table *typetable.Table, e end) {
	r.t.Helper()
	created := r.created(table, e)
	columns := first(e.db.Query(e.columnTypes(table.Name)))[1:]
	for i := range table.Types {
		if i >= len(columns) || columns[i] != created[i] {
			r.t.Errorf("%s: the column for %s is %q, want %q", e.name, table.Types[i].Name, columns[min(i, len(columns)-1)], created[i])
			return
		}
	}
	want := func(c typetable.Cell) string { return r.wanted(&table.Types[c.Column], created[c.Column], c.Value, e) }
	rows := e.db.Query(table.Texts(e.engine, func(i int) string { return created[i] }))
	refused := 0
	for _, more := range []int{0, typetable.Later} {
		for _, line := range table.Differences(rows, more, want) {
			r.t.Errorf("%s, row %d and up: %.500s", e.name, more, line)
		}
	}
	for _, c := range table.Cells {
		if want(c) == typetable.Refused {
			refused += 2
		}
	}
	if parked := e.db.Value("select count(*) from _tailwater_parked where name = '" + table.Name + "'"); parked != fmt.Sprint(refused) {
		r.t.Errorf("%s: %s rows of %s are parked, want %d", e.name, parked, table.Name, refused)
	}
}

// created are the types of the columns that the sink makes.
func (r *typesRig) created(table *typetable.Table, e end) []string {
	types := make([]string, len(table.Types))
	for i := range table.Types {
		if types[i] = table.Types[i].Created(e.engine); e.without && table.Types[i].Made() {
			types[i] = "text"
		}
	}
	return types
}

// wanted is the text that a target should show.
func (r *typesRig) wanted(typ *typetable.Type, created string, v typetable.Value, e end) string {
	if typ.Newer && e.name == "pg15" {
		return typetable.Refused
	}
	if e.without && created == "text" && typ.Made() {
		return typetable.WireText(v)
	}
	return typ.At(e.engine, v)
}

// columnTypes is a query of the types of a table's columns as the target names them, without the width in which MariaDB shows integers.
func (e end) columnTypes(table string) string {
	if e.engine == typetable.Postgres {
		return "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = '" + table + "'::regclass and attnum > 0 and not attisdropped order by attnum"
	}
	return `select case when column_type like '%zerofill' or column_type = 'tinyint(1)' then column_type else
		regexp_replace(column_type, '^(tinyint|smallint|mediumint|int|bigint|year)[(][0-9]+[)]', '\\1') end
		from information_schema.columns where table_schema = database() and table_name = '` + table + `' order by ordinal_position`
}

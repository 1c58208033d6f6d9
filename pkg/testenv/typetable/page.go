package typetable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// engines are the targets, in the order of a page's columns.
var engines = []struct{ key, name string }{{Postgres, "PostgreSQL"}, {MySQL, "MySQL"}, {MariaDB, "MariaDB"}}

// Page is the page of docs/types for a source engine.
func Page(engine string) string {
	p := &page{engine: engine}
	families, servers := MySQLFamilies(), []string{mysql97}
	switch engine {
	case Postgres:
		families, servers = PostgresFamilies(), []string{"pg15", "pg18"}
	case MariaDB:
		servers = []string{mariadb10, mariadb118}
	}
	p.printf("# %s\n\n%s", titles[engine], intro)
	for _, f := range families {
		p.family(f, servers)
	}
	p.refusals(servers)
	return p.b.String()
}

var titles = map[string]string{Postgres: "Types of PostgreSQL 15 and 18", MySQL: "Types of MySQL 9.7", MariaDB: "Types of MariaDB 10.11 and 11.8"}

var familyTitles = map[string]string{"numbers": "Numbers", "texts": "Texts and bytes", "times": "Dates and times", "made": "Types that somebody made, and extensions'",
	"shapes": "Networks, shapes, ranges, names of objects", "lists": "Lists", "charsets": "Character sets", "bytes": "Bytes", "own": "Geometry, JSON, and types of one server"}

const intro = `Written by ` + "`make golden`" + ` from pkg/testenv/typetable; don't edit it. Every line is what the tests hold against the servers: each value is read from a
snapshot and from the stream (TestTypes, TestEveryType), goes through Kafka into each sink, and is compared with the servers' own text (TestEveryTypeArrives).

The three columns on the right are the columns that a sink makes for the type.

| mark | |
|---|---|
| ‡ | arrives as its text |
| † | the target can't hold every value: what it can't hold is parked with its cause, never changed; the values are named below the table |

`

type page struct {
	engine string
	b      strings.Builder
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func (p *page) family(f Family, servers []string) {
	var types []Type
	for _, t := range f.Types {
		if len(t.Only) == 0 || slices.ContainsFunc(t.Only, func(s string) bool { return slices.Contains(servers, s) }) {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return
	}
	p.printf("## %s\n\n| type | kind | a value on the wire | PostgreSQL | MySQL | MariaDB |\n|---|---|---|---|---|---|\n", familyTitles[f.Table])
	for i := range types {
		t := &types[i]
		p.printf("| %s | `%s` | %s |", code(p.name(t, servers)), t.Column.Kind, code(short(t.Values[0].JSON, 50)))
		for _, e := range engines {
			p.printf(" %s |", p.cell(t, e.key))
		}
		p.printf("\n")
	}
	p.printf("\n")
	before := p.b.Len()
	for i := range types {
		p.notes(&types[i], servers)
	}
	if p.b.Len() > before {
		p.printf("\n")
	}
}

// name is the type's, with the one version that has it.
func (p *page) name(t *Type, servers []string) string {
	name := short(t.Name, 60)
	if base(t.Name) != "enum" && base(t.Name) != "set" && strings.Contains(t.SQL, "character set") {
		name = short(t.SQL, 60)
	}
	if len(t.Only) > 0 && len(servers) > 1 && !slices.Contains(t.Only, servers[0]) {
		name += map[string]string{"pg18": " (18)", mariadb118: " (11.8)"}[servers[1]]
	}
	return name
}

// cell is the column that a sink makes, with its marks.
func (p *page) cell(t *Type, engine string) string {
	created := t.Created(engine)
	s := code(short(created, 60))
	if p.engine == Postgres && engine == Postgres && t.Made() {
		s += ", " + code("text") + " ‡ where the target lacks it"
	}
	text := created == "text" || created == "longtext"
	if text && created != t.Name && t.Column.Kind != change.KindText {
		s += " ‡"
	}
	if slices.ContainsFunc(t.Values, func(v Value) bool { return t.At(engine, v) == Refused }) || t.Newer && engine == Postgres {
		s += " †"
	}
	return s
}

// notes are what is to be said of a type, and the values that targets park.
func (p *page) notes(t *Type, servers []string) {
	name := code(p.name(t, servers))
	if t.Note != "" && !strings.HasPrefix(t.Note, "character set ") {
		p.printf("- %s: %s\n", name, t.Note)
	}
	parked := map[string][]string{}
	var order []string
	for _, v := range t.Values {
		var by []string
		for _, e := range engines {
			if t.At(e.key, v) == Refused {
				by = append(by, e.name)
			}
		}
		if len(by) == 0 {
			continue
		}
		who := strings.Join(by, " and ")
		if !slices.Contains(order, who) {
			order = append(order, who)
		}
		parked[who] = append(parked[who], code(short(v.Text, 40)))
	}
	for _, who := range order {
		p.printf("- %s: parked by %s: %s\n", name, who, strings.Join(parked[who], ", "))
	}
}

func (p *page) refusals(servers []string) {
	p.printf("## What is refused\n\n")
	some := false
	if p.engine != Postgres {
		p.printf("- A log that doesn't name its columns and keys (`binlog_row_metadata` below FULL), wherever what they were can't be shown: connectors/mysql/README.md says when that is (TestTwoStatementsByPosition, TestNotAsTheHistoryHasIt).\n")
	}
	for _, r := range MySQLRefusals() {
		if p.engine != Postgres && slices.ContainsFunc(r.Only, func(s string) bool { return slices.Contains(servers, s) }) {
			p.printf("- %s. The source halts there and names it (TestRefusedTypes).\n", r.What)
			some = true
		}
	}
	if !some {
		p.printf("No type: one that tailwater knows nothing of travels as its text (TestEveryTypeIsListed holds the list against the server's catalogue).\n")
	}
}

// code is s as code within a table.
func code(s string) string {
	fence := "`"
	if strings.Contains(s, "`") {
		fence = "``"
	}
	if s == "" {
		return "the empty text"
	}
	return fence + strings.NewReplacer("|", "\\|", "\n", "\\n", "\t", "\\t").Replace(s) + fence
}

// short is s, or its beginning.
func short(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// kind is a column of the tables that foreign readers read: its type at the source, in Flink, and how the source's server writes its text as they do.
type kind struct{ name, source, flink, text string }

func postgresKinds() []kind {
	return []kind{{"id", "bigint primary key", "BIGINT", "id::text"}, {"amount", "numeric(12,2)", "DECIMAL(12,2)", "amount::text"}, {"note", "text", "STRING", "note"},
		{"raw", "bytea", "BYTES", "encode(raw, 'base64')"}, {"day", "date", "DATE", "day::text"}, {"wall", "timestamp(6)", "TIMESTAMP(6)", "to_char(wall, 'YYYY-MM-DD HH24:MI:SS.US')"},
		{"seen", "timestamptz(6)", "TIMESTAMP_LTZ(6)", "to_char(seen at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"}, {"ratio", "double precision", "DOUBLE", "ratio::text"},
		{"doc", "json", "STRING", "doc::text"}, {"ok", "boolean", "BOOLEAN", "ok::text"}}
}

func mysqlKinds() []kind {
	return []kind{{"id", "bigint primary key", "BIGINT", "cast(id as char)"}, {"amount", "decimal(12,2)", "DECIMAL(12,2)", "cast(amount as char)"}, {"note", "text", "STRING", "note"},
		{"raw", "varbinary(20)", "BYTES", "to_base64(raw)"}, {"day", "date", "DATE", "cast(day as char)"}, {"wall", "datetime(6)", "TIMESTAMP(6)", "cast(wall as char)"},
		{"seen", "timestamp(6) null", "TIMESTAMP_LTZ(6)", "cast(seen as char)"}, {"ratio", "double", "DOUBLE", "cast(ratio as char)"},
		{"doc", "json", "STRING", "cast(doc as char)"}, {"big", "bigint unsigned", "DECIMAL(20,0)", "cast(big as char)"}}
}

// latin1 is the text of bytes in Canal's format.
func latin1(engine string) string {
	if engine == "pg15" {
		return "convert_from(raw, 'LATIN1')"
	}
	return "convert(raw using latin1)"
}

// TestFormatsAreReadByOthers: each format, from PostgreSQL, MySQL and MariaDB through Kafka, read by Flink or by Apache Avro: every old row that an update or
// a delete names is the one that stood there, and in the end the rows are the server's own, text for text. Where sinks are
// allowed, one follows in the same format, and both ends are equal.
func TestFormatsAreReadByOthers(t *testing.T) {
	t.Parallel()
	for _, ends := range [][2]string{{"pg15", "pg15"}, {"mysql97", "mariadb118"}, {"mariadb118", "mysql97"}} {
		for _, format := range []string{"debezium-json", "maxwell-json", "canal-json", "flat", "avro"} {
			t.Run(ends[0]+"_"+format, func(t *testing.T) {
				t.Parallel()
				readers := testenv.ForeignReaders(t)
				r := rigBetween(t, "kafka", newEngine(t, ends[0]), newEngine(t, ends[1]))
				f := &formatRig{rig: r, engine: ends[0], format: format, kinds: postgresKinds(), readers: readers}
				if ends[0] != "pg15" {
					f.kinds = mysqlKinds()
				}
				f.run()
			})
		}
	}
}

type formatRig struct {
	*rig
	engine, format string
	kinds          []kind
	readers        *testenv.Readers
	registry       string
}

func (f *formatRig) run() {
	f.t.Helper()
	f.config.link = "format: " + f.format
	if f.format == "avro" {
		f.registry = testenv.Registry(f.t)
		f.config.link += fmt.Sprintf(", registry: { url: %q }", f.registry)
	}
	f.config.include = []string{f.source.schema() + ".kinds"}
	f.create()
	if f.format != "maxwell-json" { // Flink refuses Maxwell's word for a snapshot's row
		f.source.Exec(f.insert(1, "before") + ", " + strings.TrimPrefix(f.insert(2, "before"), "insert into kinds values "))
	}
	f.onceMore()
	f.source.Exec(f.insert(3, "third"))
	f.source.Exec(f.insert(4, "it''s \\\\ \"quoted\" é"))
	f.source.Exec("insert into kinds (id) values (5)")
	f.source.Exec("update kinds set note = 'changed', amount = -0.05 where id in (1, 3)")
	f.source.Exec("update kinds set note = null where id = 4")
	f.source.Exec("update kinds set id = 103 where id = 3")
	f.source.Exec("delete from kinds where id in (2, 5)")
	f.onceMore()
	f.readBack()
	if f.format != "flat" {
		f.equal("kinds")
	}
}

func (f *formatRig) create() {
	f.t.Helper()
	columns := make([]string, len(f.kinds))
	for i, k := range f.kinds {
		columns[i] = k.name + " " + k.source
	}
	f.source.Exec("create table kinds (" + strings.Join(columns, ", ") + ")")
	if f.engine == "pg15" {
		f.source.Exec("alter table kinds replica identity full")
	}
}

func (f *formatRig) insert(id int, note string) string {
	raw, last := "x'e9ff41'", "18446744073709551615"
	if f.engine == "pg15" {
		raw, last = `'\xe9ff41'`, "true"
		note = strings.ReplaceAll(note, `\\`, `\`)
	}
	return fmt.Sprintf(`insert into kinds values (%d, 1234567890.50, '%s', %s, '2024-02-29', '1999-12-31 23:59:59.999999', '2024-10-27 03:33:20.123456', 1.25, '{"a": [1, "x"]}', %s)`,
		id, note, raw, last)
}

// onceMore runs the pipeline; flat's has no sinks, which the config says first.
func (f *formatRig) onceMore() {
	f.t.Helper()
	if f.format != "flat" {
		f.once()
		return
	}
	text, _, _ := strings.Cut(head+f.pipeline(), "    sinks:")
	if err := os.WriteFile(filepath.Join(f.dir, "tailwater.yaml"), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	begin(f.t, f.dir, "run", "--once").ends(0)
}

// readBack folds what the foreign reader makes of the topic, and holds it against the source.
func (f *formatRig) readBack() {
	f.t.Helper()
	var values [][]byte
	f.eachRecord("kinds", func(rec record) {
		if !rec.none {
			values = append(values, []byte(rec.value))
		}
	})
	lines, refusal := f.read(values)
	if refusal != "" {
		f.t.Fatalf("the reader refuses: %s", refusal)
	}
	rows := map[string]string{}
	retractions := 0
	for _, line := range lines {
		kind, id, row := f.row(line)
		switch kind {
		case "-U", "-D":
			retractions++
			if rows[id] != row {
				f.t.Errorf("%s of\n%s\nwhere the row was\n%s", kind, row, rows[id])
			}
			delete(rows, id)
		case "deleted":
			retractions++
			delete(rows, id)
		default:
			rows[id] = row
		}
	}
	var texts []string
	for _, k := range f.kinds {
		if k.name == "raw" && f.format == "canal-json" {
			k.text = latin1(f.engine)
		}
		texts = append(texts, k.text)
	}
	want := map[string]string{}
	for _, row := range f.source.Query("select " + strings.Join(texts, ", ") + " from kinds") {
		want[row[0]] = strings.Join(row, "|")
	}
	if !maps.Equal(rows, want) || len(want) < 2 || retractions < 3 {
		f.t.Errorf("after %d retractions the reader has\n%s\nthe source\n%s", retractions, show(rows), show(want))
	}
}

func show(rows map[string]string) string {
	return strings.Join(slices.Sorted(maps.Values(rows)), "\n")
}

// read asks the reader that the format is claimed for.
func (f *formatRig) read(values [][]byte) (rows []string, refusal string) {
	f.t.Helper()
	if f.format == "avro" {
		return f.readers.Avro(f.registry, "", values)
	}
	format := testenv.FlinkFormat{Name: f.format, Times: "ISO-8601"}
	columns := make([]string, len(f.kinds))
	for i, k := range f.kinds {
		switch {
		case f.format == "canal-json" && k.flink == "BYTES":
			k.flink = "STRING"
		case (f.format == "canal-json" || f.format == "maxwell-json") && k.flink == "TIMESTAMP_LTZ(6)":
			k.flink = "TIMESTAMP(6)"
		}
		columns[i] = "`" + k.name + "` " + k.flink
	}
	switch f.format {
	case "flat":
		format.Name = "json"
		columns = append(columns, "`__deleted` STRING")
	case "maxwell-json", "canal-json":
		format.Times = "SQL"
	}
	format.Row = "ROW<" + strings.Join(columns, ", ") + ">"
	return f.readers.Flink(format, values)
}

// row is a reader's row as testenv prints that of the source's server.
func (f *formatRig) row(line string) (kind, id, row string) {
	f.t.Helper()
	var texts []*string
	if err := json.Unmarshal([]byte(line), &texts); err != nil {
		f.t.Fatalf("%s: %v", line, err)
	}
	cells := make([]string, 0, len(texts))
	for _, text := range texts {
		if text == nil {
			cells = append(cells, testenv.Null)
			continue
		}
		cells = append(cells, *text)
	}
	kind, cells = cells[0], cells[1:]
	if f.format == "flat" {
		if cells[len(cells)-1] == "true" {
			kind = "deleted"
		}
		cells = cells[:len(cells)-1]
	}
	return kind, cells[0], strings.Join(cells, "|")
}

// TestFlatRefusesSinks: exit 2 with the place in the file, before anything is connected to.
func TestFlatRefusesSinks(t *testing.T) {
	t.Parallel()
	r := newRig(t, "kafka")
	r.config.link = "format: flat"
	said := r.start("run").ends(2)
	if !strings.Contains(said, "tailwater.yaml:") || !strings.Contains(said, "flat carries no old rows") {
		t.Errorf("it says %s", said)
	}
}

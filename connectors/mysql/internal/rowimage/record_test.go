package rowimage_test

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

var update = flag.Bool("update", false, "record the frames of testdata/binlog anew, and write their golden text")

const recorded = "../../../../testdata/binlog"

// recording is what a server wrote for the statements of testdata/binlog, and what its catalogue said of the tables.
type recording struct {
	name      string
	events    []event
	catalogue map[string][]myvalue.Field
}

func (r *recording) flavor() string {
	if strings.HasPrefix(r.name, "mariadb") {
		return myvalue.MariaDB
	}
	return myvalue.MySQL
}

// decoder decodes the events with the recorded catalogue.
func (r *recording) decoder() *decoder {
	return &decoder{flavor: r.flavor(), catalogue: func(m *rowimage.TableMap) ([]myvalue.Type, error) {
		types, err := myvalue.FromCatalogue(r.flavor(), r.catalogue[m.Name])
		if err != nil {
			return nil, err
		}
		return myvalue.Agree(m.Types, types)
	}}
}

func (r *recording) text(t testing.TB) string {
	t.Helper()
	d := r.decoder()
	for _, e := range r.events {
		if err := d.event(e); err != nil {
			t.Fatalf("%s: event %d: %v", r.name, e.kind, err)
		}
	}
	return rowTexts(d.rows)
}

// recordings reads testdata/binlog: a frame is a 4-byte big-endian length and as many bytes, the event's type and its body.
func recordings(t testing.TB) []*recording {
	t.Helper()
	var list []*recording
	for _, name := range testenv.MySQLServers() {
		r := &recording{name: name}
		b, err := os.ReadFile(filepath.Join(recorded, name+".bin"))
		if err != nil {
			t.Fatal(err)
		}
		for len(b) > 0 {
			n := binary.BigEndian.Uint32(b)
			r.events, b = append(r.events, event{b[4], b[5 : 4+n]}), b[4+n:]
		}
		b, err = os.ReadFile(filepath.Join(recorded, name+".catalogue.json"))
		if err == nil {
			err = json.Unmarshal(b, &r.catalogue)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func (r *recording) write(t *testing.T) {
	t.Helper()
	var frames []byte
	for _, e := range r.events {
		frames = append(binary.BigEndian.AppendUint32(frames, uint32(1+len(e.body))), e.kind)
		frames = append(frames, e.body...)
	}
	catalogue, err := json.MarshalIndent(r.catalogue, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for file, b := range map[string][]byte{".bin": frames, ".catalogue.json": append(catalogue, '\n')} {
		if err := os.WriteFile(filepath.Join(recorded, r.name+file), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// statements reads the lines of a file of testdata/binlog.
func statements(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recorded, file))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			list = append(list, line)
		}
	}
	return list
}

// TestRecord holds what a server writes for the statements of testdata/binlog, row by row, against what is recorded of it; with -update
// it records it.
func TestRecord(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			my := testenv.StartMySQL(t, name, testenv.Options{}).My
			r := &recording{name: name, catalogue: map[string][]myvalue.Field{}}
			r.events = written(t, my, func() {
				for _, sql := range append(statements(t, "common.sql"), statements(t, r.flavor()+".sql")...) {
					my.Exec(sql)
				}
			})
			conn := snapshotSession(t, my)
			for _, table := range my.Query("select table_name from information_schema.tables where table_schema = 'test'") {
				fields, err := fieldsOf(t, my, conn, table[0])
				if err != nil {
					t.Fatal(err)
				}
				r.catalogue[table[0]] = fields
			}
			if *update {
				r.write(t)
				return
			}
			for _, want := range recordings(t) {
				if want.name == name && r.text(t) != want.text(t) {
					t.Errorf("the server writes\n%s, recorded is\n%s", r.text(t), want.text(t))
				}
			}
		})
	}
}

package rowimage_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// halts fails unless err halts and names what it should.
func halts(t *testing.T, what string, err error, names ...string) {
	t.Helper()
	if !errors.Is(err, change.ErrHalt) {
		t.Errorf("%s: error %v doesn't halt", what, err)
		return
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that names %q", what, err, name)
		}
	}
}

func TestEventsRefused(t *testing.T) {
	t.Parallel()
	for event, names := range map[byte]string{39: "binlog_row_value_options", 172: "binlog_row_event_fragment_threshold", 20: "5.1.16", 22: "5.1.16", 30: "ends inside it", 23: "ends inside it"} {
		if !rowimage.IsRows(event) {
			t.Errorf("event %d carries no rows", event)
		}
		_, err := rowimage.ParseHeader(event, []byte{1, 0, 0, 0, 0, 0, 0})
		halts(t, "event", err, names)
	}
	for _, event := range []byte{2, 19, 26, 29, 33, 40, 165, 173} {
		if rowimage.IsRows(event) {
			t.Errorf("event %d carries rows", event)
		}
		_, err := rowimage.ParseHeader(event, make([]byte, 20))
		halts(t, "event", err)
	}
}

func TestPlansRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what  string
		typ   myvalue.Type
		names string
	}{
		{"an unknown collation", myvalue.Type{Wire: myvalue.Varchar, Length: 10, Collation: 999}, "collation 999"},
		{"a collation beyond all", myvalue.Type{Wire: myvalue.Varchar, Length: 10, Collation: 1 << 20}, "collation 1048576"},
		{"what may be a UUID", myvalue.Type{Wire: myvalue.String, Length: 16, Collation: 63, Flavor: myvalue.MariaDB}, "binary(16)"},
		{"an old time of unknown digits", myvalue.Type{Wire: myvalue.Datetime, Flavor: myvalue.MariaDB}, "mysql56_temporal_format"},
		{"an old time with digits", myvalue.Type{Wire: myvalue.Time, Precision: 3, Known: true, Flavor: myvalue.MariaDB}, "mysql56_temporal_format"},
		{"an unknown type", myvalue.Type{Wire: 77}, "type 77"},
	} {
		c.typ.Name = "col"
		_, err := rowimage.NewPlan([]myvalue.Type{{Name: "id", Wire: myvalue.Long}, c.typ})
		halts(t, c.what, err, c.names, "col")
	}
	if _, err := rowimage.NewPlan([]myvalue.Type{{Name: "id", Wire: myvalue.String, Length: 16, Collation: 63, Flavor: myvalue.MySQL}}); err != nil {
		t.Errorf("MySQL has no UUID: %v", err)
	}
}

// TestBombs refuses what claims, or is, far more than it holds.
func TestBombs(t *testing.T) {
	t.Parallel()
	plan, err := rowimage.NewPlan([]myvalue.Type{{Name: "c", Wire: myvalue.Long}})
	if err != nil {
		t.Fatal(err)
	}
	claims := append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, 0x84, 0x3f, 0xff, 0xff, 0xff, 0x78, 0x9c)
	h, err := rowimage.ParseHeader(166, claims)
	if err != nil {
		t.Fatal(err)
	}
	var r rowimage.Reader
	halts(t, "a gigabyte in two bytes", r.Begin(plan, h))

	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]byte, 64<<20) // of zeros, which zstd makes a few kilobytes
	binary.LittleEndian.PutUint32(events[9:], uint32(len(events)))
	compressed := encoder.EncodeAll(events, nil)
	payload := func(size uint32) []byte {
		head := []byte{2, 1, 0, 1, 4, 0xfd, byte(len(compressed)), byte(len(compressed) >> 8), byte(len(compressed) >> 16), 3, 9, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		binary.LittleEndian.PutUint64(head[12:], uint64(size))
		return append(head, compressed...)
	}
	p, err := rowimage.NewPayload(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Open(payload(64 << 20)); err != nil {
		t.Fatal(err)
	}
	_, err = p.Next()
	halts(t, "an event of 64 MiB", err, "67108864 bytes, at most 1048576")
	if err := p.Open(payload(1 << 20)); err != nil {
		t.Fatal(err)
	}
	_, err = p.Next()
	halts(t, "an event beyond the payload's size", err)
	halts(t, "no payload", p.Open([]byte{0}))
	halts(t, "nothing", p.Open(nil))
	other := payload(64 << 20)
	other[2] = 7
	halts(t, "another compression", p.Open(other), "binlog_transaction_compression")
}

// TestOldTimes reads the times of tables that MariaDB made with mysql56_temporal_format=OFF.
func TestOldTimes(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			my := testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"mysql56-temporal-format=OFF"}}).My
			my.Exec("set sql_mode = 'ALLOW_INVALID_DATES'; create table o (id int primary key, a datetime, b time, c timestamp null)")
			my.Exec("create table f (id int primary key, a datetime(3))")
			rows := logRows(t, my, func() {
				my.Exec("insert into o values (1, '2024-02-29 23:59:58', '-838:59:59', '2024-02-29 23:59:58'), (2, '2024-00-00 00:00:00', '12:34:56', '0000-00-00 00:00:00'), (3, '9999-12-31 23:59:59', '00:00:00', null)")
			})
			expectRows(t, rows, "insert o (1 2024-02-29T23:59:58 -838:59:59 2024-02-29T23:59:58Z)\ninsert o (2 2024-00-00 00:00:00 12:34:56 0000-00-00 00:00:00)\ninsert o (3 9999-12-31T23:59:59 00:00:00 -)\n")
			conn := snapshotSession(t, my)
			read, err := selected(t, conn, "o", rows[0].types)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rows {
				for j, v := range r.after {
					if v != read[i][j] {
						t.Errorf("row %d: %v in the log, %v in a snapshot", i, v, read[i][j])
					}
				}
			}
			_, err = catalogueOf(t, my, conn, "f")
			halts(t, "fraction digits", err, "mysql56_temporal_format", "column a")
		})
	}
}

package rowimage_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// FuzzDecode decodes any table map and any row event behind it, and compares with go-mysql: what both accept they read alike, but for
// the differences that decisions.md lists. Whatever is refused halts.
func FuzzDecode(f *testing.F) {
	for _, r := range recordings(f) {
		var tableMap []byte
		for _, e := range r.events {
			switch {
			case e.kind == tableMapEvent:
				tableMap = e.body
			case rowimage.IsRows(e.kind):
				f.Add(tableMap, e.kind, e.body, r.flavor() == myvalue.MariaDB)
			}
		}
	}
	f.Fuzz(func(t *testing.T, tableMap []byte, kind byte, body []byte, mariaDB bool) {
		if !rowimage.IsRows(kind) {
			return
		}
		flavor := map[bool]string{true: myvalue.MariaDB, false: myvalue.MySQL}[mariaDB]
		types, rows, err := decodeAny(tableMap, event{kind, body}, flavor)
		if err != nil {
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("%v doesn't halt", err)
			}
			return // stricter than go-mysql: see decisions.md
		}
		theirs, err := theirRows(tableMap, event{kind, body}, flavor)
		if err != nil {
			if reason := theyRefuse(err, types, kind, body); reason == "" {
				t.Fatalf("go-mysql refuses what we read: %v\n%v", err, rows)
			}
			return
		}
		compare(t, types, rows, theirs)
	})
}

// decodeAny decodes one row event; the columns are taken for what the log says they are.
func decodeAny(tableMap []byte, e event, flavor string) ([]myvalue.Type, [][]change.Value, error) {
	d := &decoder{flavor: flavor, catalogue: func(m *rowimage.TableMap) ([]myvalue.Type, error) {
		for i := range m.Types {
			m.Types[i].Known = true
		}
		return m.Types, nil
	}}
	if err := d.tableMap(tableMap); err != nil {
		return nil, nil, err
	}
	var types []myvalue.Type
	for _, list := range d.types {
		types = list
	}
	if h, err := rowimage.ParseHeader(e.kind, e.body); err == nil && d.plans[h.Table] == nil {
		return nil, nil, fmt.Errorf("another table's rows: %w", change.ErrHalt)
	}
	if err := d.event(e); err != nil {
		return nil, nil, err
	}
	var rows [][]change.Value
	for _, r := range d.rows {
		for _, image := range [][]change.Value{r.before, r.after} {
			if image != nil {
				rows = append(rows, image)
			}
		}
	}
	return types, rows, nil
}

// theirRows decodes with go-mysql; its panics are errors here.
func theirRows(tableMap []byte, e event, flavor string) (rows *replication.RowsEvent, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	p := replication.NewBinlogParser()
	p.SetFlavor(flavor)
	p.SetTimestampStringLocation(time.UTC)
	p.SetRenderJSONAsMySQLText(true)
	for _, e := range []event{{15, formatDescription()}, {tableMapEvent, tableMap}, e} {
		raw := make([]byte, eventHeader, eventHeader+len(e.body))
		raw[4] = e.kind
		binary.LittleEndian.PutUint32(raw[9:], uint32(eventHeader+len(e.body)))
		parsed, err := p.Parse(append(raw, e.body...))
		if err != nil {
			return nil, err
		}
		if r, ok := parsed.Event.(*replication.RowsEvent); ok {
			rows = r
		}
	}
	if rows == nil {
		return nil, errors.New("no row event")
	}
	return rows, nil
}

// formatDescription is the body of a FORMAT_DESCRIPTION event without checksums.
func formatDescription() []byte {
	b := make([]byte, 57, 57+200+5)
	b[0] = 4
	copy(b[2:], "9.7.4")
	b[56] = eventHeader
	for range 200 {
		b = append(b, 8)
	}
	return append(b, 0, 0, 0, 0, 0)
}

// theyRefuse says why go-mysql may refuse what we read.
func theyRefuse(err error, types []myvalue.Type, kind byte, body []byte) string {
	for i := range types {
		if types[i].Wire == myvalue.Geometry && strings.Contains(err.Error(), "index out of range") {
			return "fewer geometry types than such columns: it panics, we read none of them, for no value depends on them"
		}
		if types[i].Wire == myvalue.BlobCompressed || types[i].Wire == myvalue.VarcharCompressed {
			return "MariaDB's COMPRESSED columns, which it doesn't know"
		}
	}
	if kind >= 30 && kind <= 32 && binary.LittleEndian.Uint16(body[8:]) > 2 {
		return "extra data that isn't what it says: it panics, we read none of it"
	}
	if kind >= 169 {
		return "MariaDB's compressed row events of version 2, which it doesn't know"
	}
	return ""
}

// theirDecoder returns what decodes the row events of one table map with go-mysql.
func theirDecoder(tb testing.TB, tableMap []byte, flavor string) func(e event) {
	p := replication.NewBinlogParser()
	p.SetFlavor(flavor)
	p.SetTimestampStringLocation(time.UTC)
	parse := func(e event) {
		raw := make([]byte, eventHeader, eventHeader+len(e.body))
		raw[4] = e.kind
		binary.LittleEndian.PutUint32(raw[9:], uint32(eventHeader+len(e.body)))
		if _, err := p.Parse(append(raw, e.body...)); err != nil {
			tb.Fatal(err)
		}
	}
	parse(event{15, formatDescription()})
	return func(e event) {
		parse(event{tableMapEvent, tableMap}) // the end of a statement forgets it
		parse(e)
	}
}

// FuzzPayload reads any bytes as a TRANSACTION_PAYLOAD: its events follow each other without a gap to the end that its head names, or it
// halts.
func FuzzPayload(f *testing.F) {
	for _, e := range recordings(f)[0].events {
		if e.kind == payloadEvent {
			f.Add(e.body)
		}
	}
	p, err := rowimage.NewPayload(1 << 20)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		err := p.Open(body)
		var next uint64
		for err == nil {
			var inner rowimage.Inner
			if inner, err = p.Next(); err == nil && (inner.Offset != next || len(inner.Raw) < eventHeader) {
				t.Fatalf("an event of %d bytes at %d, want %d", len(inner.Raw), inner.Offset, next)
			}
			next += uint64(len(inner.Raw))
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, change.ErrHalt) {
			t.Fatalf("%v doesn't halt", err)
		}
	})
}

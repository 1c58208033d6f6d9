package rowimage_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

const (
	tableMapEvent = 19
	payloadEvent  = 40
)

// event is an event of the log: its type and its body, without header and checksum.
type event struct {
	kind byte
	body []byte
}

func flavorOf(my *testenv.My) string {
	if my.MariaDB {
		return myvalue.MariaDB
	}
	return myvalue.MySQL
}

// written returns the TABLE_MAP and row events of my's database, and what else may hold them, that f writes.
func written(t *testing.T, my *testenv.My, f func()) []event {
	t.Helper()
	my.Exec("create table if not exists log_end (i int)")
	begin := my.Binlog()
	f()
	my.Exec("insert into log_end values (1)")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	host, port := my.HostPort()
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{Flavor: flavorOf(my), Host: host, Port: port, User: "root",
		ServerID: 1<<30 + crc32.ChecksumIEEE([]byte(my.Database))>>8, RawModeEnabled: true, DisableRetrySync: true, Logger: slog.New(slog.DiscardHandler)})
	defer syncer.Close()
	stream, err := syncer.StartSync(mysql.Position{Name: begin.File, Pos: uint32(begin.Offset)})
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	for {
		e, err := stream.GetEvent(ctx)
		if err != nil {
			t.Fatal(err)
		}
		generic, ok := e.Event.(*replication.GenericEvent)
		if !ok {
			continue
		}
		found := event{byte(e.Header.EventType), generic.Data}
		if found.kind == tableMapEvent && bytes.Contains(found.body, []byte(my.Database+"\x00\x07log_end\x00")) {
			return events
		}
		if found.kind == tableMapEvent || found.kind == payloadEvent || rowimage.IsRows(found.kind) {
			events = append(events, found)
		}
	}
}

// row is one row change of the log.
type row struct {
	table         *rowimage.TableMap
	all           []myvalue.Type // hidden ones too
	types         []myvalue.Type
	op            change.Op
	before, after []change.Value
}

// decoder decodes events as a connector does; catalogue, where it is set, says what the log doesn't.
type decoder struct {
	flavor    string
	schema    string // the only one that counts; empty: all
	catalogue func(m *rowimage.TableMap) ([]myvalue.Type, error)

	maps  map[uint64]*rowimage.TableMap
	plans map[uint64]*rowimage.Plan
	types map[uint64][]myvalue.Type
	rows  []row
}

func (d *decoder) event(e event) error {
	switch {
	case e.kind == payloadEvent:
		return d.payload(e.body)
	case e.kind == tableMapEvent:
		return d.tableMap(e.body)
	case rowimage.IsRows(e.kind):
		return d.rowEvent(e)
	}
	return nil
}

func (d *decoder) tableMap(body []byte) error {
	m, err := rowimage.ParseTableMap(body, d.flavor)
	if err != nil {
		return err
	}
	if d.maps == nil {
		d.maps, d.plans, d.types = map[uint64]*rowimage.TableMap{}, map[uint64]*rowimage.Plan{}, map[uint64][]myvalue.Type{}
	}
	d.maps[m.ID] = m
	delete(d.plans, m.ID)
	if d.schema != "" && m.Schema != d.schema {
		return nil
	}
	types := m.Types
	if d.catalogue != nil {
		if types, err = d.catalogue(m); err != nil {
			return err
		}
	}
	plan, err := rowimage.NewPlan(types)
	if err != nil {
		return err
	}
	d.plans[m.ID], d.types[m.ID] = plan, types
	return nil
}

func (d *decoder) rowEvent(e event) error {
	h, err := rowimage.ParseHeader(e.kind, e.body)
	if err != nil {
		return err
	}
	plan := d.plans[h.Table]
	if plan == nil {
		return nil
	}
	var reader rowimage.Reader
	if err := reader.Begin(plan, h); err != nil {
		return err
	}
	for {
		before, after, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.rows = append(d.rows, row{d.maps[h.Table], d.types[h.Table], plan.Types(), h.Op, before, after})
	}
}

const eventHeader = 19

func (d *decoder) payload(body []byte) error {
	p, err := rowimage.NewPayload(1 << 26)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Open(body); err != nil {
		return err
	}
	for {
		inner, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.event(event{inner.Raw[4], append([]byte(nil), inner.Raw[eventHeader:]...)}); err != nil {
			return err
		}
	}
}

// catalogueOf reads today's catalogue of a table.
func catalogueOf(t *testing.T, my *testenv.My, conn *sql.Conn, table string) ([]myvalue.Type, error) {
	t.Helper()
	fields, err := fieldsOf(t, my, conn, table)
	if err != nil {
		return nil, err
	}
	return myvalue.FromCatalogue(flavorOf(my), fields)
}

func fieldsOf(t *testing.T, my *testenv.My, conn *sql.Conn, table string) ([]myvalue.Field, error) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), myvalue.CatalogueQuery(flavorOf(my)), my.Database, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var fields []myvalue.Field
	for rows.Next() {
		var f myvalue.Field
		if err := rows.Scan(&f.Name, &f.DataType, &f.ColumnType, &f.Nullable, &f.Octets, &f.Precision, &f.Scale, &f.Fraction, &f.Collation,
			&f.Generated, &f.JSON, &f.Versioned, &f.Auto, &f.Engine); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, rows.Err()
}

// selected reads a table as a snapshot does.
func selected(t *testing.T, conn *sql.Conn, table string, types []myvalue.Type) ([][]change.Value, error) {
	t.Helper()
	query := "select "
	for i := range types {
		if i > 0 {
			query += ", "
		}
		query += types[i].SelectExpr("`" + strings.ReplaceAll(types[i].Name, "`", "``") + "`")
	}
	rows, err := conn.QueryContext(t.Context(), query+" from "+table+" order by 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cells, into := make([]sql.RawBytes, len(types)), make([]any, len(types))
	for i := range cells {
		into[i] = &cells[i]
	}
	var all [][]change.Value
	var r myvalue.Row
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		r.Begin(len(types))
		for i, cell := range cells {
			if cell == nil {
				r.Null()
			} else if err := r.Text(&types[i], cell); err != nil {
				return nil, err
			}
		}
		all = append(all, r.Values())
	}
	return all, rows.Err()
}

// snapshotSession returns a session as a connector sets it up.
func snapshotSession(t *testing.T, my *testenv.My) *sql.Conn {
	t.Helper()
	conn := my.Connect()
	if _, err := conn.ExecContext(t.Context(), "set time_zone = '+00:00', character_set_results = NULL"); err != nil {
		t.Fatal(err)
	}
	return conn
}

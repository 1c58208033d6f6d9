package mysql

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// smallPacket is a max_allowed_packet that a row of a usual table may pass.
const smallPacket = 16 << 20

// Doctor checks the target without changing it: that it is reachable and takes writes, that the database and our tables are there or can be made, that a
// mark can be written (and rolled back), that the tables of recorded shapes still fit, and which unique indexes and foreign
// keys besides the source's key may make rows wait.
func Doctor(ctx context.Context, config Config) []preflight.Finding {
	config.MaxConns = 1
	s, err := newSink(config, slog.New(slog.DiscardHandler))
	if err != nil {
		return []preflight.Finding{{Check: "sink.config", Severity: preflight.Error, Summary: err.Error(), Fix: "correct the sink's settings"}}
	}
	e := examination{sink: s}
	if err := e.run(ctx); err != nil {
		e.failed("sink.reachable", err, "check the URL, the password, and from where the account may connect")
	}
	if err := s.Close(); err != nil {
		e.failed("sink.reachable", err, "")
	}
	return e.findings
}

type examination struct {
	sink     *Sink
	c        *conn
	findings []preflight.Finding
}

func (e *examination) add(check string, severity preflight.Severity, summary, fix string) {
	e.findings = append(e.findings, preflight.Finding{Check: check, Severity: severity, Summary: summary, Fix: fix})
}

func (e *examination) failed(check string, err error, fix string) {
	e.add(check, preflight.Error, err.Error(), fix)
}

// run examines over one connection; its error is that there is none.
func (e *examination) run(ctx context.Context) (err error) {
	s := e.sink
	if e.c, err = s.pool.acquire(ctx); err != nil {
		return err
	}
	defer s.pool.release(e.c)
	if s.server, err = readServer(ctx, e.c); err != nil {
		return err
	}
	if err := s.server.tooOld(); err != nil {
		e.failed("sink.version", err, "upgrade the target")
		return nil
	}
	e.add("sink.reachable", preflight.OK, "connected to "+s.server.dialect.String()+" "+s.server.version, "")
	e.settings(ctx)
	if e.database(ctx) && e.ownTables(ctx) {
		e.write(ctx)
		e.fits(ctx)
	}
	return nil
}

// settings looks at what the server allows.
func (e *examination) settings(ctx context.Context) {
	rows, err := e.c.query(ctx, "SELECT @@global.read_only, @@global.log_bin, @@global.binlog_format")
	if err != nil {
		e.failed("sink.settings", wrapped("read the server's settings", err), "")
		return
	}
	if *rows[0][0] != "0" && *rows[0][0] != "OFF" {
		e.add("sink.read_only", preflight.Error, "the server is read only (read_only = "+*rows[0][0]+")", "point the URL at the primary, or SET GLOBAL read_only = OFF")
	}
	if *rows[0][1] == "1" && *rows[0][2] == "STATEMENT" {
		e.add("sink.binlog_format", preflight.Error, "binlog_format is STATEMENT, which takes no writes under READ COMMITTED", "SET GLOBAL binlog_format = 'ROW'")
	}
	packet := e.sink.server.packet
	if packet < smallPacket {
		e.add("sink.max_allowed_packet", preflight.Warn, fmt.Sprintf("max_allowed_packet is %d bytes: a larger row is refused", packet), "SET GLOBAL max_allowed_packet = 67108864")
	} else {
		e.add("sink.max_allowed_packet", preflight.OK, fmt.Sprintf("max_allowed_packet is %d bytes", packet), "")
	}
}

func (e *examination) database(ctx context.Context) bool {
	name := e.sink.config.Schema
	rows, err := e.c.query(ctx, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+quoteLiteral(name))
	switch {
	case err != nil:
		e.failed("sink.database", wrapped("look up database "+name, err), "")
	case len(rows) == 0:
		e.add("sink.database", preflight.Error, fmt.Sprintf("database %s doesn't exist, or %s may do nothing in it", name, e.sink.pool.user), e.grants())
	default:
		e.add("sink.database", preflight.OK, fmt.Sprintf("database %s is there", name), "")
		return true
	}
	return false
}

func (e *examination) grants() string {
	sql, err := Grants(e.sink.config)
	if err != nil {
		return err.Error()
	}
	return sql
}

// ownTables says whether our tables are there, or can be made as Open does, and whether target tables can.
func (e *examination) ownTables(ctx context.Context) bool {
	have, err := e.sink.ownThere(ctx, e.c)
	if err != nil {
		e.failed("sink.tables", err, "")
		return false
	}
	rows, err := e.c.query(ctx, "SHOW GRANTS")
	if err != nil {
		e.failed("sink.tables", wrapped("read the account's rights", err), "")
		return false
	}
	creates, sure := mayCreate(rows, e.sink.config.Schema)
	there := len(have) == len(ownTables)
	severity := preflight.Error
	if !sure {
		severity = preflight.Warn
	}
	switch {
	case !creates && e.sink.config.CreateTables:
		e.add("sink.rights", severity, fmt.Sprintf("create_tables is on and %s has not CREATE and ALTER on %s", e.sink.pool.user, e.sink.config.Schema), e.grants())
	case !creates && !there:
		e.add("sink.tables", severity, "the tables for marks, parked changes and shapes are missing and the account may not make them", e.grants())
		return false
	}
	if there {
		e.add("sink.tables", preflight.OK, "the tables for marks, parked changes and shapes are there", "")
	} else {
		e.add("sink.tables", preflight.OK, "the tables for marks, parked changes and shapes will be made at the start", "")
	}
	return there
}

// mayCreate reads SHOW GRANTS. What comes by a role isn't in it: then nobody can be sure.
func mayCreate(rows [][]*string, database string) (creates, sure bool) {
	sure = true
	for _, r := range rows {
		rights, rest, ok := strings.Cut(strings.TrimPrefix(*r[0], "GRANT "), " ON ")
		if !ok {
			sure = false // GRANT role TO account
			continue
		}
		object, _, _ := strings.Cut(rest, " TO ")
		object = strings.NewReplacer(`\_`, "_", `\%`, "%").Replace(object)
		if object != "*.*" && object != quoteIdent(database)+".*" {
			continue
		}
		list := strings.Split(rights, ", ")
		if slices.Contains(list, "ALL PRIVILEGES") || slices.Contains(list, "CREATE") && slices.Contains(list, "ALTER") {
			creates = true
		}
	}
	return creates, sure
}

// write writes a mark of a stream that is none; the transaction is rolled back.
func (e *examination) write(ctx context.Context) {
	probe := []change.Mark{{Lane: change.Lane{Stream: "_tailwater_doctor"}}}
	err := e.sink.begin(ctx, e.c, probe, []*plan{})
	if err == nil {
		x := newScript(e.c, e.sink.server.packet)
		e.sink.moveMarks(x, probe)
		err = x.flush(ctx)
	}
	if _, back := e.c.exec(ctx, "ROLLBACK"); err == nil {
		err = back
	}
	if err != nil {
		e.failed("sink.write", wrapped("write a mark and roll back", err), e.grants())
		return
	}
	e.add("sink.write", preflight.OK, "a mark can be written", "")
}

const constraintsSQL = `SELECT TABLE_NAME, CONCAT('unique index ', INDEX_NAME, ' (', GROUP_CONCAT(COALESCE(COLUMN_NAME, '...') ORDER BY SEQ_IN_INDEX), ')')
FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND INDEX_NAME <> 'PRIMARY' AND TABLE_SCHEMA = %[1]s AND %[2]s
GROUP BY TABLE_NAME, INDEX_NAME HAVING MAX(COALESCE(COLUMN_NAME, '')) <> '_tailwater_pos'
ORDER BY 1, 2`

const foreignKeysSQL = `SELECT TABLE_NAME, CONCAT('foreign key ', CONSTRAINT_NAME, ' ON DELETE ', DELETE_RULE, ' ON UPDATE ', UPDATE_RULE)
FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = %[1]s AND %[2]s ORDER BY 1, 2`

// fits checks the targets of all shapes that the sink has met: the newest of each table.
func (e *examination) fits(ctx context.Context) {
	c := &e.sink.config
	rows, err := e.c.query(ctx, "SELECT name, shape FROM "+e.sink.own(upsert.TableShapes)+" WHERE "+e.sink.mine()+" ORDER BY `schema`, name, pos DESC")
	if err != nil {
		e.failed("sink.shapes", wrapped("read the recorded shapes", err), "")
		return
	}
	last := ""
	var names []string
	for _, r := range rows {
		if *r[0] == last {
			continue
		}
		last = *r[0]
		names = append(names, hexLiteral(last))
		table, err := change.ParseShape([]byte(*r[1]))
		if err == nil {
			err = e.fit(ctx, table)
		}
		if err != nil {
			e.failed("sink.fits", err, "see the summary")
			continue
		}
		e.add("sink.fits", preflight.OK, fmt.Sprintf("%s.%s fits %s", c.Schema, table.Name, table), "")
	}
	if len(names) == 0 {
		return
	}
	in := "TABLE_NAME IN (" + strings.Join(names, ", ") + ")"
	if rows, err = e.c.query(ctx, fmt.Sprintf(constraintsSQL, hexLiteral(c.Schema), in)); err != nil {
		e.failed("sink.constraints", wrapped("read the constraints", err), "")
		return
	}
	for _, r := range rows {
		e.add("sink.constraints", preflight.Warn, fmt.Sprintf("%s has a %s; rows that violate it wait for the other lanes, and are then refused",
			*r[0], *r[1]), "drop it on the target unless the source has it too")
	}
	if rows, err = e.c.query(ctx, fmt.Sprintf(foreignKeysSQL, hexLiteral(c.Schema), in)); err != nil {
		e.failed("sink.constraints", wrapped("read the foreign keys", err), "")
		return
	}
	for _, r := range rows {
		e.findings = append(e.findings, upsert.ForeignKey(*r[0]+" has a "+*r[1], c.TrustKeys))
	}
}

func (e *examination) fit(ctx context.Context, table *change.Table) error {
	c := &e.sink.config
	to, err := readTarget(ctx, e.c, e.sink.at(), table.Name)
	if err != nil {
		return err
	}
	if to == nil {
		return halt("%s.%s is gone", c.Schema, table.Name)
	}
	lacks := missingOwn(table, to, c.Mode)
	for i := range table.Columns {
		if col := &table.Columns[i]; !col.Generated && to.column(col.Name) == nil && c.Policy.Of(sinks.KindAdd) != sinks.Ignore {
			lacks = append(lacks, col.Name)
		}
	}
	if len(lacks) > 0 && !c.CreateTables {
		return halt("%s.%s lacks columns of %s and create_tables is off: %s", c.Schema, table.Name, table, strings.Join(lacks, ", "))
	}
	if err := fit(table, to, e.sink.at()); err != nil {
		return err
	}
	for _, k := range table.Key {
		if col, tc := &table.Columns[k], to.column(table.Columns[k].Name); vague(table.Engine, col, tc) {
			e.add("sink.collation", preflight.Warn, fmt.Sprintf("key %s of %s compares as %s: two keys that it takes for equal and the source does not would be one row",
				col.Name, table.Name, tc.collation), "make sure that the source's column has the same collation")
		}
	}
	_, err = newPlan(table, to, e.sink.at())
	return err
}

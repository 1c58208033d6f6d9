package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Doctor checks the target without changing it: that it is reachable, that the schema and our tables are there or can be made, that a mark can
// be written (and rolled back), that the tables of recorded shapes still fit, and which unique indexes and foreign keys besides
// the source's key may make rows wait.
func Doctor(ctx context.Context, config Config) []preflight.Finding {
	config, pc, err := config.checked()
	if err != nil {
		return []preflight.Finding{{Check: "sink.config", Severity: preflight.Error, Summary: err.Error(), Fix: "correct the sink's settings"}}
	}
	s := &Sink{config: config, pool: newPool(pc, 1), log: slog.New(slog.DiscardHandler)}
	defer s.pool.close()
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return []preflight.Finding{{Check: "sink.reachable", Severity: preflight.Error, Summary: err.Error(), Fix: "check the URL, the password and pg_hba.conf"}}
	}
	defer s.pool.release(pg)
	e := examination{sink: s, pg: pg}
	e.add("sink.reachable", preflight.OK, "connected to PostgreSQL "+pg.ParameterStatus("server_version"), "")
	if err := begin(ctx, pg); err != nil {
		e.failed("sink.reachable", err, "")
		return e.findings
	}
	e.trust(ctx)
	if e.schema(ctx) && e.ownTables(ctx) {
		e.write(ctx)
		e.fits(ctx)
	}
	return e.findings
}

type examination struct {
	sink     *Sink
	pg       *pgconn.PgConn
	findings []preflight.Finding
}

func (e *examination) add(check string, severity preflight.Severity, summary, fix string) {
	e.findings = append(e.findings, preflight.Finding{Check: check, Severity: severity, Summary: summary, Fix: fix})
}

func (e *examination) failed(check string, err error, fix string) {
	e.add(check, preflight.Error, err.Error(), fix)
}

func (e *examination) schema(ctx context.Context) bool {
	name := e.sink.config.Schema
	rows, err := query(ctx, e.pg, `SELECT has_schema_privilege(oid, 'USAGE')::text, has_schema_privilege(oid, 'CREATE')::text
FROM pg_catalog.pg_namespace WHERE nspname = $1`, name)
	switch {
	case err != nil:
		e.failed("sink.schema", err, "")
	case len(rows) == 0:
		e.add("sink.schema", preflight.Error, fmt.Sprintf("schema %s doesn't exist", name), "CREATE SCHEMA "+quoteIdent(name))
	case *rows[0][0] != "true":
		e.add("sink.schema", preflight.Error, fmt.Sprintf("%s may not use schema %s", e.role(), name),
			"GRANT USAGE ON SCHEMA "+quoteIdent(name)+" TO "+quoteIdent(e.role()))
	case *rows[0][1] != "true" && e.sink.config.CreateTables:
		e.add("sink.schema", preflight.Error, fmt.Sprintf("create_tables is on and %s may not create in schema %s", e.role(), name),
			"GRANT CREATE ON SCHEMA "+quoteIdent(name)+" TO "+quoteIdent(e.role()))
	default:
		e.add("sink.schema", preflight.OK, fmt.Sprintf("schema %s is there, may create: %s", name, *rows[0][1]), "")
		return true
	}
	return false
}

// trust says whether the role may write without the checks of foreign keys, if it is to.
func (e *examination) trust(ctx context.Context) {
	if !e.sink.config.TrustKeys {
		return
	}
	rows, err := query(ctx, e.pg, "SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')::text")
	switch {
	case err != nil:
		e.failed("sink.foreign_keys", wrapped("ask whether session_replication_role may be set", err), "")
	case *rows[0][0] != "true":
		e.add("sink.foreign_keys", preflight.Error, fmt.Sprintf("foreign_keys is trust and %s may not set session_replication_role", e.role()), trustSQL(e.role()))
	default:
		e.add("sink.foreign_keys", preflight.OK, "rows can be written without the checks of foreign keys; triggers and rules run only where they are ENABLE ALWAYS or REPLICA", "")
	}
}

func (e *examination) role() string { return e.sink.pool.config.User }

// ownTables says whether our tables are there; Open makes those that aren't.
func (e *examination) ownTables(ctx context.Context) bool {
	rows, err := query(ctx, e.pg, `SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace =
(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND c.relname IN ($2, $3, $4)`, e.sink.config.Schema, upsert.TableMarks, upsert.TableParked, upsert.TableShapes)
	if err != nil {
		e.failed("sink.tables", err, "")
		return false
	}
	if len(rows) == len(ownTables) {
		e.add("sink.tables", preflight.OK, "the tables for marks, parked changes and shapes are there", "")
		return true
	}
	rights, err := query(ctx, e.pg, "SELECT has_schema_privilege($1, 'CREATE')::text", e.sink.config.Schema)
	switch {
	case err != nil:
		e.failed("sink.tables", err, "")
	case *rights[0][0] == "true":
		e.add("sink.tables", preflight.OK, "the tables for marks, parked changes and shapes will be made at the start", "")
	default:
		fix, _ := Grants(e.sink.config)
		e.add("sink.tables", preflight.Error, "the tables for marks, parked changes and shapes are missing and the role may not make them", fix)
	}
	return false
}

// write writes a mark of a stream that is none; the transaction is rolled back.
func (e *examination) write(ctx context.Context) {
	x := newExchange(ctx, e.pg)
	probe := []change.Mark{{Lane: change.Lane{Stream: "_tailwater_doctor"}}}
	x.exec("SAVEPOINT doctor")
	e.sink.lockMarks(x, probe)
	e.sink.moveMarks(x, probe)
	x.exec("ROLLBACK TO SAVEPOINT doctor")
	if err := x.finish(); err != nil {
		fix, _ := Grants(e.sink.config)
		e.failed("sink.write", wrapped("write a mark and roll back", err), fix)
		_ = e.pg.Exec(ctx, "ROLLBACK TO SAVEPOINT doctor").Close() // what comes next fails with a reason of its own if this did
		return
	}
	e.add("sink.write", preflight.OK, "a mark can be written", "")
}

const constraintsSQL = `SELECT c.relname::text, 'unique index ' || x.relname, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE i.indisunique AND NOT i.indisprimary AND c.relnamespace = $1::regnamespace AND c.relname IN
  (SELECT name FROM %[1]s WHERE source = $2 AND sink = $3) AND pg_catalog.pg_get_indexdef(i.indexrelid) NOT LIKE '%%(_tailwater_pos)'
ORDER BY 1, 2`

const foreignKeysSQL = `SELECT c.relname::text, 'foreign key ' || f.conname, pg_catalog.pg_get_constraintdef(f.oid)
FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
WHERE f.contype = 'f' AND c.relnamespace = $1::regnamespace AND c.relname IN (SELECT name FROM %[1]s WHERE source = $2 AND sink = $3)
ORDER BY 1, 2`

// fits checks the targets of all shapes that the sink has met: the newest of each table.
func (e *examination) fits(ctx context.Context) {
	c := &e.sink.config
	rows, err := query(ctx, e.pg, `SELECT DISTINCT ON (schema, name) shape FROM `+e.sink.own(upsert.TableShapes)+
		` WHERE source = $1 AND sink = $2 ORDER BY schema, name, pos DESC`, c.SourceID, c.SinkName)
	if err != nil {
		e.failed("sink.shapes", err, "")
		return
	}
	for _, r := range rows {
		table, err := change.ParseShape([]byte(*r[0]))
		if err == nil {
			err = e.fit(ctx, table)
		}
		if err != nil {
			e.failed("sink.fits", err, "see the summary")
			continue
		}
		e.add("sink.fits", preflight.OK, fmt.Sprintf("%s.%s fits %s", c.Schema, table.Name, table), "")
	}
	rows, err = query(ctx, e.pg, fmt.Sprintf(constraintsSQL, e.sink.own(upsert.TableShapes)), quoteIdent(c.Schema), c.SourceID, c.SinkName)
	if err != nil {
		e.failed("sink.constraints", err, "")
		return
	}
	for _, r := range rows {
		e.add("sink.constraints", preflight.Warn, fmt.Sprintf("%s has a %s: %s; rows that violate it wait for the other lanes, and are then refused",
			*r[0], *r[1], *r[2]), "drop it on the target unless the source has it too")
	}
	rows, err = query(ctx, e.pg, fmt.Sprintf(foreignKeysSQL, e.sink.own(upsert.TableShapes)), quoteIdent(c.Schema), c.SourceID, c.SinkName)
	if err != nil {
		e.failed("sink.constraints", err, "")
		return
	}
	for _, r := range rows {
		e.findings = append(e.findings, upsert.ForeignKey(*r[0]+" has a "+*r[1]+": "+*r[2], c.TrustKeys))
	}
}

func (e *examination) fit(ctx context.Context, table *change.Table) error {
	c := &e.sink.config
	to, err := readTarget(ctx, e.pg, c.Schema, table.Name)
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
	if err := fit(table, to, c.Schema, c.Mode); err != nil {
		return err
	}
	_, err = newPlan(table, to, c.Schema, c.Mode)
	return err
}

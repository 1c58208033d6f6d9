package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// tableState is what Doctor asks of each table.
type tableState struct {
	identity byte
	primary  bool
	readable bool
	hidden   bool // row security applies to the role
}

func (d *doctor) tables(ctx context.Context) error {
	sel, err := newSelection(d.config.Include, d.config.Exclude)
	if err != nil {
		return err
	}
	list, err := readCandidates(ctx, d.conn, d.config.Publication.Name)
	if err != nil {
		return err
	}
	if err := sel.missing(list); err != nil {
		d.fail(checkTables, "", "%v", err)
	}
	for _, c := range list {
		if c.unlogged && c.root == "" && elsewhere[c.kind] == "" && sel.Has(c.schema, c.name) {
			d.warn(checkTables, "ALTER TABLE "+c.quoted()+" SET LOGGED;", "table %s is unlogged and can't be captured", c)
		}
	}
	tables := sel.selected(list)
	if len(tables) == 0 {
		d.warn(checkTables, "", "no table matches")
	} else {
		d.ok(checkTables, "%d tables match", len(tables))
	}
	if err := d.publication(ctx, tables); err != nil {
		return err
	}
	for _, t := range tables {
		if err := d.table(ctx, t.tableName); err != nil {
			return err
		}
		if t.partitioned {
			d.partitions(t)
		}
	}
	return nil
}

func (d *doctor) publication(ctx context.Context, tables []candidate) error {
	name := d.config.Publication.Name
	const query = `select count(*)::int, coalesce(bool_and(pubinsert and pubupdate and pubdelete and pubtruncate), true),
		coalesce(bool_and(pubviaroot), true) from pg_publication where pubname = $1`
	var n int
	var all, root bool
	if err := d.conn.QueryRow(ctx, query, name).Scan(&n, &all, &root); err != nil {
		return fmt.Errorf("read publication %s: %w", name, err)
	}
	switch {
	case n == 0 && d.config.Publication.Create:
		d.ok(checkPublication, "publication %s is not there yet and will be created", name)
		return nil
	case n == 0:
		d.fail(checkPublication, createStatement(name, tables)+";", "publication %s is missing and publication.create is off", name)
		return nil
	case !all:
		d.fail(checkPublication, "ALTER PUBLICATION "+quote(name)+" SET (publish = 'insert, update, delete, truncate');",
			"publication %s doesn't publish every operation", name)
	case !root:
		d.fail(checkPublication, "ALTER PUBLICATION "+quote(name)+" SET (publish_via_partition_root = true);",
			"publication %s publishes the parts of partitioned tables apart", name)
	}
	if err := refuseFilters(ctx, d.conn, name); err != nil {
		d.fail(checkPublication, "", "%v", err)
	}
	lacks := 0
	for _, t := range tables {
		if !t.published {
			lacks++
			d.warn(checkPublication, "ALTER PUBLICATION "+quote(name)+" ADD TABLE "+t.quoted()+";", "publication %s lacks table %s", name, t)
		}
	}
	if lacks == 0 {
		d.ok(checkPublication, "publication %s holds all %d tables", name, len(tables))
	}
	return nil
}

// table looks at the replica identity, without which the source itself refuses UPDATE and DELETE of a published table, and at the grant.
func (d *doctor) table(ctx context.Context, t tableName) error {
	s, err := readTableState(ctx, d.conn, t)
	if err != nil {
		return fmt.Errorf("table %s: %w", t, err)
	}
	full := "ALTER TABLE " + t.quoted() + " REPLICA IDENTITY FULL;"
	switch {
	case s.identity == 'n':
		d.warn(checkIdentity, full, "table %s has REPLICA IDENTITY NOTHING: UPDATE and DELETE fail at the source once it is published", t)
	case s.identity == 'd' && !s.primary:
		d.warn(checkIdentity, full, "table %s has no primary key: UPDATE and DELETE fail at the source once it is published", t)
	case s.identity == 'f':
		d.ok(checkIdentity, "table %s logs whole old rows", t)
	default:
		d.ok(checkIdentity, "table %s logs the key of old rows", t)
	}
	if !s.readable {
		d.fail(checkSelect, "GRANT USAGE ON SCHEMA "+quote(t.schema)+" TO "+quote(d.role)+"; GRANT SELECT ON "+t.quoted()+" TO "+quote(d.role)+";",
			"table %s can't be read by role %s", t, d.role)
	}
	d.rowSecurity(t, s.hidden)
	return nil
}

// rowSecurity says that a snapshot, which reads with row_security = off, would be refused. The log knows no row security.
func (d *doctor) rowSecurity(t tableName, hidden bool) {
	fix := "ALTER ROLE " + quote(d.role) + " BYPASSRLS;"
	switch {
	case hidden && d.config.SnapshotMode == SnapshotNever:
		d.warn(checkRows, fix, "row security of table %s may hide rows from role %s, so tailwater snapshot start would be refused; the log has all rows", t, d.role)
	case hidden:
		d.fail(checkRows, fix, "row security of table %s may hide rows from role %s, so its snapshot would be refused", t, d.role)
	}
}

// partitions says what comes of statements on the partitions themselves, of which the log tells nothing.
func (d *doctor) partitions(t candidate) {
	if d.config.SnapshotMode == SnapshotNever {
		d.warn(checkPartitions, "after ATTACH of a partition with rows run: tailwater snapshot start --table "+t.String()+"; after TRUNCATE, DETACH or DROP of one delete its rows at the targets",
			"table %s is partitioned: the log doesn't tell when a partition is truncated, detached, dropped or attached with rows, and snapshots are off", t)
		return
	}
	d.warn(checkPartitions, "before dropping or rewriting a partition of a large table, consider deleting its rows instead; to have the table's rows read again at any time run: tailwater snapshot start --table "+t.String(),
		"table %s is partitioned: when a partition is truncated, detached, dropped or rewritten (VACUUM FULL, CLUSTER), the table is emptied at the targets and read again; rows that are attached are read", t)
}

func readTableState(ctx context.Context, conn *pgx.Conn, t tableName) (tableState, error) {
	const query = `select c.relreplident::text, exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary),
			has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'), row_security_active(c.oid)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`
	var identity string
	var s tableState
	if err := conn.QueryRow(ctx, query, t.schema, t.name).Scan(&identity, &s.primary, &s.readable, &s.hidden); err != nil {
		return s, err
	}
	s.identity = identity[0]
	return s, nil
}

package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// The checks of Doctor, by the names that stay the same.
const (
	checkReach       = "postgres.reachable"
	checkVersion     = "postgres.version"
	checkWALLevel    = "postgres.wal_level"
	checkStandby     = "postgres.primary"
	checkRole        = "postgres.replication_role"
	checkSlots       = "postgres.free_slots"
	checkSenders     = "postgres.free_senders"
	checkSlot        = "postgres.slot"
	checkKeep        = "postgres.max_slot_wal_keep_size"
	checkTables      = "postgres.tables"
	checkSelect      = "postgres.select"
	checkRows        = "postgres.row_security"
	checkPublication = "postgres.publication"
	checkIdentity    = "postgres.replica_identity"
	checkPartitions  = "postgres.partitions"
	checkEncoding    = "postgres.encoding"
)

// doctor collects findings.
type doctor struct {
	config   *Config
	conn     *pgx.Conn
	role     string
	findings []preflight.Finding
}

func (d *doctor) ok(check, format string, args ...any) {
	d.findings = append(d.findings, preflight.Finding{Check: check, Severity: preflight.OK, Summary: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, fix, format string, args ...any) {
	d.findings = append(d.findings, preflight.Finding{Check: check, Severity: preflight.Warn, Summary: fmt.Sprintf(format, args...), Fix: fix})
}

func (d *doctor) fail(check, fix, format string, args ...any) {
	d.findings = append(d.findings, preflight.Finding{Check: check, Severity: preflight.Error, Summary: fmt.Sprintf(format, args...), Fix: fix})
}

// Doctor looks at the server and changes nothing. What it can't look at is a finding too.
func Doctor(ctx context.Context, config Config) []preflight.Finding {
	d := &doctor{}
	checked, err := config.checked()
	if err != nil {
		d.fail("postgres.config", "", "%v", err)
		return d.findings
	}
	d.config = &checked
	d.conn, err = checked.connect(ctx)
	if err != nil {
		d.fail(checkReach, "check url, password, pg_hba.conf and the network", "%v", err)
		return d.findings
	}
	defer d.conn.Close(context.WithoutCancel(ctx))
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{{checkReach, d.server}, {checkSlots, d.capacity}, {checkSlot, d.slot}, {checkTables, d.tables}} {
		if err := check.run(ctx); err != nil {
			d.fail(check.name, "", "%v", err)
		}
	}
	return d.findings
}

func (d *doctor) server(ctx context.Context) error {
	s, err := readServer(ctx, d.conn)
	if err != nil {
		return err
	}
	d.role = s.role
	d.ok(checkReach, "database %s as role %s", s.database, s.role)
	if s.version < oldest {
		d.fail(checkVersion, "upgrade the server", "server version %d; 14 or later is needed", s.version)
	} else {
		d.ok(checkVersion, "server version %d", s.version)
	}
	if s.standby {
		d.fail(checkStandby, "connect to the primary", "the server is a standby")
	} else {
		d.ok(checkStandby, "the server is a primary")
	}
	if s.walLevel != "logical" {
		d.fail(checkWALLevel, "ALTER SYSTEM SET wal_level = logical; -- then restart the server", "wal_level is %s", s.walLevel)
	} else {
		d.ok(checkWALLevel, "wal_level is logical")
	}
	if !s.replication {
		d.fail(checkRole, "ALTER ROLE "+quote(s.role)+" REPLICATION;", "role %s lacks REPLICATION", s.role)
	} else {
		d.ok(checkRole, "role %s may replicate", s.role)
	}
	var encoding string
	if err := d.conn.QueryRow(ctx, `select current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return fmt.Errorf("ask for the encoding: %w", err)
	}
	if encoding == "SQL_ASCII" {
		d.warn(checkEncoding, "correct texts that aren't UTF-8 before the pipeline starts", "the database is SQL_ASCII: text that isn't UTF-8 will halt the pipeline, by table and column")
	} else {
		d.ok(checkEncoding, "the database's encoding is %s", encoding)
	}
	return nil
}

// capacity looks for room for one slot and one walsender more, unless they are there already.
func (d *doctor) capacity(ctx context.Context) error {
	const query = `select current_setting('max_replication_slots')::int, (select count(*)::int from pg_replication_slots),
			current_setting('max_wal_senders')::int, (select count(*)::int from pg_stat_replication),
			current_setting('max_slot_wal_keep_size'), exists (select from pg_replication_slots where slot_name = $1)`
	var slots, slotsUsed, senders, sendersUsed int
	var keep string
	var exists bool
	err := d.conn.QueryRow(ctx, query, d.config.Slot.Name).Scan(&slots, &slotsUsed, &senders, &sendersUsed, &keep, &exists)
	if err != nil {
		return fmt.Errorf("count slots and walsenders: %w", err)
	}
	if slotsUsed >= slots && !exists {
		d.fail(checkSlots, "ALTER SYSTEM SET max_replication_slots = "+fmt.Sprint(slots+4)+"; -- then restart the server", "all %d replication slots are taken", slots)
	} else {
		d.ok(checkSlots, "%d of %d replication slots are taken", slotsUsed, slots)
	}
	if sendersUsed >= senders {
		d.fail(checkSenders, "ALTER SYSTEM SET max_wal_senders = "+fmt.Sprint(senders+4)+"; -- then restart the server", "all %d walsenders are taken", senders)
	} else {
		d.ok(checkSenders, "%d of %d walsenders are taken", sendersUsed, senders)
	}
	if keep == "-1" {
		d.ok(checkKeep, "the server keeps log for a slot without limit: watch its disk while the pipeline is down")
	} else {
		d.warn(checkKeep, "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();",
			"the server keeps at most %s for a slot: a pipeline that is behind by more loses its place", keep)
	}
	return nil
}

func (d *doctor) slot(ctx context.Context) error {
	s, err := readSlot(ctx, d.conn, d.config.Slot.Name)
	if err != nil {
		return err
	}
	name := d.config.Slot.Name
	switch {
	case s == nil && d.config.Slot.Create:
		d.ok(checkSlot, "slot %s is not there yet and will be created", name)
	case s == nil:
		d.fail(checkSlot, "SELECT pg_create_logical_replication_slot("+quoteText(name)+", 'pgoutput');", "slot %s is missing and slot.create is off", name)
	case s.pid != 0:
		d.warn(checkSlot, "", "slot %s is read by pid %d: a pipeline runs", name, s.pid)
	case s.walStatus == "unreserved":
		d.warn(checkSlot, "start the pipeline now", "slot %s at %s is about to lose its log", name, lsnText(s.confirmed))
	default:
		var database string
		if err := d.conn.QueryRow(ctx, `select current_database()::text`).Scan(&database); err != nil {
			return fmt.Errorf("ask for the database: %w", err)
		}
		if err := s.usable(name, database); err != nil {
			d.fail(checkSlot, "", "%v", err)
		} else {
			d.ok(checkSlot, "slot %s stands at %s, wal_status %s", name, lsnText(s.confirmed), s.walStatus)
		}
	}
	return nil
}

package mysql

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// The checks of Doctor, by the names that stay the same, after "mysql." or "mariadb.".
const (
	checkConfig     = "config"
	checkReach      = "reachable"
	checkTLS        = "tls"
	checkVersion    = "version"
	checkLog        = "log_bin"
	checkLacks      = "log_filters"
	checkFormat     = "binlog_format"
	checkImage      = "binlog_row_image"
	checkMetadata   = "binlog_row_metadata"
	checkJSON       = "partial_json"
	checkGTID       = "gtid_mode"
	checkSync       = "sync_binlog"
	checkServerID   = "server_id"
	checkRunning    = "instance"
	checkRetention  = "retention"
	checkGrants     = "grants"
	checkTables     = "tables"
	checkKey        = "primary_key"
	checkForeign    = "foreign_keys"
	checkCollations = "collations"
	checkEngine     = "engine"
)

// doctor collects findings.
type doctor struct {
	config   *Config
	conn     *session
	server   server
	findings []preflight.Finding
}

func (d *doctor) add(severity preflight.Severity, check, fix, summary string) {
	d.findings = append(d.findings, preflight.Finding{Check: d.config.Flavor + "." + check, Severity: severity, Summary: summary, Fix: fix})
}

func (d *doctor) ok(check, format string, args ...any) {
	d.add(preflight.OK, check, "", fmt.Sprintf(format, args...))
}

func (d *doctor) warn(check, fix, format string, args ...any) {
	d.add(preflight.Warn, check, fix, fmt.Sprintf(format, args...))
}

func (d *doctor) fail(check, fix, format string, args ...any) {
	d.add(preflight.Error, check, fix, fmt.Sprintf(format, args...))
}

// Doctor looks at the server and changes nothing. What it can't look at is a finding too.
func Doctor(ctx context.Context, config Config) []preflight.Finding {
	d := &doctor{config: &config}
	checked, err := config.checked()
	if err != nil {
		d.fail(checkConfig, "", "%v", err)
		return d.findings
	}
	d.config = &checked
	if d.conn, err = checked.connect(ctx); err != nil {
		d.fail(checkReach, "check address, user, password, tls and the network", "%v", err)
		return d.findings
	}
	defer d.conn.close()
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{{checkReach, d.settings}, {checkRunning, d.instance}, {checkGrants, d.grants}, {checkTables, d.tables}, {checkRetention, d.retention}} {
		if err := check.run(ctx); err != nil {
			d.fail(check.name, "", "%v", err)
		}
	}
	return d.findings
}

// set is the statement that changes a setting of the server for good.
func (d *doctor) set(name, value string) string {
	if d.config.Flavor == MariaDB {
		return fmt.Sprintf("SET GLOBAL %s = %s; -- and %s=%s in the option file; old sessions keep the old value", name, value, name, value)
	}
	return fmt.Sprintf("SET PERSIST %s = %s; -- old sessions keep the old value", name, value)
}

// metadata looks at what the log says of columns.
func (d *doctor) metadata() {
	if d.server.named() {
		d.ok(checkMetadata, "binlog_row_metadata is FULL")
		return
	}
	d.warn(checkMetadata, d.set("binlog_row_metadata", "'FULL'"), "binlog_row_metadata is %s: the log describes columns by position, so what tables were is kept from "+
		"statement to statement; a table altered twice before the first is read halts the pipeline, and so does one altered with sql_log_bin = 0, if it shows", orNone(d.server.metadata))
}

func (d *doctor) settings(ctx context.Context) error {
	var err error
	if d.server, err = readServer(ctx, d.conn); err != nil {
		return err
	}
	s := &d.server
	d.ok(checkReach, "%s as user %s", d.config.Addr, d.config.User)
	d.encrypted()
	if err := s.fit(d.config.Flavor); err != nil && (s.flavor != d.config.Flavor || strings.Contains(err.Error(), errTooOld.Error())) {
		d.fail(checkVersion, "", "%v", err)
	} else {
		d.ok(checkVersion, "server version %s", s.text)
	}
	d.judge(s.logBin, checkLog, "set log_bin in the option file and restart the server", "binary log: "+onOff(s.logBin))
	if s.logBin {
		sel, err := newSelection(d.config.Include, d.config.Exclude)
		if err == nil {
			err = s.logsAll(ctx, d.conn, sel)
		}
		if err != nil {
			d.fail(checkLacks, "", "%v", err)
		} else {
			d.ok(checkLacks, "the log has the changes of all captured tables")
		}
	}
	d.judge(strings.EqualFold(s.format, "ROW"), checkFormat, d.set("binlog_format", "'ROW'"), "binlog_format is "+s.format)
	d.metadata()
	d.judge(!s.jsonPartial, checkJSON, d.set("binlog_row_value_options", "''"), "PARTIAL_JSON is "+onOff(s.jsonPartial))
	if strings.EqualFold(s.image, "FULL") {
		d.ok(checkImage, "binlog_row_image is FULL")
	} else {
		d.warn(checkImage, d.set("binlog_row_image", "'FULL'"),
			"binlog_row_image is %s: an UPDATE that changes a key and leaves a column out halts the pipeline, and so does an INSERT that the log lacks a column of", s.image)
	}
	switch {
	case s.flavor == MariaDB:
		d.ok(checkGTID, "MariaDB gives every transaction a GTID")
	case s.gtids:
		d.ok(checkGTID, "gtid_mode is ON")
	default:
		d.warn(checkGTID, "SET PERSIST gtid_mode = ... step by step to ON, with enforce_gtid_consistency = ON",
			"gtid_mode is not ON: after a failover to another server the pipeline can't go on, and snapshots need short locks")
	}
	if s.syncBinlog == 1 {
		d.ok(checkSync, "sync_binlog is 1")
	} else {
		d.warn(checkSync, d.set("sync_binlog", "1"), "sync_binlog is %d: after a crash of its host the server may lack transactions that were read from it", s.syncBinlog)
	}
	return nil
}

func (d *doctor) judge(good bool, check, fix, summary string) {
	if good {
		d.ok(check, "%s", summary)
	} else {
		d.fail(check, fix, "%s", summary)
	}
}

func onOff(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

func orNone(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}

func (d *doctor) encrypted() {
	conn, ok := d.conn.conn.Conn.Conn.(*tls.Conn)
	switch {
	case !ok:
		d.warn(checkTLS, "set tls.mode to verify-full", "the connection is not encrypted")
	case d.config.TLS.InsecureSkipVerify && d.config.TLS.VerifyConnection == nil:
		d.warn(checkTLS, "set tls.mode to verify-full", "the connection is encrypted, and nothing checks whose certificate the server has")
	default:
		d.ok(checkTLS, "%s, the server's certificate is checked", tls.VersionName(conn.ConnectionState().Version))
	}
}

// instance looks whether an instance reads already, and whether its server_id is free.
func (d *doctor) instance(ctx context.Context) error {
	row, err := d.conn.one(ctx, "select is_used_lock("+quoteText(lockName(d.config.SourceID))+")")
	if err != nil {
		return fmt.Errorf("look for the source's lock: %w", err)
	}
	if row[0] != "" {
		d.warn(checkRunning, "", "connection %s holds the source's lock: a pipeline runs", row[0])
	} else {
		d.ok(checkRunning, "no instance reads this source")
	}
	if err := d.server.checkServerID(ctx, d.conn, d.config.SourceID); err != nil {
		d.fail(checkServerID, "choose another source.id", "%v", err)
	} else {
		d.ok(checkServerID, "server_id %d is free, as far as this user may see", serverIDOf(d.config.SourceID))
	}
	return nil
}

const (
	// shortRetention is what a weekend needs.
	shortRetention = 72 * time.Hour
	// rateSample is how long the log's growth is watched.
	rateSample = 500 * time.Millisecond
)

// retention holds how long the server keeps its log against how fast that grows.
func (d *doctor) retention(ctx context.Context) error {
	if !d.server.logBin {
		return nil
	}
	before, err := logBytes(ctx, d.conn)
	if err != nil {
		return fmt.Errorf("measure the log: %w", err)
	}
	pause(ctx, rateSample)
	after, err := logBytes(ctx, d.conn)
	if err != nil {
		return fmt.Errorf("measure the log: %w", err)
	}
	perHour := max(0, after-before) * int64(time.Hour/rateSample) >> 20
	keep := time.Duration(d.server.expire) * time.Second
	fix := d.set("binlog_expire_logs_seconds", "604800")
	switch {
	case keep == 0:
		d.ok(checkRetention, "the log, %d MiB now and growing by %d MiB an hour, is never removed by age: watch the server's disk", after>>20, perHour)
	case keep < shortRetention:
		d.warn(checkRetention, fix, "you can be down %.0f h: then the server removes what was not read (%d MiB now, growing by %d MiB an hour)", keep.Hours(), after>>20, perHour)
	default:
		d.ok(checkRetention, "you can be down %.0f h (%d MiB now, growing by %d MiB an hour)", keep.Hours(), after>>20, perHour)
	}
	return nil
}

package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// server is what a server says of itself.
type server struct {
	flavor      string
	text        string // version, as it says
	version     int    // major*10000 + minor*100 + patch
	uuid        string // MySQL
	id          uint32 // server_id
	logBin      bool
	format      string // binlog_format
	image       string // binlog_row_image
	metadata    string // binlog_row_metadata
	jsonPartial bool   // PARTIAL_JSON
	gtids       bool   // every group has one
	expire      int64  // seconds after which files of the log go; 0: never
	lowerCase   int    // lower_case_table_names
	syncBinlog  int64

	logsReplicated bool // what it replicates is in its own log
}

// Oldest servers: row metadata and GTID text as they are read here.
const (
	oldestMySQL   = 80400
	oldestMariaDB = 101100
	newMasterStat = 80400 // MySQL: SHOW BINARY LOG STATUS
	newReplicas   = 80022 // MySQL: SHOW REPLICAS
)

// readServer asks a server what it is.
func readServer(ctx context.Context, s *session) (server, error) {
	var sv server
	variables, err := readVariables(ctx, s)
	if err != nil {
		return sv, fmt.Errorf("read the server's settings: %w", err)
	}
	sv.flavor, sv.text = MySQL, variables["version"]
	if strings.Contains(strings.ToLower(sv.text), "mariadb") {
		sv.flavor = MariaDB
	}
	sv.version = parseVersion(sv.text)
	id, err := strconv.ParseUint(variables["server_id"], 10, 32)
	if err != nil {
		return sv, fmt.Errorf("read the server's id %q: %w", variables["server_id"], err)
	}
	sv.id, sv.uuid = uint32(id), variables["server_uuid"]
	sv.logBin = isOn(variables["log_bin"])
	sv.format, sv.image, sv.metadata = variables["binlog_format"], variables["binlog_row_image"], variables["binlog_row_metadata"]
	if sv.format == "" {
		sv.format = "ROW" // the only one there is where the setting is gone
	}
	sv.jsonPartial = strings.Contains(strings.ToUpper(variables["binlog_row_value_options"]), "PARTIAL_JSON")
	sv.gtids = sv.flavor == MariaDB || variables["gtid_mode"] == "ON"
	sv.lowerCase, _ = strconv.Atoi(variables["lower_case_table_names"]) // a number on every server
	sv.logsReplicated = isOn(variables["log_replica_updates"]) || isOn(variables["log_slave_updates"])
	sv.syncBinlog, _ = strconv.ParseInt(variables["sync_binlog"], 10, 64)
	sv.expire, err = parseExpire(variables)
	return sv, err
}

func readVariables(ctx context.Context, s *session) (map[string]string, error) {
	names := []string{"version", "server_id", "server_uuid", "log_bin", "binlog_format", "binlog_row_image", "binlog_row_metadata",
		"binlog_row_value_options", "gtid_mode", "lower_case_table_names", "sync_binlog", "binlog_expire_logs_seconds", "expire_logs_days",
		"binlog_expire_logs_auto_purge", "log_replica_updates", "log_slave_updates"}
	variables := map[string]string{}
	rows, err := s.all(ctx, "show global variables where variable_name in ('"+strings.Join(names, "', '")+"')")
	for _, row := range rows {
		variables[strings.ToLower(row[0])] = row[1]
	}
	return variables, err
}

func isOn(value string) bool { return value == "ON" || value == "1" }

// parseExpire is after how many seconds the server removes files of its log.
func parseExpire(variables map[string]string) (int64, error) {
	if v, ok := variables["binlog_expire_logs_auto_purge"]; ok && !isOn(v) {
		return 0, nil
	}
	if v := variables["binlog_expire_logs_seconds"]; v != "" && v != "0" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read binlog_expire_logs_seconds: %w", err)
		}
		return n, nil
	}
	days, err := strconv.ParseFloat(orZero(variables["expire_logs_days"]), 64) // MariaDB takes fractions
	if err != nil {
		return 0, fmt.Errorf("read expire_logs_days: %w", err)
	}
	return int64(days * 24 * 3600), nil
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// parseVersion reads 9.7.4-2 and 10.11.19-MariaDB-log.
func parseVersion(text string) int {
	version := 0
	parts := strings.SplitN(text, ".", 3)
	for i := range 3 {
		n := 0
		if i < len(parts) {
			digits := parts[i]
			if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
				digits = digits[:end]
			}
			n, _ = strconv.Atoi(digits) // none: 0
		}
		version = version*100 + min(n, 99)
	}
	return version
}

var (
	errOtherFlavor = errors.New("the server is of the other flavor")
	errTooOld      = errors.New("the server is too old: MySQL 8.4 or MariaDB 10.11 is needed")
	errNoLog       = errors.New("the server writes no binary log: set log_bin and restart it")
	errFormat      = errors.New("binlog_format must be ROW: SET PERSIST binlog_format = ROW (MariaDB: SET GLOBAL, and in the option file), then let old sessions end")
	errPartialJSON = errors.New("binlog_row_value_options must be empty: SET PERSIST binlog_row_value_options = ''")
)

// fit returns change.ErrPreflight for a server that can't be read.
func (s *server) fit(flavor string) error {
	oldest := oldestMySQL
	if s.flavor == MariaDB {
		oldest = oldestMariaDB
	}
	var err error
	switch {
	case s.flavor != flavor:
		err = fmt.Errorf("%w: it says %s, the configuration %s", errOtherFlavor, s.text, flavor)
	case s.version < oldest:
		err = fmt.Errorf("%w: it is %s", errTooOld, s.text)
	case !s.logBin:
		err = errNoLog
	case !strings.EqualFold(s.format, "ROW"):
		err = fmt.Errorf("%w; it is %s", errFormat, s.format)
	case s.jsonPartial:
		err = errPartialJSON
	}
	if err != nil {
		return fmt.Errorf("%w: %w", err, change.ErrPreflight)
	}
	return nil
}

// named says that the server's log names columns, as far as its setting now goes.
func (s *server) named() bool { return strings.EqualFold(s.metadata, "FULL") }

// logEnd is where a server's log ends.
type logEnd struct {
	file   logFile
	base   string
	offset uint64
	read   *gtidSet // all groups in front of it
}

// statusQuery is how this server tells its log's end.
func (s *server) statusQuery() string {
	switch {
	case s.flavor == MariaDB:
		return "show binlog status"
	case s.version >= newMasterStat:
		return "show binary log status"
	}
	return "show master status"
}

// readEnd asks where the log ends, and which transactions stand in front of that.
func (s *server) readEnd(ctx context.Context, conn *session) (logEnd, error) {
	var e logEnd
	row, err := conn.one(ctx, s.statusQuery())
	if err != nil {
		return e, fmt.Errorf("ask for the log's end: %w", err)
	}
	if e.file, e.base, err = parseFile(row[0]); err != nil {
		return e, err
	}
	if e.offset, err = strconv.ParseUint(row[1], 10, offsetBits); err != nil {
		return e, fmt.Errorf("ask for the log's end: %w: %w", err, change.ErrHalt)
	}
	if len(row) > 4 && s.flavor == MySQL {
		e.read, err = parseGTIDSet(row[4])
	}
	return e, err
}

// stableTries is how often the log's end and its GTIDs are read until nothing was written between.
const stableTries = 5

// readBegin is readEnd with MariaDB's GTIDs too, which it tells apart from the end.
func (s *server) readBegin(ctx context.Context, conn *session) (logEnd, error) {
	e, err := s.readEnd(ctx, conn)
	for range stableTries {
		if err != nil || s.flavor == MySQL {
			return e, err
		}
		row, err := conn.one(ctx, "select @@global.gtid_binlog_pos")
		if err != nil {
			return e, fmt.Errorf("ask for the log's GTIDs: %w", err)
		}
		again, err := s.readEnd(ctx, conn)
		if err != nil {
			return e, err
		}
		if again.file == e.file && again.offset == e.offset {
			e.read, err = parseGTIDSet(row[0])
			return e, err
		}
		e = again
	}
	row, err := conn.one(ctx, fmt.Sprintf("select binlog_gtid_pos(%s, %d)", plainText(e.file.name), e.offset))
	if err != nil {
		return e, fmt.Errorf("ask for the GTIDs in front of %s:%d: %w", e.file.name, e.offset, err)
	}
	e.read, err = parseGTIDSet(row[0])
	return e, err
}

// readFiles lists the files of the log, oldest first.
func readFiles(ctx context.Context, conn *session) ([]string, error) {
	rows, err := conn.all(ctx, "show binary logs")
	if err != nil {
		return nil, fmt.Errorf("list the log's files: %w", err)
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row[0]
	}
	return names, nil
}

package mysql

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestLogLacksChanges: a server whose log lacks captured changes is refused.
func TestLogLacksChanges(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, server     string
		settings         []string
		sql              string
		include, exclude []string
		want             string // empty: it opens
	}{
		{"ignored", "mysql97", []string{"binlog_ignore_db=logs"}, "", []string{"*.*"}, nil, "exclude logs.*"},
		{"ignored and excluded", "mysql97", []string{"binlog_ignore_db=logs"}, "", []string{"*.*"}, []string{"logs.*"}, ""},
		{"ignored and not included", "mariadb10", []string{"binlog_ignore_db=logs", "binlog_ignore_db=mysql"}, "", []string{"test.*"}, nil, ""},
		{"chosen", "mariadb10", []string{"binlog_do_db=test"}, "", []string{"test.*"}, nil, ""},
		{"others chosen", "mariadb10", []string{"binlog_do_db=test"}, "", []string{"*.*"}, nil, "binlog_do_db"},
		{"a replica's own log", "mysql97", []string{"log_replica_updates=OFF"},
			"change replication source to source_host = '127.0.0.1', source_port = 1", []string{"test.*"}, nil, "log_replica_updates"},
		{"no replica", "mysql97", []string{"log_replica_updates=OFF"}, "", []string{"test.*"}, nil, ""},
		{"MariaDB's replica's own log", "mariadb10", nil, "set global gtid_slave_pos = '9-99-5'", []string{"test.*"}, nil, "log_slave_updates"},
		{"MariaDB's replica's whole log", "mariadb10", []string{"log_slave_updates=ON"}, "set global gtid_slave_pos = '9-99-5'", []string{"test.*"}, nil, ""},
	}
	for _, c := range cases { // one after the other: each has a server of its own
		t.Run(c.name, func(t *testing.T) {
			s := testenv.StartMySQL(t, c.server, testenv.Options{Settings: c.settings})
			s.Exec("create table a (id int primary key)")
			if c.sql != "" {
				s.Exec(c.sql)
			}
			config := Config{SourceID: "s", Flavor: MySQL, Addr: s.Addr, User: "root", Include: c.include, Exclude: c.exclude, SnapshotMode: SnapshotNever,
				SpoolDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
			if s.MariaDB {
				config.Flavor = MariaDB
			}
			opened, err := Open(config)(t.Context(), connectors.Start{Epoch: 1})
			if err == nil {
				opened.Source.Close()
			}
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("it opened with %v, want ErrPreflight with %q", err, c.want)
			}
		})
	}
}

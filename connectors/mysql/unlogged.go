package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/internal/tables"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errFiltered = errors.New("the server doesn't write every captured change to its log")
	errReplica  = errors.New("the server is a replica that doesn't write what it replicates to its own log: set log_replica_updates (MariaDB: log_slave_updates) = ON and restart it, or read its source")
)

// logsAll returns change.ErrPreflight for a server whose log lacks changes of captured tables: by its filters, or because they were replicated.
//
// Invariant 1: such rows would be missing, and nothing in the log says so.
func (s *server) logsAll(ctx context.Context, conn *session, sel selection) error {
	row, err := conn.one(ctx, s.statusQuery())
	if err != nil {
		return fmt.Errorf("ask for the log's filters: %w", err)
	}
	if len(row) > 3 {
		if err := sel.logged(splitList(row[2]), splitList(row[3])); err != nil {
			return err
		}
	}
	if s.logsReplicated {
		return nil
	}
	if s.flavor == MariaDB { // its list of sources takes a right that we don't ask for
		row, err := conn.one(ctx, "select @@global.gtid_slave_pos")
		if err != nil {
			return fmt.Errorf("ask what the server has replicated: %w", err)
		}
		if row[0] != "" {
			return fmt.Errorf("it has replicated up to %s: %w; if it is none any more: SET GLOBAL gtid_slave_pos = '': %w", row[0], errReplica, change.ErrPreflight)
		}
		return nil
	}
	sources, err := conn.all(ctx, "show replica status")
	if err != nil {
		return fmt.Errorf("ask whether the server is a replica: %w", err)
	}
	if len(sources) > 0 {
		return fmt.Errorf("%w; if it is none any more: RESET REPLICA ALL: %w", errReplica, change.ErrPreflight)
	}
	return nil
}

func splitList(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

// logged holds the filters of the server's log against what is captured: only, if there is any, are the databases that it writes, without those
// that it leaves out.
func (s selection) logged(only, without []string) error {
	for _, p := range s.Include {
		if len(only) > 0 && !slices.Contains(only, p.Schema) {
			return fmt.Errorf("%s.%s: %w: binlog_do_db is %s: remove it and restart the server, or include tables of those databases alone, each by name: %w",
				p.Schema, p.Name, errFiltered, strings.Join(only, ","), change.ErrPreflight)
		}
		for _, database := range without {
			matches := tables.MatchName(strings.ToLower(p.Schema), strings.ToLower(database))
			if matches && !slices.Contains(ownDatabases, strings.ToLower(database)) && !slices.Contains(s.Exclude, tables.Pattern{Schema: database, Name: "*"}) {
				return fmt.Errorf("%s.%s: %w: binlog_ignore_db is %s: remove it and restart the server, or exclude %s.*: %w",
					p.Schema, p.Name, errFiltered, strings.Join(without, ","), database, change.ErrPreflight)
			}
		}
	}
	return nil
}

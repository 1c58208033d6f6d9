package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// lockName is the lock that one instance holds on the server for as long as it reads.
func lockName(sourceID string) string {
	sum := sha256.Sum256([]byte(sourceID))
	return "tailwater." + hex.EncodeToString(sum[:16])
}

// hostName is what the server's list of replicas calls us.
func hostName(sourceID string) string {
	sum := sha256.Sum256([]byte(sourceID))
	return "tailwater-" + hex.EncodeToString(sum[:6])
}

// serverIDOf is the server_id of a source: in the upper half, where people's own rarely are.
func serverIDOf(sourceID string) uint32 {
	sum := sha256.Sum256([]byte("server_id " + sourceID))
	return binary.BigEndian.Uint32(sum[:]) | 1<<31
}

// fetchIDOf is that of the connection that reads a prepared XA transaction again: MariaDB ends an older reader of the same one.
func fetchIDOf(sourceID string) uint32 {
	sum := sha256.Sum256([]byte("server_id of prepared transactions " + sourceID))
	return binary.BigEndian.Uint32(sum[:]) | 1<<31
}

var (
	errHeld     = errors.New("the source is read already")
	errServerID = errors.New("another replica, or the server itself, has the server_id that belongs to this source.id: change source.id")
)

// lock takes the source's lock on the server, for as long as the session lives.
func lock(ctx context.Context, s *session, sourceID string) error {
	name := quoteText(lockName(sourceID))
	row, err := s.one(ctx, "select get_lock("+name+", 0), connection_id()")
	if err != nil {
		return fmt.Errorf("lock the source: %w", err)
	}
	if row[0] == "1" {
		return nil
	}
	holder := "a connection that has just ended"
	if row, err := s.one(ctx, "select is_used_lock("+name+")"); err == nil && row[0] != "" {
		holder = "connection " + row[0]
		who, err := s.one(ctx, "select host from information_schema.processlist where id = "+row[0])
		if err == nil {
			holder += " from " + who[0]
		}
	}
	return fmt.Errorf("%s holds the lock of source %s: %w: %w", holder, sourceID, errHeld, change.ErrBusy)
}

// checkServerID refuses a server_id that somebody else has: the server would end one of the two (MariaDB), or both are taken for one. A
// connection of ours that has just ended may still be listed.
func (s *server) checkServerID(ctx context.Context, conn *session, sourceID string) error {
	ids := []uint32{serverIDOf(sourceID), fetchIDOf(sourceID)}
	if slices.Contains(ids, s.id) {
		return fmt.Errorf("server_id %d is the server's own: %w: %w", s.id, errServerID, change.ErrPreflight)
	}
	query := "show slave hosts"
	if s.flavor == MySQL && s.version >= newReplicas {
		query = "show replicas"
	}
	rows, err := conn.all(ctx, query)
	if errorCode(err) == codeNeedsGrant && s.flavor == MariaDB {
		return nil // it would take REPLICATION MASTER ADMIN, which may change the server's own id (decisions.md)
	}
	if err != nil {
		return fmt.Errorf("list the replicas: %w", err)
	}
	for _, row := range rows {
		id, err := strconv.ParseUint(row[0], 10, 32)
		if err == nil && slices.Contains(ids, uint32(id)) && !strings.HasPrefix(row[1], hostName(sourceID)) {
			return fmt.Errorf("server_id %d is that of a replica on %q: %w: %w", id, row[1], errServerID, change.ErrPreflight)
		}
	}
	return nil
}

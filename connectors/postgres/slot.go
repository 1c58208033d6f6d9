package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// slotState is a replication slot as the server has it.
type slotState struct {
	plugin    string
	database  string
	pid       int    // who reads it; 0: nobody
	confirmed uint64 // what was committed below it is not sent again
	walStatus string // reserved, extended, unreserved, lost
	reason    string // why it was invalidated
}

// readSlot returns nil if there is none.
func readSlot(ctx context.Context, conn *pgx.Conn, name string) (*slotState, error) {
	const query = `select coalesce(plugin::text, ''), coalesce(database::text, ''), coalesce(active_pid, 0),
			coalesce(confirmed_flush_lsn::text, '0/0'), coalesce(wal_status, ''), coalesce(to_jsonb(s)->>'invalidation_reason', '')
		from pg_replication_slots s where slot_name = $1`
	var s slotState
	var confirmed string
	err := conn.QueryRow(ctx, query, name).Scan(&s.plugin, &s.database, &s.pid, &confirmed, &s.walStatus, &s.reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read slot %s: %w", name, classify(err))
	}
	lsn, err := pglogrepl.ParseLSN(confirmed)
	if err != nil {
		return nil, fmt.Errorf("read slot %s: %w", name, err)
	}
	s.confirmed = uint64(lsn)
	return &s, nil
}

var (
	errForeignSlot = errors.New("the slot is of another plugin or database; name another slot")
	errNoSlot      = errors.New("the slot is missing and slot.create is off")
	errActive      = errors.New("the slot is read by another process")
	errSlotGone    = errors.New("the slot is gone, and with it the log that it kept")
	errSlotLost    = errors.New("the server has removed log that the slot needs")
	errSlotAhead   = errors.New("the slot was created anew or moved by somebody else")
	errBehind      = errors.New("the server's log ends before the saved place: it was restored from a backup")
	errElsewhere   = errors.New("the saved place is of another server or database")
)

// usable says whether the slot can be read from at all.
func (s *slotState) usable(name, database string) error {
	switch {
	case s.plugin != plugin || s.database != database:
		return fmt.Errorf("slot %s of plugin %q in database %q: %w: %w", name, s.plugin, s.database, errForeignSlot, change.ErrPreflight)
	case s.walStatus == "lost" || s.reason != "":
		return fmt.Errorf("slot %s at %s is invalid, wal_status %s %s: %w: %w",
			name, lsnText(s.confirmed), s.walStatus, s.reason, errSlotLost, change.ErrGap)
	case s.pid != 0:
		return fmt.Errorf("slot %s, pid %d: %w: %w", name, s.pid, errActive, change.ErrBusy)
	}
	return nil
}

// continuity is what Open compares with a Resume.
type continuity struct {
	id      identity
	slot    *slotState // nil: there is none
	flushed uint64     // the end of the server's log
	history func() ([]byte, error)
}

// prove says that the log from lsn on is all there and the one that the Resume is of.
//
// Invariant 5: what can't be proved is change.ErrGap with the missing range. START_REPLICATION would silently begin at a later
// place.
func (c *continuity) prove(t token, lsn uint64) error {
	if t.System != c.id.System || t.Database != c.id.Database {
		return fmt.Errorf("%s, the server is %s: %w: %w", t.identity, c.id, errElsewhere, change.ErrGap)
	}
	if c.id.Timeline != t.Timeline {
		if err := c.sameHistory(t.Timeline, lsn); err != nil {
			return err
		}
	}
	switch {
	case c.slot == nil:
		return fmt.Errorf("slot %s: the log from %s to %s is missing: %w: %w", t.Slot, lsnText(lsn), lsnText(c.flushed), errSlotGone, change.ErrGap)
	case c.flushed < lsn:
		return fmt.Errorf("the log ends at %s, the saved place is %s: %w: %w", lsnText(c.flushed), lsnText(lsn), errBehind, change.ErrGap)
	case c.slot.confirmed > lsn:
		return fmt.Errorf("slot %s stands at %s, the saved place is %s: the log from %s to %s is missing: %w: %w",
			t.Slot, lsnText(c.slot.confirmed), lsnText(lsn), lsnText(lsn), lsnText(c.slot.confirmed), errSlotAhead, change.ErrGap)
	}
	return nil
}

var errTimeline = errors.New("the server's timeline left the saved place's before it, or never had it")

// sameHistory says that the server's timeline holds all of the earlier one up to lsn.
func (c *continuity) sameHistory(timeline int32, lsn uint64) error {
	if timeline < c.id.Timeline {
		history, err := c.history()
		if err != nil {
			return fmt.Errorf("read the history of timeline %d: %w", c.id.Timeline, classify(err))
		}
		if end, ok := switchPoint(history, timeline); ok && lsn <= end {
			return nil
		}
	}
	return fmt.Errorf("timeline %d at %s, the server is on timeline %d: %w: %w", timeline, lsnText(lsn), c.id.Timeline, errTimeline, change.ErrGap)
}

// switchPoint reads from a history file where a timeline ended.
func switchPoint(history []byte, timeline int32) (uint64, bool) {
	for line := range strings.Lines(string(history)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != strconv.Itoa(int(timeline)) {
			continue
		}
		lsn, err := pglogrepl.ParseLSN(fields[1])
		return uint64(lsn), err == nil
	}
	return 0, false
}

const (
	holdersFirst = 2 * time.Second
	holdersEvery = 10 * time.Second
)

// createSlot makes the slot and returns its place. It waits for all transactions that run, and names them while it does.
func createSlot(ctx context.Context, repl *pgconn.PgConn, conn *pgx.Conn, config *Config) (uint64, error) {
	type answer struct {
		made pglogrepl.CreateReplicationSlotResult
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // ends with the command, which ends with ctx
		options := pglogrepl.CreateReplicationSlotOptions{Mode: pglogrepl.LogicalReplication, SnapshotAction: "NOEXPORT_SNAPSHOT"}
		made, err := pglogrepl.CreateReplicationSlot(ctx, repl, config.Slot.Name, plugin, options)
		answers <- answer{made, err}
	}()
	timer := time.NewTimer(holdersFirst)
	defer timer.Stop()
	for {
		select {
		case a := <-answers:
			if sqlState(a.err) == stateDuplicate {
				return 0, fmt.Errorf("create slot %s: %w: %w", config.Slot.Name, a.err, change.ErrBusy)
			}
			if a.err != nil {
				return 0, fmt.Errorf("create slot %s: %w", config.Slot.Name, classify(a.err))
			}
			lsn, err := pglogrepl.ParseLSN(a.made.ConsistentPoint)
			if err != nil {
				return 0, fmt.Errorf("create slot %s: %w", config.Slot.Name, err)
			}
			return uint64(lsn), nil
		case <-timer.C:
			logHolders(ctx, conn, config.Logger)
			timer.Reset(holdersEvery)
		}
	}
}

// logHolders names the transactions that a new slot waits for.
func logHolders(ctx context.Context, conn *pgx.Conn, logger *slog.Logger) {
	const query = `select coalesce(string_agg(holder, '; ' order by since), '') from (
			select format('pid %s, %s %s since %s', pid, usename, application_name, xact_start), xact_start
				from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
			union all select format('prepared transaction %L of %s in %s since %s, which COMMIT PREPARED or ROLLBACK PREPARED ends', gid, owner, database, prepared), prepared
				from pg_prepared_xacts) h (holder, since)`
	var holders string
	if err := conn.QueryRow(ctx, query).Scan(&holders); err != nil {
		holders = err.Error()
	}
	logger.Warn("the new slot waits for transactions that run", "holders", holders)
}

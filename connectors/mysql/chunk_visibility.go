package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// visibility is which groups of the log a SELECT saw. It is a snapshot.Visibility. It may say too little: then the stream brings the row.
type visibility struct {
	read  *gtidSet // seen, all of them; nil: the server has no GTIDs
	owned *gtidSet // MySQL: in the log perhaps, and not visible yet
	place uint64   // Commit of the log's place in front of which all is seen; 0: not known

	phases  *phases         // MariaDB, with waiting
	waiting map[string]bool // XA transactions that may be in the log and not visible yet, by xid
}

// Sees says that txn, named as the stream names it, was visible.
func (v *visibility) Sees(txn *change.Txn) bool {
	if v.read != nil {
		g, err := parseGTID(txn.ID)
		return err == nil && v.read.has(g) && !v.phases.waits(txn.ID, v.waiting)
	}
	at, err := parsePlace(txn.ID)
	return err == nil && at < v.place
}

// Settled says that every group that was in the log at the horizon is over, and seen if it was committed.
func (v *visibility) Settled(horizon string) bool {
	if at, err := parsePlace(horizon); err == nil {
		return v.place >= at && !v.phases.anyWaits(v.waiting)
	}
	begun, err := parseGTIDSet(horizon)
	if err != nil || v.read == nil || v.owned == nil {
		return false
	}
	waiting := begun.minus(v.read)
	return waiting.minus(waiting.minus(v.owned)).isEmpty()
}

// parsePlace reads file:offset as a Commit.
func parsePlace(text string) (uint64, error) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return 0, errFileName
	}
	f, _, err := parseFile(text[:at])
	if err != nil {
		return 0, err
	}
	offset, err := strconv.ParseUint(text[at+1:], 10, offsetBits)
	return commitOf(f, offset), err
}

// Horizon is snapshot.Reader's: what is in the log now. On MySQL with GTIDs those of the groups that are visible or about to be; elsewhere
// the log's end.
func (r *chunkReader) Horizon(ctx context.Context) (string, error) {
	conn, err := r.session(ctx)
	if err != nil {
		return "", err
	}
	if r.source.server.flavor == MySQL && r.source.server.gtids {
		v, err := readExecuted(ctx, conn)
		if err != nil {
			return "", err
		}
		v.read.merge(v.owned)
		return v.read.String(), nil
	}
	end, err := r.source.server.readEnd(ctx, conn)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%d", end.file.name, end.offset), nil
}

// readExecuted asks MySQL what is visible. What is about to be is asked first, so that nothing falls between the two.
func readExecuted(ctx context.Context, conn *session) (*visibility, error) {
	first, err := conn.one(ctx, "select @@global.gtid_owned")
	if err != nil {
		return nil, fmt.Errorf("ask for the GTIDs under way: %w", err)
	}
	second, err := conn.one(ctx, "select @@global.gtid_executed")
	if err != nil {
		return nil, fmt.Errorf("ask for the GTIDs: %w", err)
	}
	owned, err1 := parseOwned(first[0])
	executed, err2 := parseGTIDSet(second[0])
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("ask for the GTIDs: %w: %w", err, change.ErrHalt)
	}
	return &visibility{read: executed, owned: owned}, nil
}

// parseOwned reads gtid_owned: a set whose every transaction has #thread behind it.
func parseOwned(text string) (*gtidSet, error) {
	var b strings.Builder
	in := false
	for i := range len(text) {
		c := text[i]
		if in = c == '#' || in && c >= '0' && c <= '9'; !in {
			b.WriteByte(c)
		}
	}
	return parseGTIDSet(b.String())
}

// begin opens a transaction that sees one state of t, and says which. Without a name it is about no table.
func (r *chunkReader) begin(ctx context.Context, conn *session, t tableName) (snapshot.Visibility, error) {
	sv := &r.source.server
	switch {
	case sv.flavor == MariaDB:
		return r.beginMariaDB(ctx, conn)
	case sv.gtids:
		v, err := readExecuted(ctx, conn)
		if err != nil {
			return nil, err
		}
		return v, beginSnapshot(ctx, conn)
	}
	return r.beginLocked(ctx, conn, t)
}

func beginSnapshot(ctx context.Context, conn *session) error {
	if err := conn.exec(ctx, "start transaction with consistent snapshot"); err != nil {
		return fmt.Errorf("begin a chunk's transaction: %w", err)
	}
	return nil
}

// beginMariaDB uses that MariaDB says in front of which place of the log stands what its snapshot sees. gtid_binlog_pos may be ahead of what
// is visible, so the snapshot is begun again until it stands behind the log's end as read after the GTIDs.
func (r *chunkReader) beginMariaDB(ctx context.Context, conn *session) (*visibility, error) {
	row, err := conn.one(ctx, "select @@global.gtid_binlog_pos")
	if err != nil {
		return nil, fmt.Errorf("ask for the log's GTIDs: %w", err)
	}
	v := &visibility{phases: &r.source.phases}
	if v.read, err = parseGTIDSet(row[0]); err != nil {
		return nil, fmt.Errorf("ask for the log's GTIDs: %w: %w", err, change.ErrHalt)
	}
	end, err := r.source.server.readEnd(ctx, conn)
	if err != nil {
		return nil, err
	}
	if v.waiting, err = recoverable(ctx, conn); err != nil { // behind the GTIDs, in front of the snapshot
		return nil, err
	}
	for {
		if err := beginSnapshot(ctx, conn); err != nil {
			return nil, err
		}
		f, offset, err := snapshotPlace(ctx, conn)
		if err != nil {
			return nil, err
		}
		if v.place = commitOf(f, offset); v.place >= commitOf(end.file, end.offset) {
			return v, nil
		}
		if err := conn.exec(ctx, "rollback"); err != nil {
			return nil, err
		}
		pause(ctx, visiblePause)
	}
}

// snapshotPlace is the place of the log in front of which stands what the transaction's snapshot sees.
func snapshotPlace(ctx context.Context, conn *session) (logFile, uint64, error) {
	rows, err := conn.all(ctx, "show status where variable_name in ('Binlog_snapshot_file', 'Binlog_snapshot_position')")
	if err != nil {
		return logFile{}, 0, fmt.Errorf("ask for the snapshot's place: %w", err)
	}
	values := map[string]string{}
	for _, row := range rows {
		values[strings.ToLower(row[0])] = row[1]
	}
	f, _, err := parseFile(values["binlog_snapshot_file"])
	if err != nil {
		return f, 0, fmt.Errorf("ask for the snapshot's place: %w", err)
	}
	offset, err := strconv.ParseUint(values["binlog_snapshot_position"], 10, offsetBits)
	if err != nil {
		return f, 0, fmt.Errorf("ask for the snapshot's place: %w: %w", err, change.ErrHalt)
	}
	return f, offset, nil
}

// beginLocked is for a MySQL server without GTIDs. The read lock waits for the transactions that have changed the table to be over and
// visible; the log's end, read under it, stands behind them. It is gone with the transaction's begin.
func (r *chunkReader) beginLocked(ctx context.Context, conn *session, t tableName) (*visibility, error) {
	lock := "flush tables with read lock"
	if t.name != "" {
		lock = "lock tables " + quoteTable(t.schema, t.name) + " read"
	}
	err := conn.exec(ctx, lock)
	if errorCode(err) == codeNoSuchTable {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil {
		return nil, fmt.Errorf("lock for the log's place: %w", err)
	}
	end, err := r.source.server.readEnd(ctx, conn)
	if err != nil {
		return nil, err
	}
	if t.name == "" {
		if err := conn.exec(ctx, "unlock tables"); err != nil {
			return nil, err
		}
	}
	return &visibility{place: commitOf(end.file, end.offset)}, beginSnapshot(ctx, conn)
}

package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

var errElsewhere = errors.New("the catalogue was asked of another server than the one whose log is read")

// present returns what the catalogue says of a table, and the end of the log that this is of: each statement in front of it that changes the table shows, none
// behind it does. A server writes such a statement to its log before it gives the table free, and here the table is held meanwhile. errNoTable: there is
// none, at that end.
func (s *Source) present(ctx context.Context, t tableName) (described, logEnd, error) {
	conn, err := connectChunks(ctx, s.config)
	if err != nil {
		return described{}, logEnd{}, err
	}
	defer conn.close()
	return s.presentOver(ctx, conn, t)
}

// presentOver is present over a session, which is in no transaction before and after. It waits for a table that is busy, and lets others have it meanwhile.
func (s *Source) presentOver(ctx context.Context, conn *session, t tableName) (described, logEnd, error) {
	for {
		d, end, err := s.presentIn(ctx, conn, t)
		if over := conn.exec(ctx, "rollback"); err == nil {
			err = over
		}
		if err == nil || !passing(err) {
			return d, end, err
		}
		pause(ctx, busyPause)
	}
}

func (s *Source) presentIn(ctx context.Context, conn *session, t tableName) (described, logEnd, error) {
	var d described
	identity := "@@global.server_id"
	if s.server.flavor == MySQL {
		identity = "@@global.server_uuid"
	}
	row, err := conn.one(ctx, "select "+identity)
	if err == nil && row[0] != s.log.id.Server {
		err = fmt.Errorf("%s instead of %s: %w: %w", row[0], s.log.id.Server, errElsewhere, change.ErrUnreachable)
	}
	if err == nil {
		err = conn.exec(ctx, "set session transaction isolation level read committed", "start transaction")
	}
	if err != nil {
		return d, logEnd{}, fmt.Errorf("look at %s: %w", t, err)
	}
	missing := hold(ctx, conn, t)
	if missing == nil {
		d, missing = describe(ctx, conn, s.server.flavor, t)
	}
	if errors.Is(missing, snapshot.ErrNoTable) {
		missing = fmt.Errorf("%w: %w", errNoTable, missing)
	}
	if missing != nil && !errors.Is(missing, errNoTable) && !errors.Is(missing, change.ErrHalt) {
		return d, logEnd{}, missing
	}
	end, err := s.server.readEnd(ctx, conn)
	if err != nil {
		return d, end, err
	}
	return d, end, missing
}

// remember finds what the captured tables are at the place where a new source begins, before a row of them is read.
func (s *Source) remember(ctx context.Context, tables []tableName) error {
	a := s.log.wire.assemble
	a.file, a.base, a.end = a.at.file, a.id.Base, a.at.offset
	a.group.offset = a.at.offset
	last := logEnd{file: a.at.file, offset: a.at.offset}
	found := map[tableName]described{}
	conn, err := connectChunks(ctx, s.config)
	if err != nil {
		return err
	}
	defer conn.close()
	for _, t := range tables {
		d, end, err := s.presentOver(ctx, conn, t)
		if err != nil && !errors.Is(err, errNoTable) && !errors.Is(err, change.ErrHalt) {
			return err
		}
		if last = end; err == nil {
			found[t] = d
		}
	}
	h, err := a.lookAhead(ctx, last)
	if err != nil {
		return err
	}
	for t, d := range found {
		if _, changed := h.statement(t, change.Position{}); !changed {
			a.past[t] = pastOf(t, d)
		}
	}
	if a.at.past, err = a.past.encode(); err != nil {
		return err
	}
	s.log.at.past = a.at.past
	return nil
}

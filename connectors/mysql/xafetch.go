package mysql

import (
	"context"
	"errors"
	"fmt"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errFetched = errors.New("the prepared transaction has been read")
	errXAGone  = errors.New("the log doesn't hold the prepared transaction any more: take a new snapshot")
	errXAThere = errors.New("it was prepared on another server and has no GTID to find it by: take a new snapshot")
)

// fetcher reads the log until a prepared transaction has come.
type fetcher struct {
	ctx      context.Context
	assemble *assembler
	failed   error
}

// HandleEvent takes the next event, on the syncer's goroutine.
func (f *fetcher) HandleEvent(e *replication.BinlogEvent) error {
	if f.failed == nil {
		f.failed = f.assemble.take(f.ctx, e)
	}
	return f.failed
}

// fetch reads a prepared transaction over a connection of its own. The assembler returned holds its rows.
//
// Invariant 5: the log must show the very group that was read before; where it is gone, that is a gap.
func (w *wire) fetch(ctx context.Context, p prepared) (*assembler, error) {
	a := w.assemble
	payload, err := rowimage.NewPayload(maxEventBytes)
	if err != nil {
		return nil, err
	}
	defer payload.Close()
	b := &assembler{epoch: a.epoch, flavor: a.flavor, maxRow: a.maxRow, folds: a.folds, selection: a.selection, shapes: a.shapes, logger: a.logger,
		payload: payload, frames: frames{limit: a.frames.limit, dir: a.frames.dir}, id: a.id, wanted: &p, engines: a.engines,
		emptyInto: func(segment) error { return nil }, announced: map[tableName]*change.Table{}}
	start, err := w.startAt(ctx, b, p)
	if err != nil {
		return nil, err
	}
	f := &fetcher{ctx: ctx, assemble: b}
	err = w.dump(fetchIDOf(w.config.SourceID), f, start)
	switch {
	case errors.Is(f.failed, errFetched):
		return b, nil
	case f.failed != nil:
		err = f.failed
	default:
		err = classifyStream(err)
	}
	b.frames.clear()
	if errorCode(err) == codeLogRead {
		err = fmt.Errorf("%w: %w", errXAGone, err)
	}
	return nil, err
}

// startAt returns how the log is asked for: by file and offset where it is the same log, elsewhere by what stands in front.
func (w *wire) startAt(ctx context.Context, b *assembler, p prepared) (func(*replication.BinlogSyncer) (*replication.BinlogStreamer, error), error) {
	b.restart()
	_, base, err := parseFile(p.file.name)
	if err != nil {
		return nil, err
	}
	if p.server == b.id.Server && base == b.id.Base {
		b.proof.file = p.file
		from := askable(p.offset)
		b.end = from
		return func(s *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
			return s.StartSync(gomysql.Position{Name: p.file.name, Pos: uint32(from)})
		}, nil
	}
	if p.id == "" {
		return nil, fmt.Errorf("%w: %w", errXAThere, change.ErrGap)
	}
	front, err := w.frontOf(ctx, b, p)
	if err != nil {
		return nil, err
	}
	p.file = logFile{}
	b.wanted = &p
	set, err := gomysql.ParseGTIDSet(b.flavor, front)
	if err != nil {
		return nil, fmt.Errorf("GTID set %s: %w: %w", front, err, change.ErrHalt)
	}
	return func(s *replication.BinlogSyncer) (*replication.BinlogStreamer, error) { return s.StartSyncGTID(set) }, nil
}

// frontOf is the GTIDs in front of a transaction on the server as it is now: on MySQL all that it has executed but that one.
func (w *wire) frontOf(ctx context.Context, b *assembler, p prepared) (string, error) {
	conn, err := w.config.connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.close()
	sv, err := readServer(ctx, conn)
	if err != nil {
		return "", err
	}
	end, err := sv.readEnd(ctx, conn)
	if err != nil {
		return "", err
	}
	b.until = commitOf(end.file, end.offset)
	if b.flavor == MariaDB {
		return p.before, nil
	}
	one, err := parseGTIDSet(p.id)
	if err != nil {
		return "", fmt.Errorf("GTID %s: %w: %w", p.id, err, change.ErrHalt)
	}
	return end.read.minus(one).String(), nil
}

// begins takes the first event of a group where one is wanted.
func (p *prepared) begins(a *assembler) error {
	e := a.evidence()
	switch {
	case p.file.name == "": // of another server's log
		a.proof.replaying = e.id != p.id
		return nil
	case e.file.name == p.file.name && e.offset < p.offset:
		a.proof.replaying = true
		return nil
	}
	if e.file.created = p.file.created; e != p.evidence { // proof.opens has compared it
		return p.gone()
	}
	return nil
}

// beat takes the server's word that nothing comes in front of a place. MySQL says so too while it passes what it needn't send.
func (p *prepared) beat(a *assembler, h header, body []byte) error {
	if err := a.heartbeat(h, body); err != nil {
		return err
	}
	if p.file.name == "" && commitOf(a.file, a.end) < a.until {
		return nil
	}
	return p.gone()
}

func (p *prepared) gone() error { return fmt.Errorf("%w: %w", errXAGone, change.ErrGap) }

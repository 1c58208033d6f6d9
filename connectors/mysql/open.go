package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Open returns the function that opens a Source for config.
func Open(config Config) connectors.Open {
	return func(ctx context.Context, start connectors.Start) (connectors.Opened, error) {
		checked, err := config.checked()
		if err != nil {
			return connectors.Opened{}, err
		}
		o := opening{config: &checked, start: start}
		opened, err := o.open(ctx)
		if err != nil {
			o.abandon()
			return connectors.Opened{}, fmt.Errorf("open %s source %s: %w", checked.Flavor, checked.SourceID, classify(err))
		}
		return opened, nil
	}
}

// opening is a Source on its way.
type opening struct {
	config *Config
	start  connectors.Start

	selection selection
	conn      *session // becomes the catalogue's
	guard     *session // holds the lock
	server    server
	tables    []tableName
	id        identity
	at        place
	read      *gtidSet
	covers    *gtidSet
	known     string // of columns, as the Resume has it
	source    *Source
}

func (o *opening) abandon() {
	if o.source != nil {
		o.source.Close() // Open's error is the one to tell; it closes the sessions too
		return
	}
	for _, s := range []*session{o.guard, o.conn} {
		if s != nil {
			s.close()
		}
	}
}

func (o *opening) open(ctx context.Context) (connectors.Opened, error) {
	if o.start.Anew && o.config.SnapshotMode == SnapshotNever {
		return connectors.Opened{}, fmt.Errorf("snapshot mode is never, so rows that were deleted at the source meanwhile would stay at the targets for ever; "+
			"set snapshot mode initial, or drop the pipeline, empty its tables, delete its topics, and start it anew: %w", change.ErrGap)
	}
	for _, step := range []func(context.Context) error{o.connect, o.claim, o.choose, o.place, o.build, o.stream} {
		if err := step(ctx); err != nil {
			return connectors.Opened{}, err
		}
	}
	s := o.source
	opened := connectors.Opened{Source: s, Identity: o.id.String(), Upto: o.at.upto}
	var err error
	if opened.Resume, err = s.columns.resume(s.log.resume); err != nil {
		return connectors.Opened{}, err
	}
	if o.start.Anew {
		if opened.Snapshot, err = s.runner.Saved(); err != nil {
			return connectors.Opened{}, err
		}
	}
	s.watch()
	return opened, nil
}

func (o *opening) connect(ctx context.Context) (err error) {
	if o.selection, err = newSelection(o.config.Include, o.config.Exclude); err != nil {
		return err
	}
	if o.conn, err = o.config.connect(ctx); err != nil {
		return err
	}
	if o.server, err = readServer(ctx, o.conn); err != nil {
		return err
	}
	return o.server.fit(o.config.Flavor)
}

// claim takes the source's lock: a second instance is refused before it does anything.
func (o *opening) claim(ctx context.Context) (err error) {
	if o.guard, err = o.config.connect(ctx); err != nil {
		return err
	}
	if err := lock(ctx, o.guard, o.config.SourceID); err != nil {
		return err
	}
	return o.server.checkServerID(ctx, o.conn, o.config.SourceID)
}

// choose lists the tables that are captured.
func (o *opening) choose(ctx context.Context) error {
	list, err := listTables(ctx, o.conn)
	if err != nil {
		return err
	}
	if unfit, err := o.selection.unfit(ctx, o.conn); err != nil {
		return err
	} else if len(unfit) > 0 {
		return unfit[0]
	}
	if err := o.selection.missing(ctx, o.conn, list); err != nil {
		return err
	}
	if o.tables = o.selection.selected(list); len(o.tables) == 0 {
		if err := o.selection.hidden(ctx, o.conn); err != nil {
			return err
		}
		o.config.Logger.Warn("no table of the source matches yet", "include", o.config.Include)
	}
	return nil
}

// place finds where to begin: where the Resume says, if the log goes on there, else at the log's end.
func (o *opening) place(ctx context.Context) error {
	if err := o.server.logsAll(ctx, o.conn, o.selection); err != nil {
		return err
	}
	end, err := o.server.readBegin(ctx, o.conn)
	if err != nil {
		return err
	}
	o.id = identity{Flavor: o.server.flavor, Server: o.server.uuid, Base: end.base}
	if o.server.flavor == MariaDB {
		o.id.Server = fmt.Sprint(o.server.id)
	}
	if o.start.Resume != "" {
		return o.proceed(ctx, end)
	}
	o.at = place{upto: below(o.start.Epoch, end.file, end.offset), file: end.file, offset: end.offset}
	o.read = end.read
	return nil
}

func (o *opening) proceed(ctx context.Context, end logEnd) error {
	t, at, read, err := parseResume(o.start.Resume)
	if err != nil {
		return err
	}
	c := continuity{server: &o.server, conn: o.conn, id: o.id, end: end, saved: t, at: at, read: read}
	byGTID, err := c.prove(ctx)
	if err != nil {
		return err
	}
	if len(at.xa) > 0 {
		o.config.Logger.Info("XA transactions wait for their second phase; the log must keep them until then", "xids", at.orphans())
	}
	o.at, o.read, o.known = at, read, t.Columns
	o.at.upto = o.start.Upto
	if byGTID {
		o.covers = read.clone()
	}
	return nil
}

// build puts the parts together.
func (o *opening) build(ctx context.Context) error {
	payload, err := rowimage.NewPayload(maxEventBytes)
	if err != nil {
		return err
	}
	columns, err := newColumnIDs(o.config, o.selection, o.known, o.at.upto)
	if err != nil {
		payload.Close()
		return err
	}
	c := &catalog{config: o.config, conn: o.conn}
	s := &Source{config: o.config, server: o.server, selection: o.selection, epoch: o.start.Epoch, guard: o.guard, catalog: c, columns: columns,
		shapes: newShapes(o.config, c), check: make(chan struct{}, 1)}
	s.shapes.marks = o.at.marks
	a := &assembler{epoch: o.start.Epoch, flavor: o.config.Flavor, maxRow: o.config.MaxRowBytes, folds: o.server.lowerCase == 1,
		remakes: o.config.SnapshotMode != SnapshotNever, selection: o.selection, shapes: s.shapes, logger: o.config.Logger,
		remarks: columns.remarks, looked: s.look, tablesOf: s.known, appeared: func() { queue.Signal(s.check) }, engines: s.rolledBack, kind: s.kind, sequences: sequences{}, announced: map[tableName]*change.Table{},
		payload: payload, frames: frames{limit: o.config.MemoryBytes / groupShare, dir: o.config.SpoolDir}, id: o.id, at: o.at,
		highest: highest(o.read), held: map[string]held{}, phases: &s.phases}
	w := newWire(o.config, a)
	a.refetch = w.refetch
	w.serverID, w.covers = serverIDOf(o.config.SourceID), o.covers
	a.scan, a.present = w.scan, s.present
	if a.past, err = decodePasts(o.at.past); err != nil {
		payload.Close()
		return err
	}
	a.positional = len(a.past) > 0 || !o.server.named()
	s.log = &log{id: o.id, wire: w, at: o.at, read: o.read.clone(), resume: o.start.Resume}
	if o.covers != nil {
		a.at.last = evidence{} // of another log
	}
	if err := o.first(ctx, s); err != nil {
		payload.Close()
		return err
	}
	o.source = s
	return nil
}

// first makes the place of a new source complete, and puts the snapshot before the log.
func (o *opening) first(ctx context.Context, s *Source) error {
	a := s.log.wire.assemble
	if !o.server.named() {
		s.config.Logger.Warn("the log describes columns by position only, so the tables' columns are kept from statement to statement; binlog_row_metadata = FULL is safer",
			"binlog_row_metadata", o.server.metadata)
	}
	if a.positional && o.start.Resume == "" {
		if err := s.remember(ctx, o.tables); err != nil {
			return err
		}
		o.at.past = a.at.past
	}
	if s.log.resume == "" {
		s.log.resume = makeResume(o.id, o.at, o.read)
	}
	return s.beside(o)
}

// stream lets the stream run and waits until the server has shown the file that it begins with, or said why it can't.
func (o *opening) stream(ctx context.Context) error {
	w := o.source.log.wire
	go w.run()
	select {
	case <-w.started:
		if l := o.source.log; o.start.Resume == "" && l.at.file.name == w.first.name {
			l.at.file.created = w.first.created
			l.resume = makeResume(o.id, l.at, o.read)
		}
		return nil
	case <-w.done:
		if t := w.queue.Take(1); t.Err != nil {
			return t.Err
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const (
	// maxEventBytes is more than a server's largest max_allowed_packet lets an event have.
	maxEventBytes = 1<<30 + 1<<20
	// groupShare is a group's part of the memory before it goes to disk.
	groupShare = 2
)

// continuity is what is held against a saved place before the stream begins.
type continuity struct {
	server *server
	conn   *session
	id     identity
	end    logEnd
	saved  token
	at     place
	read   *gtidSet
}

var (
	errNoCover  = errors.New("another server, or the same one with a log of another name, and there are no GTIDs to find the place by")
	errLost     = errors.New("the server has lost transactions that were read from it: it was reset or restored, or another server took its place")
	errPurged   = errors.New("transactions that were not read are gone from the server's log")
	errShrunk   = errors.New("the log ends in front of the place that was read: it was reset or restored")
	errFileGone = errors.New("the file that was read last is gone from the log, and what stood behind the place with it")
)

// prove returns whether the stream must begin by the GTID set: on another server, or where the file is gone and the set shows that nothing
// of what went with it is missing. Else it begins at file and offset, where the stream proves the rest (proof).
//
// Invariant 5: what can't be shown is change.ErrGap, with what is missing.
func (c *continuity) prove(ctx context.Context) (byGTID bool, err error) {
	if c.saved.Flavor != c.id.Flavor {
		return false, fmt.Errorf("the saved place is of %s, this is %s: %w: %w", c.saved.identity, c.id, errNoCover, change.ErrGap)
	}
	if err := c.covered(ctx); err != nil {
		return false, err
	}
	if c.saved.identity != c.id {
		if !c.server.gtids || c.read.isEmpty() {
			return false, fmt.Errorf("the saved place is of %s, this is %s: %w: %w", c.saved.identity, c.id, errNoCover, change.ErrGap)
		}
		return true, nil
	}
	if c.end.file.number < c.at.file.number || c.end.file.number == c.at.file.number && c.end.offset < c.at.offset {
		return false, fmt.Errorf("the log ends at %s:%d, read was up to %s:%d: %w: %w",
			c.end.file.name, c.end.offset, c.at.file.name, c.at.offset, errShrunk, change.ErrGap)
	}
	files, err := readFiles(ctx, c.conn)
	if err != nil {
		return false, err
	}
	if slices.Contains(files, c.at.file.name) {
		return false, nil
	}
	if err := c.purgedWhole(ctx, files); err != nil {
		return false, err
	}
	return true, nil
}

// covered checks MySQL's sets: all that was read has been executed there, and nothing else has been purged.
func (c *continuity) covered(ctx context.Context) error {
	if c.server.flavor != MySQL || !c.server.gtids || c.read.isEmpty() {
		return nil
	}
	row, err := c.conn.one(ctx, "select @@global.gtid_purged, @@global.gtid_executed")
	if err != nil {
		return fmt.Errorf("ask for the GTIDs: %w", err)
	}
	purged, err1 := parseGTIDSet(row[0])
	executed, err2 := parseGTIDSet(row[1])
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("ask for the GTIDs: %w: %w", err, change.ErrHalt)
	}
	if missing := c.read.minus(executed); !missing.isEmpty() {
		return fmt.Errorf("missing there: %s: %w: %w", missing, errLost, change.ErrGap)
	}
	if missing := purged.minus(c.read); !missing.isEmpty() {
		return fmt.Errorf("missing: %s: %w: %w", missing, errPurged, change.ErrGap)
	}
	return nil
}

// purgedWhole checks that the file that was read last went in the ordinary way, with nothing in it that wasn't read. MySQL has shown the
// latter by its sets (covered), and the former if the last group went with the file; MariaDB refuses a place by GTID that it lacks log behind.
func (c *continuity) purgedWhole(ctx context.Context, files []string) error {
	gap := fmt.Errorf("file %s is not among %s: %w: %w", c.at.file.name, strings.Join(files[:min(len(files), 3)], ", "), errFileGone, change.ErrGap)
	if !c.server.gtids || c.read.isEmpty() || c.at.last.isZero() {
		return gap
	}
	if c.server.flavor == MariaDB {
		return nil
	}
	row, err := c.conn.one(ctx, "select @@global.gtid_purged")
	if err != nil {
		return fmt.Errorf("ask for the GTIDs: %w", err)
	}
	purged, err := parseGTIDSet(row[0])
	if err != nil {
		return fmt.Errorf("ask for the GTIDs: %w: %w", err, change.ErrHalt)
	}
	last, err := parseGTID(c.at.last.id)
	if err != nil || !purged.has(last) {
		return gap
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
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
			o.abandon(ctx)
			return connectors.Opened{}, fmt.Errorf("open postgres source %s: %w", checked.SourceID, err)
		}
		return opened, nil
	}
}

// opening is a Source on its way.
type opening struct {
	config *Config
	start  connectors.Start

	selection selection
	conn      *pgx.Conn // ordinary; becomes the catalogue's
	server    server
	tables    []candidate
	from      uint64          // the log's end before they were read
	begun     []snapshot.Info // of each of tables, as it was before the slot
	repl      *wire           // with its connection only, until it runs
	id        identity
	interval  time.Duration
	at        place
	proof     proof
}

func (o *opening) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
	defer cancel()
	if o.repl != nil {
		o.repl.conn.Close(ctx) // Open's error is the one to tell
	}
	if o.conn != nil {
		o.conn.Close(ctx)
	}
}

func (o *opening) open(ctx context.Context) (connectors.Opened, error) {
	if o.start.Anew && o.config.SnapshotMode == SnapshotNever {
		return connectors.Opened{}, fmt.Errorf("snapshot mode is never, so rows that were deleted at the source meanwhile would stay at the targets for ever; "+
			"set snapshot mode initial, or drop the pipeline, empty its tables, delete its topics, and start it anew: %w", change.ErrGap)
	}
	for _, step := range []func(context.Context) error{o.connect, o.identify, o.publish, o.place, o.stream} {
		if err := step(ctx); err != nil {
			return connectors.Opened{}, err
		}
	}
	return o.source(ctx)
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
	if err := o.server.fit(); err != nil {
		return err
	}
	conn, in, err := o.config.connectReplication(ctx)
	if err != nil {
		return err
	}
	o.repl = &wire{conn: conn, in: in, wake: make(chan struct{}, 1), done: make(chan struct{})}
	return nil
}

// identify asks which log this is and how often it wants to hear from us.
func (o *opening) identify(ctx context.Context) error {
	system, err := pglogrepl.IdentifySystem(ctx, o.repl.conn)
	if err != nil {
		return fmt.Errorf("identify the server: %w", classify(err))
	}
	o.id = identity{System: system.SystemID, Timeline: system.Timeline, Database: o.server.databaseOID}
	o.interval, err = reportInterval(ctx, o.repl.conn)
	return err
}

// reportInterval is a third of the server's patience, at most maxReport.
func reportInterval(ctx context.Context, repl *pgconn.PgConn) (time.Duration, error) {
	const query = `select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout'`
	results, err := repl.Exec(ctx, query).ReadAll()
	if err != nil {
		return 0, fmt.Errorf("ask for wal_sender_timeout: %w", classify(err))
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return maxReport, nil
	}
	timeout, err := time.ParseDuration(string(results[0].Rows[0][0]) + "ms")
	if err != nil || timeout <= 0 { // 0: the server waits for ever
		return maxReport, nil
	}
	return min(timeout/3, maxReport), nil
}

// publish sees that the publication stands and holds the tables, before the slot's place does: the log is decoded with the
// publications that it shows at each point.
func (o *opening) publish(ctx context.Context) error {
	if err := o.checkSlot(ctx); err != nil {
		return err
	}
	var err error
	if o.from, err = readEnd(ctx, o.conn); err != nil {
		return classify(err)
	}
	list, err := readCandidates(ctx, o.conn, o.config.Publication.Name)
	if err != nil {
		return classify(err)
	}
	if err := o.selection.missing(list); err != nil {
		return err
	}
	o.tables = o.selection.selected(list)
	if o.begun, err = readBegun(ctx, o.conn, o.tables); err != nil {
		return classify(err)
	}
	if len(o.tables) == 0 {
		o.config.Logger.Warn("no table of the source matches yet", "include", o.config.Include)
	}
	created, err := ensurePublication(ctx, o.conn, o.config, o.tables)
	if err != nil {
		return err
	}
	if err := addMembers(ctx, o.conn, o.config.Publication.Name, o.tables, o.begun); err != nil {
		return classify(err)
	}
	if !created {
		return nil
	}
	slot, err := readSlot(ctx, o.conn, o.config.Slot.Name)
	if err == nil && slot != nil {
		err = fmt.Errorf("slot %s is older than publication %s, created now; drop the slot: %w: %w",
			o.config.Slot.Name, o.config.Publication.Name, errPublication, change.ErrPreflight)
	}
	return err
}

// checkSlot refuses a slot that is in use before anything is changed on the server.
func (o *opening) checkSlot(ctx context.Context) error {
	slot, err := readSlot(ctx, o.conn, o.config.Slot.Name)
	if err != nil || slot == nil {
		return err
	}
	return slot.usable(o.config.Slot.Name, o.server.database)
}

// place finds where to begin: where the Resume says, if the log goes on there, else where the slot stands.
func (o *opening) place(ctx context.Context) error {
	slot, err := readSlot(ctx, o.conn, o.config.Slot.Name)
	if err != nil {
		return err
	}
	if o.start.Resume != "" {
		return o.proceed(ctx, slot)
	}
	var lsn uint64
	switch {
	case slot != nil:
		lsn = slot.confirmed
	case !o.config.Slot.Create:
		return fmt.Errorf("slot %s: %w: %w", o.config.Slot.Name, errNoSlot, change.ErrPreflight)
	default:
		if lsn, err = createSlot(ctx, o.repl.conn, o.conn, o.config); err != nil {
			return err
		}
		o.config.Logger.Info("slot created", "slot", o.config.Slot.Name, "pos", lsnText(lsn))
	}
	o.at = place{upto: below(o.start.Epoch, lsn), lsn: lsn}
	o.proof = proof{from: lsn, until: lsn}
	o.repl.released = lsn
	return nil
}

func (o *opening) proceed(ctx context.Context, slot *slotState) error {
	t, lsn, last, err := parseResume(o.start.Resume)
	if err != nil {
		return err
	}
	if t.Slot != o.config.Slot.Name {
		return fmt.Errorf("the saved place is of slot %s, the configuration names %s: %w: %w", t.Slot, o.config.Slot.Name, errSlotGone, change.ErrGap)
	}
	if err := o.continues(ctx, slot, t, lsn); err != nil {
		return err
	}
	o.at = place{upto: o.start.Upto, lsn: lsn, last: last}
	o.proof = proof{from: max(slot.confirmed, min(lsn, last.Commit)), until: lsn, last: last}
	o.repl.released = slot.confirmed
	return nil
}

func (o *opening) continues(ctx context.Context, slot *slotState, t token, lsn uint64) error {
	var text string
	if err := o.conn.QueryRow(ctx, `select pg_current_wal_flush_lsn()::text`).Scan(&text); err != nil {
		return fmt.Errorf("ask for the log's end: %w", classify(err))
	}
	flushed, err := pglogrepl.ParseLSN(text)
	if err != nil {
		return fmt.Errorf("ask for the log's end: %w", err)
	}
	c := continuity{id: o.id, slot: slot, flushed: uint64(flushed), history: func() ([]byte, error) {
		h, err := pglogrepl.TimelineHistory(ctx, o.repl.conn, o.id.Timeline)
		return h.Content, err
	}}
	return c.prove(t, lsn)
}

// stream starts replication, then looks at the slot again: until it was ours, somebody could have moved it.
func (o *opening) stream(ctx context.Context) error {
	options := pglogrepl.StartReplicationOptions{Mode: pglogrepl.LogicalReplication, PluginArgs: []string{
		"proto_version '1'", "publication_names " + quoteText(quote(o.config.Publication.Name)),
	}}
	err := pglogrepl.StartReplication(ctx, o.repl.conn, o.config.Slot.Name, pglogrepl.LSN(o.proof.from), options)
	if sqlState(err) == stateInUse {
		return fmt.Errorf("slot %s: %w: %w: %w", o.config.Slot.Name, errActive, err, change.ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("start replication at %s: %w", lsnText(o.proof.from), classifyStream(err))
	}
	slot, err := readSlot(ctx, o.conn, o.config.Slot.Name)
	if err != nil {
		return err
	}
	if slot == nil || slot.confirmed > o.proof.until {
		return fmt.Errorf("slot %s: %w: %w", o.config.Slot.Name, errSlotAhead, change.ErrGap)
	}
	return nil
}

// source puts the parts together and lets the stream run.
func (o *opening) source(ctx context.Context) (connectors.Opened, error) {
	ctx = context.WithoutCancel(ctx) // the stream ends with Close
	homes, err := o.newHomes()
	if err != nil {
		return connectors.Opened{}, err
	}
	c := &catalog{config: o.config, conn: o.conn}
	shapes := newShapes(o.config, c)
	if shapes.rewrites, err = newRewrites(o.config, o.begun, o.start.Snapshot); err != nil {
		return connectors.Opened{}, err
	}
	if shapes.keys, err = readKeys(o.start.Snapshot); err != nil {
		return connectors.Opened{}, err
	}
	w := o.repl
	w.logger, w.interval, w.queue = o.config.Logger, o.interval, queue.New[end](o.config.MemoryBytes)
	s := &Source{config: o.config, selection: o.selection, epoch: o.start.Epoch, catalog: c, shapes: shapes, homes: homes,
		left: map[string]uint32{}, leaving: map[string]<-chan struct{}{}, lookNow: make(chan struct{}, 1),
		log: &log{id: o.id, slot: o.config.Slot.Name, wire: w, at: o.at, resume: o.start.Resume}}
	w.assemble = &assembler{epoch: o.start.Epoch, maxRow: o.config.MaxRowBytes, selection: o.selection, shapes: s.shapes, homes: homes,
		relations: map[uint32]*streamed{}, at: o.at, proof: o.proof, segment: w.queue.Builder()}
	if s.log.resume == "" {
		s.log.resume = makeResume(o.id, o.config.Slot.Name, o.at)
	}
	s.log.left = s.leftOut
	if err := s.beside(o); err != nil {
		return connectors.Opened{}, err
	}
	opened := connectors.Opened{Source: s, Identity: o.id.String(), Resume: s.log.resume, Upto: o.at.upto}
	if o.start.Resume == "" { // a crash forgets neither Start.Anew nor which tables these are
		if opened.Snapshot, err = s.runner.Saved(); err != nil {
			return connectors.Opened{}, errors.Join(err, s.runner.Close())
		}
	}
	go w.run(ctx)
	s.watch(ctx)
	return opened, nil
}

package mysql

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// segmentBytes is when a segment is put though its group goes on.
const segmentBytes = 256 << 10

// assembler turns the events of the log into changes. The goroutine of the stream owns it.
type assembler struct {
	epoch     uint32
	flavor    string
	maxRow    int
	folds     bool // statements write table names in any case
	remakes   bool // a table that lost rows without a word in the log is read again by the snapshot
	selection selection
	shapes    *shapes
	logger    *slog.Logger

	emptyInto func(s segment) error                                  // takes what has been decoded, and waits for room
	looked    func(t tableName) bool                                 // has the snapshot look at a table again; false: it doesn't know the table
	tablesOf  func(database string) []tableName                      // the tables of a database that the snapshot knows
	appeared  func()                                                 // there may be new tables
	engines   func(t []tableName, at moment) error                   // refuses a table that a ROLLBACK doesn't roll back
	kind      func(ctx context.Context, t tableName) (string, error) // what the catalogue has by a name
	sequences sequences
	announced map[tableName]*change.Table
	remarks   *remarks // what bears on which column is which, for who hands over

	row     rowimage.Reader
	payload *rowimage.Payload
	frames  frames

	delivery delivery // of the group under way; its maps are used again

	// Of one connection.
	base string // of the names of the log's files
	file logFile
	end  uint64 // where the last event ended in it
	maps map[uint64]*mapped

	inside bool
	group  group

	id      identity
	at      place // the last end of a group, or of log without us
	proof   proof
	highest map[string]gtid // MariaDB: the last in each domain
	segment queue.Builder[end]

	phases    *phases
	held      map[string]held // rows of prepared XA transactions, by xid
	heldBytes int
	refetch   func(ctx context.Context, p prepared) error // reads those of one from the log again, into the group under way
	wanted    *prepared                                   // the one that this assembler is to read, and nothing else
	until     uint64                                      // Commit of the log's end when that began

	scan     func(ctx context.Context, h *ahead, until change.Position) error
	known    *ahead // what has been seen of the log in front of the stream; nil: nothing
	scanning *ahead // what this assembler is to look for, and nothing else

	positional bool  // the log may describe tables by position only, so what they are is kept
	past       pasts // that
	present    func(ctx context.Context, t tableName) (described, logEnd, error)
}

// mapped is a table as the connection knows it.
type mapped struct {
	name     tableName
	selected bool
	body     []byte
}

// restart makes a ready for another connection. The group under way comes again, and with it the shapes that it has begun to announce.
func (a *assembler) restart() {
	a.drop()
	for i := range a.segment.Changes {
		if t := a.segment.Changes[i].Table; a.segment.Changes[i].Op == change.NewShape {
			delete(a.announced, tableName{t.Schema, t.Name})
		}
	}
	a.file, a.end, a.base = logFile{}, 0, ""
	a.maps = map[uint64]*mapped{}
	a.segment.Take() // and is forgotten
}

var (
	errGroup   = errors.New("an event outside of a group, or a group inside another")
	errUnknown = errors.New("an event of a kind that this release doesn't know")
	errMap     = errors.New("rows of a table that was not described")
	errNames   = errors.New("the numbers of the log's files went back or their name changed, so positions have no order any more: begin anew as docs/continuity.md says")
	errDamage  = errors.New("the server says that its log lacks changes (INCIDENT): take a new snapshot")
)

// take takes one event. Its errors end the stream.
func (a *assembler) take(ctx context.Context, e *replication.BinlogEvent) error {
	h := parseHeader(e.RawData)
	var err error
	switch v := e.Event.(type) {
	case *replication.RotateEvent:
		err = a.rotate(h, string(v.NextLogName), v.Position)
	case *replication.FormatDescriptionEvent:
		err = a.format(h)
	case *replication.GenericEvent:
		err = a.event(ctx, h, v.Data)
	}
	if err != nil {
		return fmt.Errorf("at %s:%d: %w", a.file.name, a.end, err)
	}
	return a.scanned()
}

// rotate takes the name of the file that comes now. The server makes such an event in front of each file; the one in the file before it says
// nothing more.
func (a *assembler) rotate(h header, name string, offset uint64) error {
	if h.flags&flagArtificial == 0 && h.end != 0 {
		a.locate(h)
		return nil
	}
	f, base, err := parseFile(name)
	if err != nil {
		return err
	}
	if a.file.name == f.name {
		return nil
	}
	if base != a.id.Base || a.file.name != "" && f.number <= a.file.number {
		return fmt.Errorf("%s follows %s: %w: %w", name, a.file.name, errNames, change.ErrGap)
	}
	if err := a.proof.leaves(a.file); err != nil {
		return err
	}
	if a.inside {
		a.logger.Warn("the log's file ends within a transaction, which was never committed", "pos", a.addressOf(a.group.offset))
		a.drop()
	}
	a.file, a.end, a.base = f, offset, base
	return nil
}

// format takes the description that each file begins with. A connection that begins further behind gets it too, without an address.
func (a *assembler) format(h header) error {
	a.file.created = h.when
	if h.end != 0 {
		a.end = uint64(h.end)
	}
	if err := a.proof.opens(a.file); err != nil {
		return err
	}
	return a.idle()
}

// locate moves to the end of an event and returns where it begins. The log's 32 bits are widened: an event is smaller than what they can
// tell apart. MariaDB from 11.4 on doesn't tell where an event inside a group ends; what stands there is the sum of sizes.
func (a *assembler) locate(h header) uint64 {
	if h.end == 0 {
		start := a.end
		a.end += uint64(h.size)
		return start
	}
	a.end = widen(a.end, h.end)
	return a.end - uint64(h.size)
}

// widen returns the first address at or above from with these low 32 bits.
func widen(from uint64, low uint32) uint64 {
	wide := from&^0xffffffff | uint64(low)
	if wide < from {
		wide += 1 << 32
	}
	return wide
}

func (a *assembler) event(ctx context.Context, h header, body []byte) error {
	switch h.kind {
	case eventHeartbeat, eventHeartbeat2:
		if a.wanted != nil {
			return a.wanted.beat(a, h, body)
		}
		return a.heartbeat(h, body)
	}
	if h.flags&flagArtificial != 0 {
		if h.end != 0 { // MariaDB says where it begins to send
			a.end = widen(a.end, h.end)
		}
		return nil
	}
	start := a.locate(h)
	if !a.inside {
		switch h.kind {
		case eventGTID, eventAnonymous, eventTagged, eventMariaGTID:
			return a.begin(h, body, start)
		}
	}
	return a.inner(ctx, h, body, start)
}

// heartbeat takes the server's word that there is nothing for us in front of a place. It may be a word of before: a place behind us, or in
// another file, says nothing. (An event can't end in front of the one before it, so locate widens upwards only.)
func (a *assembler) heartbeat(h header, body []byte) error {
	if a.inside || h.kind != eventHeartbeat || string(body) != a.file.name {
		return nil
	}
	ahead := int32(h.end - uint32(a.end))
	if ahead < 0 {
		return nil
	}
	a.end += uint64(ahead)
	if err := a.proof.passed(a.file, a.end); err != nil {
		return err
	}
	return a.idle()
}

// inner takes an event of a group, or one that stands between two. start is its offset in the file, or, in a compressed transaction, what
// stands for it.
func (a *assembler) inner(ctx context.Context, h header, body []byte, start uint64) error {
	switch h.kind {
	case eventTableMap:
		return a.tableMap(body, start)
	case eventQuery, eventQueryCompressed:
		return a.query(ctx, h, body, start)
	case eventXID:
		return a.commit(ctx)
	case eventXAPrepare:
		return a.prepare(ctx, body)
	case eventPayload:
		return a.unpack(ctx, body, start)
	case eventIncident:
		return fmt.Errorf("%w: %w", errDamage, change.ErrGap)
	case eventPartialRow: // what stands first in it is no table's number
		_, err := rowimage.ParseHeader(h.kind, body)
		return fmt.Errorf("event %d: %w: %w: %w", h.kind, errUnknown, err, change.ErrHalt)
	case eventExecuteLoad:
		return a.load(h, body)
	case eventBeginLoad, eventAppendBlock, eventDeleteFile, // the file of a LOAD DATA, whose statement comes behind it
		eventStop, eventPreviousGTIDs, eventGTIDList, eventCheckpoint, eventStartEncryption, eventIgnorable, eventRowsQuery, eventAnnotate,
		eventIntvar, eventRand, eventUserVar, eventContext, eventViewChange:
		if a.inside {
			return nil
		}
		return a.idle()
	}
	if rowimage.IsRows(h.kind) {
		return a.rows(h, body, start)
	}
	if h.flags&flagIgnorable != 0 {
		return nil
	}
	return fmt.Errorf("event %d: %w: %w", h.kind, errUnknown, change.ErrHalt)
}

// unpack takes the events of a compressed transaction. What stands for the offset of each is that of the payload and its own in it.
func (a *assembler) unpack(ctx context.Context, body []byte, start uint64) error {
	if err := a.payload.Open(body); err != nil {
		return err
	}
	for {
		in, err := a.payload.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(in.Raw) < headerBytes {
			return fmt.Errorf("event of %d bytes in a payload: %w: %w", len(in.Raw), errEvent, change.ErrHalt)
		}
		owned := append([]byte(nil), in.Raw[headerBytes:]...) // Raw is valid until the next one
		if err := a.inner(ctx, parseHeader(in.Raw), owned, start+in.Offset); err != nil {
			return err
		}
	}
	if a.inside {
		return fmt.Errorf("a payload that doesn't end its transaction: %w: %w", errGroup, change.ErrHalt)
	}
	return nil
}

// tableMap takes the description of the table of the rows that follow.
func (a *assembler) tableMap(body []byte, start uint64) error {
	id, ok := tableID(body)
	if !a.inside || !ok {
		return fmt.Errorf("table map: %w: %w", errGroup, change.ErrHalt)
	}
	m := a.maps[id]
	if m == nil || string(m.body) != string(body) {
		name, err := mapName(body)
		if err != nil {
			return err
		}
		m = &mapped{name: name, selected: a.selection.Has(name.schema, name.name), body: body}
		a.maps[id] = m
	}
	if !m.selected || a.proof.replaying {
		return nil
	}
	if a.scanning != nil {
		a.scanning.sees(m.name, sighting{first: a.spot(start), last: a.spot(start), body: m.body})
		return nil
	}
	return a.frames.add(frame{offset: start - a.group.offset, kind: eventTableMap, body: m.body})
}

// The numbers in a row event that holds no row; noTableOld is a table's too once the server has opened that many, and then is described.
const (
	noTable    = 1<<48 - 1
	noTableOld = 0xffffff
)

// rows keeps a row event of a captured table.
func (a *assembler) rows(h header, body []byte, start uint64) error {
	id, ok := tableID(body)
	if !a.inside || !ok {
		return fmt.Errorf("row event: %w: %w", errGroup, change.ErrHalt)
	}
	m := a.maps[id]
	if m == nil && (id == noTable || id == noTableOld) {
		return nil
	}
	if m == nil {
		return fmt.Errorf("table number %d: %w: %w", id, errMap, change.ErrHalt)
	}
	if !m.selected || a.proof.replaying || a.scanning != nil {
		return nil
	}
	a.group.touches(m.name)
	return a.frames.add(frame{offset: start - a.group.offset, kind: h.kind, body: body})
}

// tableID reads the number that a TABLE_MAP and row events begin with.
func tableID(body []byte) (uint64, bool) {
	if len(body) < 8 {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(body)) | uint64(binary.LittleEndian.Uint16(body[4:]))<<32, true
}

// mapName reads the names in a TABLE_MAP.
func mapName(body []byte) (tableName, error) {
	rest := body[mapIDBytes+2:]
	var parts [2]string
	for i := range parts {
		if len(rest) == 0 || len(rest) < int(rest[0])+2 {
			return tableName{}, fmt.Errorf("table map of %d bytes: %w: %w", len(body), errEvent, change.ErrHalt)
		}
		n := int(rest[0])
		parts[i], rest = string(rest[1:1+n]), rest[2+n:]
	}
	return tableName{parts[0], parts[1]}, nil
}

// idle notes that all in front of the present address has been read; between two groups only.
func (a *assembler) idle() error {
	if a.inside || a.proof.pending() {
		return nil
	}
	return a.advance(gtid{}, a.at.last)
}

// advance notes that all in front of the present address has been read, the last of it the group of id.
func (a *assembler) advance(id gtid, last evidence) error {
	if a.end>>offsetBits != 0 {
		return fmt.Errorf("offset %d: %w: %w", a.end, errPlace, change.ErrHalt)
	}
	upto := below(a.epoch, a.file, a.end)
	if !a.at.upto.Less(upto) {
		if id.isZero() {
			return nil
		}
		upto = a.at.upto
	}
	a.at.upto, a.at.file, a.at.offset, a.at.last = upto, a.file, a.end, last
	a.segment.End(end{at: a.at, id: id})
	return a.flush()
}

// flush hands over what has been decoded.
func (a *assembler) flush() error { return a.emptyInto(a.segment.Take()) }

func (a *assembler) addressOf(offset uint64) string { return fmt.Sprintf("%s:%d", a.file.name, offset) }

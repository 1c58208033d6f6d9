package mysql

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// headerBytes is the length of an event's header; a file begins with a magic number of four, where its first event does.
const (
	headerBytes = 19
	firstOffset = 4
)

// The kinds of event that decide something. Those of rows are rowimage's.
// Source: MySQL 9.7, libs/mysql/binlog/event/binlog_event.h; MariaDB 11.8, sql/log_event.h.
const (
	eventQuery           = 2
	eventStop            = 3
	eventRotate          = 4
	eventIntvar          = 5
	eventAppendBlock     = 9
	eventDeleteFile      = 11
	eventRand            = 13
	eventUserVar         = 14
	eventFormat          = 15
	eventXID             = 16
	eventBeginLoad       = 17
	eventExecuteLoad     = 18
	eventTableMap        = 19
	eventIncident        = 26
	eventHeartbeat       = 27
	eventIgnorable       = 28
	eventRowsQuery       = 29
	eventGTID            = 33
	eventAnonymous       = 34
	eventPreviousGTIDs   = 35
	eventContext         = 36
	eventViewChange      = 37
	eventXAPrepare       = 38
	eventPayload         = 40
	eventHeartbeat2      = 41
	eventTagged          = 42
	eventAnnotate        = 160
	eventCheckpoint      = 161
	eventMariaGTID       = 162
	eventGTIDList        = 163
	eventStartEncryption = 164
	eventQueryCompressed = 165
	eventPartialRow      = 172 // MariaDB 12.3
)

// The flags of an event's header.
const (
	flagArtificial = 0x20 // made by the server for us: not in the file
	flagIgnorable  = 0x80 // who doesn't know it may pass it
)

// header is an event's header.
type header struct {
	when  uint32 // seconds since 1970
	kind  byte
	from  uint32 // the server_id of the server that wrote it first
	size  uint32
	end   uint32 // where the event ends in its file, the low 32 bits; 0: not told
	flags uint16
}

func parseHeader(b []byte) header {
	return header{when: binary.LittleEndian.Uint32(b), kind: b[4], from: binary.LittleEndian.Uint32(b[5:]), size: binary.LittleEndian.Uint32(b[9:]),
		end: binary.LittleEndian.Uint32(b[13:]), flags: binary.LittleEndian.Uint16(b[17:])}
}

var errEvent = errors.New("the event can't be read")

// began is what the first event of a group says of it.
type began struct {
	id         gtid
	when       int64  // microseconds since 1970
	clock      uint32 // the server that told the time, where it may be another than ours; 0: ours
	standalone bool   // MariaDB: one statement, nothing ends it
	undone     bool   // MariaDB: START or ROLLBACK of an ALTER in two phases, whose statement has no effect, or none yet
}

// parseBegin reads the event that a group begins with.
func parseBegin(h header, body []byte) (b began, err error) {
	defer func() { // the library's decoders trust the length
		if recover() != nil {
			err = fmt.Errorf("event %d of %d bytes: %w: %w", h.kind, len(body), errEvent, change.ErrHalt)
		}
	}()
	b.when, b.clock = int64(h.when)*int64(time.Second/time.Microsecond), h.from
	switch h.kind {
	case eventMariaGTID:
		var e replication.MariadbGTIDEvent
		if err := e.Decode(body); err != nil {
			return b, fmt.Errorf("GTID event: %w: %w", err, change.ErrHalt)
		}
		b.id, err = parseGTID(fmt.Sprintf("%d-%d-%d", e.GTID.DomainID, h.from, e.GTID.SequenceNumber))
		b.standalone, b.undone = e.IsStandalone(), undone(body)
		return b, err
	case eventTagged:
		var e replication.GtidTaggedLogEvent
		if err := e.Decode(body); err != nil {
			return b, fmt.Errorf("tagged GTID event: %w: %w", err, change.ErrHalt)
		}
		b.id, b.when = mysqlGTID(&e.GTIDEvent), int64(e.ImmediateCommitTimestamp)
		b.clock = 0
	default:
		var e replication.GTIDEvent
		if err := e.Decode(body); err != nil {
			return b, fmt.Errorf("GTID event: %w: %w", err, change.ErrHalt)
		}
		if e.ImmediateCommitTimestamp != 0 {
			b.when, b.clock = int64(e.ImmediateCommitTimestamp), 0
		}
		if h.kind == eventGTID {
			b.id = mysqlGTID(&e)
		}
	}
	return b, nil
}

// undone reads the flags behind what the library reads of a MariaDB GTID event.
// Source: MariaDB 11.8, sql/log_event.cc, Gtid_log_event::Gtid_log_event.
func undone(body []byte) bool {
	const (
		flagsAt       = 8 + 4
		groupCommit   = 1 << 1 // an id of 8 bytes follows
		prepared      = 1 << 6 // and an xid
		completed     = 1 << 7
		startAlter    = 1 << 1
		rollbackAlter = 1 << 3
	)
	at := flagsAt + 1
	if body[flagsAt]&groupCommit != 0 {
		at += 8
	}
	if body[flagsAt]&(prepared|completed) != 0 && len(body) > at+5 {
		at += 6 + int(body[at+4]) + int(body[at+5])
	}
	return at < len(body) && body[at]&(startAlter|rollbackAlter) != 0
}

func mysqlGTID(e *replication.GTIDEvent) gtid {
	b := make([]byte, 0, uuidLength)
	for _, part := range [...][]byte{e.SID[:4], e.SID[4:6], e.SID[6:8], e.SID[8:10], e.SID[10:16]} {
		if len(b) > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	origin := string(b)
	if tag := e.Tag.String(); tag != "" {
		origin += ":" + tag
	}
	return gtid{origin: origin, n: uint64(e.GNO)}
}

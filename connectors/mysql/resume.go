package mysql

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// identity says which log a Resume belongs to.
type identity struct {
	Flavor string `json:"flavor"`
	Server string `json:"server"` // MySQL: server_uuid; MariaDB, which has none: server_id
	Base   string `json:"base"`   // what the names of the log's files begin with: their numbers go on only under one
}

func (i identity) String() string {
	return fmt.Sprintf("%s server %s log %s", i.Flavor, i.Server, i.Base)
}

// logFile is one file of the log.
type logFile struct {
	name    string
	number  uint64
	created uint32 // by the server's clock, in seconds since 1970; 0: not known yet
}

var errFileName = errors.New("the name of a log file ends in a dot and a number below 16777216")

// parseFile reads the name of a log file, with the base that its number counts under.
func parseFile(name string) (f logFile, base string, err error) {
	at := strings.LastIndexByte(name, '.')
	number, err := strconv.ParseUint(name[at+1:], 10, fileBits)
	if at < 0 || err != nil {
		return f, "", fmt.Errorf("log file %q: %w: %w", name, errFileName, change.ErrHalt)
	}
	return logFile{name: name, number: number}, name[:at], nil
}

// A Position's Commit is file number<<40 | offset of the group's first event; its Seq is (offset of the row event in the group<<23 | row in
// the event)<<2.
const (
	offsetBits = 40
	fileBits   = 64 - offsetBits
	rowBits    = 23
	placeBits  = 62 - rowBits
)

func commitOf(f logFile, offset uint64) uint64 { return f.number<<offsetBits | offset }

// below is the Position under which all stands that begins in front of an offset.
func below(epoch uint32, f logFile, offset uint64) change.Position {
	return change.Position{Epoch: epoch, Commit: commitOf(f, offset) - 1, Seq: change.MaxSeq}
}

// evidence is what can be asked again of the log: the last group that was read of it.
type evidence struct {
	file   logFile
	offset uint64 // of its first event
	id     string // its GTID; empty: it has none
	when   int64  // its commit, in microseconds since 1970
}

func (e evidence) isZero() bool { return e.file.name == "" }

// place is where a reader stands between two groups.
type place struct {
	upto   change.Position
	file   logFile
	offset uint64 // the next group begins here or later
	last   evidence

	// Neither is changed after it is made.
	xa    []prepared // XA transactions that are undecided yet
	marks marks
	past  string // the shapes of tables that the log describes by position only, as pasts.encode writes them
}

// token is a Resume as it is written.
type token struct {
	identity
	File    string     `json:"file"`
	Created uint32     `json:"created"`
	Pos     uint64     `json:"pos"`
	GTIDs   string     `json:"gtids,omitempty"`
	Last    *tokenLast `json:"last,omitempty"`
	XA      []string   `json:"xa,omitempty"` // of a release before: without captured rows
	Pending []tokenXA  `json:"prepared,omitempty"`

	Born map[string]string `json:"born,omitempty"`
	Past string            `json:"past,omitempty"`

	Columns string            `json:"columns,omitempty"` // as columnIDs.resume adds it
	Revised map[string]string `json:"revised,omitempty"`
	// Owed are tables that were dropped while targets have their rows, by "schema.name".
	Owed map[string]string `json:"owed,omitempty"`
}

type tokenLast struct {
	File    string `json:"file"`
	Created uint32 `json:"created"`
	Pos     uint64 `json:"pos"`
	GTID    string `json:"gtid,omitempty"`
	Time    int64  `json:"time"`
}

func (e evidence) token() tokenLast {
	return tokenLast{File: e.file.name, Created: e.file.created, Pos: e.offset, GTID: e.id, Time: e.when}
}

func makeResume(id identity, p place, read *gtidSet) change.Resume {
	t := token{identity: id, File: p.file.name, Created: p.file.created, Pos: p.offset, GTIDs: read.String(), Born: p.marks.born, Revised: p.marks.revised, Owed: p.marks.owed, Past: p.past}
	t.Pending, t.XA = writePrepared(p.xa)
	if !p.last.isZero() {
		last := p.last.token()
		t.Last = &last
	}
	b, _ := json.Marshal(t) // strings and numbers: never an error
	return change.Resume(b)
}

var errResume = errors.New("not a place in a binary log")

// parseResume reads what makeResume wrote. What can't be read can't be continued: change.ErrGap.
func parseResume(r change.Resume) (token, place, *gtidSet, error) {
	var t token
	var p place
	if err := json.Unmarshal([]byte(r), &t); err != nil {
		return t, p, nil, fmt.Errorf("resume %q: %w: %w", r, err, change.ErrGap)
	}
	read, err := parseGTIDSet(t.GTIDs)
	if err == nil {
		p.file, err = parseNamed(t.File, t.Created, t.Base)
	}
	if err == nil && t.Last != nil {
		p.last = evidence{offset: t.Last.Pos, id: t.Last.GTID, when: t.Last.Time}
		p.last.file, err = parseNamed(t.Last.File, t.Last.Created, t.Base)
	}
	p.offset, p.marks, p.past = t.Pos, marks{t.Born, t.Revised, t.Owed}, t.Past
	if err == nil {
		p.xa, err = readPrepared(t.Pending, t.XA)
	}
	if err == nil && (p.offset < headerBytes || p.offset>>offsetBits != 0 || p.last.offset>>offsetBits != 0) {
		err = errResume
	}
	if err != nil {
		return t, p, nil, fmt.Errorf("resume %q: %w: %w", r, err, change.ErrGap)
	}
	return t, p, read, nil
}

func parseNamed(name string, created uint32, base string) (logFile, error) {
	f, own, err := parseFile(name)
	if err != nil {
		return f, err
	}
	if own != base {
		return f, errResume
	}
	f.created = created
	return f, nil
}

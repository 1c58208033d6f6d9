package postgres

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pglogrepl"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// identity says which log a Resume belongs to.
type identity struct {
	System   string `json:"system"`   // system_identifier of the cluster
	Timeline int32  `json:"timeline"` // of that cluster's log
	Database uint32 `json:"database"` // oid
}

func (i identity) String() string {
	return fmt.Sprintf("postgres system %s database %d timeline %d", i.System, i.Database, i.Timeline)
}

// evidence is what can be asked again of the log: the last transaction that was read of it.
type evidence struct {
	Commit uint64 // LSN of its commit record; 0: none was read
	XID    uint32
	Time   int64 // microseconds since 2000-01-01T00:00:00Z
}

// place is where a reader stands between two transactions.
type place struct {
	upto change.Position
	lsn  uint64 // all that was committed below it has been read
	last evidence
}

// token is a Resume as it is written.
type token struct {
	identity
	Slot   string     `json:"slot"`
	Plugin string     `json:"plugin"`
	LSN    string     `json:"lsn"`
	Last   *tokenLast `json:"last,omitempty"`
}

type tokenLast struct {
	Commit string `json:"commit"`
	XID    uint32 `json:"xid"`
	Time   int64  `json:"time"`
}

const plugin = "pgoutput"

func makeResume(id identity, slot string, p place) change.Resume {
	t := token{identity: id, Slot: slot, Plugin: plugin, LSN: lsnText(p.lsn)}
	if p.last.Commit != 0 {
		t.Last = &tokenLast{Commit: lsnText(p.last.Commit), XID: p.last.XID, Time: p.last.Time}
	}
	b, _ := json.Marshal(t) // strings and numbers: never an error
	return change.Resume(b)
}

var errResume = errors.New("not a place in a PostgreSQL log")

// parseResume reads what makeResume wrote. What can't be read can't be continued: change.ErrGap.
func parseResume(r change.Resume) (token, uint64, evidence, error) {
	var t token
	if err := json.Unmarshal([]byte(r), &t); err != nil {
		return t, 0, evidence{}, fmt.Errorf("resume %q: %w: %w", r, err, change.ErrGap)
	}
	lsn, err := pglogrepl.ParseLSN(t.LSN)
	if err != nil || lsn == 0 || t.Plugin != plugin {
		return t, 0, evidence{}, fmt.Errorf("resume %q: %w: %w", r, errResume, change.ErrGap)
	}
	var last evidence
	if t.Last != nil {
		commit, err := pglogrepl.ParseLSN(t.Last.Commit)
		if err != nil {
			return t, 0, last, fmt.Errorf("resume %q: %w: %w", r, errResume, change.ErrGap)
		}
		last = evidence{Commit: uint64(commit), XID: t.Last.XID, Time: t.Last.Time}
	}
	return t, uint64(lsn), last, nil
}

func lsnText(lsn uint64) string { return pglogrepl.LSN(lsn).String() }

// below is the Position under which all stands that was committed before lsn, and nothing else.
func below(epoch uint32, lsn uint64) change.Position {
	return change.Position{Epoch: epoch, Commit: lsn - 1, Seq: change.MaxSeq}
}

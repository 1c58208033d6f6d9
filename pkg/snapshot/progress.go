package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// progressVersion is the only version that there is. Another one was written by a release that this one can't follow.
const progressVersion = 1

type savedProgress struct {
	Version int          `json:"version"`
	Tables  []savedTable `json:"tables"`
}

type savedTable struct {
	Table       string    `json:"table"`
	Incarnation string    `json:"incarnation,omitempty"`
	Revision    string    `json:"revision,omitempty"`
	Before      string    `json:"before,omitempty"` // the Revision before those because of which the rows are being read again
	Parts       []string  `json:"parts,omitempty"`  // IDs of those whose rows have been or are being read
	Come        []string  `json:"come,omitempty"`   // IDs of those that have come with rows since, which are read once all others have been
	Where       string    `json:"where,omitempty"`
	Requested   bool      `json:"requested,omitempty"` // asked for beside the configuration
	Unread      bool      `json:"unread,omitempty"`    // its rows are not ours to read; it is known so that it is seen if its changes were left out for a while
	Member      string    `json:"member,omitempty"`    // Info.Member
	Whole       bool      `json:"whole,omitempty"`     // the target may have its rows already: nothing is taken out of the stream
	Stale       bool      `json:"stale,omitempty"`     // the target may have rows that nothing will ever take away: a Truncate comes first
	Key         []string  `json:"key,omitempty"`       // KeySignature that Last belongs to
	Past        *pastKey  `json:"past,omitempty"`      // what it was before the rows were read again
	Last        []string  `json:"last,omitempty"`
	Scanned     bool      `json:"scanned,omitempty"` // the last chunk has been handed over
	Reread      []string  `json:"reread,omitempty"`  // keys of rows to read again
	Rows        int64     `json:"rows"`
	Estimate    int64     `json:"estimate"`
	Started     time.Time `json:"started,omitzero"`
	Done        bool      `json:"done,omitempty"`
}

var errProgress = errors.New("not the progress of a snapshot by this release")

func parseProgress(b []byte) ([]savedTable, error) {
	var p savedProgress
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("parse snapshot progress: %w: %w", err, change.ErrHalt)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || p.Version != progressVersion {
		return nil, fmt.Errorf("parse snapshot progress of version %d: %w: %w", p.Version, errProgress, change.ErrHalt)
	}
	names := make(map[string]bool, len(p.Tables))
	for _, t := range p.Tables {
		if t.Table == "" || names[t.Table] {
			return nil, fmt.Errorf("parse snapshot progress: table %q twice or without a name: %w: %w", t.Table, errProgress, change.ErrHalt)
		}
		names[t.Table] = true
	}
	return p.Tables, nil
}

func formatProgress(tables []*table, aside []savedTable) ([]byte, error) {
	p := savedProgress{Version: progressVersion, Tables: make([]savedTable, len(tables), len(tables)+len(aside))}
	for i, t := range tables {
		p.Tables[i] = t.savedTable
		p.Tables[i].Reread = sortedKeys(t.reread)
	}
	p.Tables = append(p.Tables, aside...)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("write snapshot progress: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

func sortedKeys(set map[string]struct{}) []string {
	if len(set) == 0 {
		return nil
	}
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// table is one table's state: what is saved of it, and what lives only in this run.
type table struct {
	savedTable
	reread      map[string]struct{} // Reread as a set
	rereadBytes int                 // of memory, about
	touched     map[string]*event   // by key: what transactions in the window did to the table's rows, oldest first
	shapes      []seenShape         // the shapes in which the stream has brought its rows
	info        Info                // of this run's Lookup; a nil Table: not looked up yet
	checked     bool                // a table that is done is still the one which was read
	limit       int                 // rows to ask for next
	asked       uint64              // the batches observed when info was asked for
}

type seenShape struct {
	table *change.Table
	batch uint64 // the last one that had it
}

func newTable(s savedTable) *table {
	t := &table{savedTable: s, reread: make(map[string]struct{}, len(s.Reread)), touched: map[string]*event{}, limit: firstLimit}
	for _, key := range s.Reread {
		t.want(key)
	}
	t.Reread = nil
	return t
}

// startOver forgets how far t has come.
func (t *table) startOver() {
	t.remember()
	t.Key, t.Last, t.Scanned, t.Rows, t.Done = nil, nil, false, 0, false
	t.Started = time.Time{}
	t.unwantAll()
	t.limit = firstLimit
}

// begin takes note of what a Lookup or a Chunk says the table is. False: what was read of it so far doesn't count.
func (t *table) begin(info Info) bool {
	sig := KeySignature(info.Table)
	t.adopt(info)
	replaced := t.Incarnation != "" && t.Incarnation != info.Incarnation
	lost := !replaced && (t.missed(info.Member) || t.lost(info.Parts))
	left := t.Stale && t.Done
	revised := !replaced && !lost && !left && !t.Started.IsZero() && t.Revision != info.Revision
	t.Whole = (t.Whole || revised && t.Done && !t.Stale) && !replaced && !lost
	t.Stale = (t.Stale || replaced || lost) && len(info.Table.Key) > 0 // without a key its snapshot begins with a Truncate anyway
	same := !left && (t.Started.IsZero() || (!replaced && !lost && slices.Equal(t.Key, sig)))
	switch {
	case !same:
		t.startOver()
	case revised:
		t.again()
	}
	if !slices.Equal(t.Key, sig) {
		t.remember()
	}
	if info.Parts == nil { // an Export's
		info.Parts = t.info.Parts
	} else if t.Parts == nil || t.Started.IsZero() && (t.Where == "" || t.Stale) {
		t.Parts, t.Come = partIDs(info.Parts), nil // all are read
	}
	if info.Member != "" {
		t.Member = info.Member
	}
	t.info, t.Incarnation, t.Revision, t.Key, t.Estimate = info, info.Incarnation, info.Revision, sig, info.Estimate
	if t.Started.IsZero() {
		t.Started = time.Now().UTC().Truncate(time.Millisecond)
	}
	return same && !revised
}

// again begins anew with rows that targets have, or will have from the stream: all of them, for which ones the stream has brought nobody knows.
func (t *table) again() {
	t.Last, t.Scanned, t.Rows, t.Done, t.Started, t.Where = nil, false, 0, false, time.Time{}, ""
}

package snapshot

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The progress knows every table whose changes the log brings, and every one whose changes it once brought: a table that was left out for a while
// has lost changes that no log will bring again, so what targets hold of it is stale when it comes back.

// merge joins the saved progress with the tables of the configuration: these in their order, then those that are known and not read.
func (r *Runner) merge(saved []savedTable) error {
	known := make(map[string]savedTable, len(saved))
	for _, s := range saved {
		known[s.Table] = s
	}
	for i, name := range r.cfg.Tables {
		var now Info
		if r.cfg.Begun != nil {
			now = r.cfg.Begun[i]
		}
		s, ok := known[name]
		delete(known, name)
		if !ok {
			s = savedTable{Table: name, Incarnation: now.Incarnation, Revision: now.Revision, Member: now.Member, Parts: partIDs(now.Parts), Unread: true, Estimate: -1}
		}
		if r.cfg.Never && !s.Requested {
			kept, err := r.leaveUnread(s, now)
			if err != nil {
				return err
			}
			if kept.Unread || kept.Done {
				r.aside = append(r.aside, kept)
				continue
			}
			s = kept
		}
		r.tables = append(r.tables, r.toRead(s, i, now))
	}
	for _, s := range saved {
		if _, left := known[s.Table]; left {
			r.leave(s)
		}
	}
	return r.merged()
}

// Captured returns the tables whose changes the log brings from the place on that the progress was saved with, and the Incarnation of each.
func Captured(saved []byte) (map[string]string, error) {
	if saved == nil {
		return nil, nil
	}
	list, err := parseProgress(saved)
	captured := make(map[string]string, len(list))
	for _, s := range list {
		if !s.Stale {
			captured[s.Table] = s.Incarnation
		}
	}
	return captured, err
}

// toRead is the table of an entry whose rows are read, or have been.
func (r *Runner) toRead(s savedTable, i int, now Info) *table {
	anew := s.Unread || s.Stale && s.Done
	if s.Unread {
		s.Unread, s.Parts = false, partIDs(now.Parts)
	}
	s.Stale = s.Stale || r.cfg.Anew
	t := newTable(s)
	t.see(now.Parts)
	if anew {
		t.startOver()
		if t.Where = ""; r.cfg.Where != nil {
			t.Where = r.cfg.Where[i]
		}
	}
	return t
}

// leave keeps what is to be known of a table that isn't captured any more.
func (r *Runner) leave(s savedTable) {
	if r.cfg.Never && r.cfg.Gone != nil && r.cfg.Gone(s.Table) {
		return // it can be created again only, and what it then holds is not ours to read
	}
	if !s.Stale {
		r.log.Info("snapshot: the table is not captured any more; if it comes back, its rows are stale", "table", s.Table)
	}
	r.aside = append(r.aside, savedTable{Table: s.Table, Incarnation: s.Incarnation, Key: s.Key, Past: s.Past, Unread: s.Unread, Stale: true, Estimate: -1})
}

// leaveUnread is the entry of a table whose rows are not ours to read. One whose snapshot had begun is read to its end, for changes were taken
// out of the stream for it.
//
// Invariant 5: where changes are missing, only reading the rows would bring them, so it halts.
func (r *Runner) leaveUnread(s savedTable, now Info) (savedTable, error) {
	if begun := !s.Started.IsZero() || len(s.Reread) > 0; begun && !s.Done {
		return s, nil
	}
	if s.Incarnation != "" && now.Incarnation != "" && s.Incarnation != now.Incarnation {
		r.log.Warn("the table was created again; rows that are gone stay at the targets: delete them there", "table", s.Table)
		return savedTable{Table: s.Table, Incarnation: now.Incarnation, Revision: now.Revision, Member: now.Member, Unread: true, Estimate: -1}, nil
	}
	if s.Stale || s.missed(now.Member) {
		return s, Missed(s.Table)
	}
	if s.Incarnation == "" {
		s.Incarnation = now.Incarnation
	}
	if s.Member == "" {
		s.Member = now.Member
	}
	if now.Revision != "" {
		if now.since(s.Revision) != KeptAll {
			r.log.Warn(Unread, "table", s.Table)
		}
		s.Revision = now.Revision
	}
	s.Unread = s.Unread || !s.Done
	return s, nil
}

// Missed is the error for a table that has missed changes and may not be read: change.ErrGap.
func Missed(name string) error {
	return fmt.Errorf("table %s was left out for a while, so its changes of that time are missing, and snapshot mode is never; set snapshot mode initial, "+
		"which empties the table at the targets and reads it again, leave the table out, or drop the pipeline and start it anew with targets that hold what the source does: %w",
		name, change.ErrGap)
}

// Unread is what is logged of a table whose rows have other values, of which the log tells nothing, where they may not be read.
const Unread = "DDL has changed values of the table's rows, of which the log tells nothing, and snapshot mode is never, so targets keep the old ones: " +
	"run tailwater snapshot start for the table"

// missed says that changes may have been left out since.
func (s *savedTable) missed(now string) bool { return s.Member != "" && now != "" && s.Member != now }

// merged makes the rest agree with tables and aside.
func (r *Runner) merged() error {
	for _, t := range r.tables {
		r.byName[t.Table] = t
		r.heard[t.Table] = struct{}{}
	}
	for _, s := range r.aside {
		r.heard[s.Table] = struct{}{}
	}
	now, err := formatProgress(r.tables, r.aside)
	r.dirty = !bytes.Equal(now, r.cfg.Saved) && (r.cfg.Saved != nil || len(r.heard) > 0)
	return err
}

// Note makes a table known that is captured and not read, so that it is seen later if it is left out for a while. Any goroutine may call it.
func (r *Runner) Note(name string, info Info) {
	r.mu.Lock()
	_, heard := r.heard[name]
	if !heard {
		r.heard[name] = struct{}{}
		r.notes = append(r.notes, savedTable{Table: name, Incarnation: info.Incarnation, Revision: info.Revision, Member: info.Member, Unread: true, Estimate: -1})
	}
	r.mu.Unlock()
	if !heard {
		signal(r.wake)
	}
}

func (r *Runner) takeNotes(notes []savedTable) {
	for _, s := range notes {
		known := slices.ContainsFunc(r.aside, func(a savedTable) bool { return a.Table == s.Table })
		if r.byName[s.Table] == nil && !known {
			r.aside, r.dirty = append(r.aside, s), true
		}
	}
}

// unaside returns the entry of a table that is asked for and was not read so far. What is known of it stays: it may be stale, or another one now.
func (r *Runner) unaside(q request) savedTable {
	s := savedTable{Table: q.table, Incarnation: q.info.Incarnation, Member: q.info.Member, Parts: partIDs(q.info.Parts), Estimate: -1}
	if i := slices.IndexFunc(r.aside, func(s savedTable) bool { return s.Table == q.table }); i >= 0 {
		s = r.aside[i]
		r.aside = slices.Delete(r.aside, i, i+1)
	}
	s.Unread, s.Requested, s.Started = false, true, time.Time{}
	r.mu.Lock()
	r.heard[q.table] = struct{}{}
	r.mu.Unlock()
	return s
}

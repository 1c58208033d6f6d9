package snapshot

// Kept is what a table's rows have kept since an earlier Revision.
type Kept uint8

// What rows may have kept.
const (
	KeptKeys Kept = iota // their keys, under which other values may stand
	KeptAll              // all that the log hasn't told
	KeptNone             // keys may be other ones too
)

// since is what rows have kept since a Revision that is saved, "" by a release that knew none.
func (i *Info) since(revision string) Kept {
	switch {
	case revision == i.Revision, revision == "" && i.Since != nil:
		return KeptAll
	case i.Since == nil:
		return KeptKeys
	}
	return i.Since(revision)
}

// revise holds a Lookup's Revision against that of the rows which were read, before begin does: begin takes each other one for KeptKeys. It reports
// whether they don't count any more because their keys may be other ones: nothing will ever take away the rows that targets have.
func (t *table) revise(info Info) bool {
	if t.Revision == info.Revision || t.Incarnation != info.Incarnation {
		return false
	}
	kept := info.since(t.Revision)
	if kept == KeptKeys {
		return false
	}
	t.adopt(info)
	t.Revision = info.Revision
	if kept == KeptAll || t.Started.IsZero() {
		return false
	}
	t.startOver()
	t.Stale, t.Whole = true, false
	return true
}

// adopt notes, before a Lookup's Revision takes the place of the table's own, because of which one rows are read again.
func (t *table) adopt(info Info) {
	if t.Revision == info.Revision || t.Incarnation != info.Incarnation || info.since(t.Revision) == KeptAll {
		return
	}
	if t.Before == "" || t.Done {
		t.Before = t.Revision
	}
}

// Revisions returns what the rows that targets have were, by the Incarnation of each table: the Revision in front of those because of which they are being
// read again, or the present one.
func Revisions(saved []byte) (map[string]Info, error) {
	if saved == nil {
		return nil, nil
	}
	list, err := parseProgress(saved)
	known := make(map[string]Info, len(list))
	for _, s := range list {
		info := Info{Incarnation: s.Incarnation, Revision: s.Revision}
		if s.Before != "" && !s.Done {
			info.Revision = s.Before
		}
		for _, id := range s.Parts {
			info.Parts = append(info.Parts, Part{ID: id})
		}
		known[s.Incarnation] = info
	}
	return known, err
}

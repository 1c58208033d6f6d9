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
	t.Revision = info.Revision
	if kept == KeptAll || t.Started.IsZero() {
		return false
	}
	t.startOver()
	t.Stale, t.Whole = true, false
	return true
}

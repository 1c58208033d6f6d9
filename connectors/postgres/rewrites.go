package postgres

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// rewrites knows, by the tables' oids, which columns came with a rewriting of the table's rows: those rows are read again (see since and snapshot.Part).
// Where rows are not ours to read it is nil. The holder of shapes' lock uses it.
type rewrites map[uint32]*rewritten

// rewritten is a table as it was when it was last looked at, and what came with rewritings up to then.
type rewritten struct {
	files, made []string          // relation.files, and the transactions that made or altered its columns
	read        map[string]bool   // transactions of columns that came with a rewriting
	last        map[uint64]string // a column's transaction, by its ID: one that came with a rewriting and is altered has another since (SET NOT NULL)
}

// newRewrites begins with the tables as their rows were read by the saved progress, or as they stand.
func newRewrites(config *Config, begun []snapshot.Info, saved []byte) (rewrites, error) {
	if config.SnapshotMode == SnapshotNever {
		return nil, nil
	}
	known, err := snapshot.Revisions(saved)
	r := rewrites{}
	for _, info := range begun {
		if was, ok := known[info.Incarnation]; ok {
			info = was
		}
		r.begin(info)
	}
	return r, err
}

// begin takes a table as an Info has it. One that an earlier release has saved tells too little.
func (r rewrites) begin(info snapshot.Info) {
	oid, ok := oidOf(info.Incarnation)
	parts := strings.Split(info.Revision, "/")
	if !ok || len(parts) < 3 {
		return
	}
	t := &rewritten{files: []string{info.Incarnation + ":" + parts[0]}, made: strings.Fields(parts[1]), read: map[string]bool{}, last: map[uint64]string{}}
	if info.Parts != nil {
		t.files = nil
		for _, p := range info.Parts {
			if p.ID != rootPart {
				t.files = append(t.files, p.ID)
			}
		}
	}
	r[oid] = t
}

// mark says of the columns of d that came with a rewriting that their rows are read again, and takes the table as d has it.
func (r rewrites) mark(oid uint32, d *described) {
	if r == nil || d.files == nil {
		return
	}
	t := r[oid]
	if t == nil {
		r[oid] = &rewritten{files: d.files, made: d.made, read: map[string]bool{}, last: map[uint64]string{}}
		return
	}
	if slices.ContainsFunc(t.files, func(id string) bool { return !slices.Contains(d.files, id) }) {
		for _, made := range d.made {
			t.read[made] = t.read[made] || made != "" && !slices.Contains(t.made, made)
		}
	}
	for i := range d.columns {
		if id, made := d.columns[i].ID, d.made[i]; id != 0 && made != "" {
			t.read[made] = t.read[made] || t.read[t.last[id]]
			t.last[id] = made
		}
	}
	t.files = d.files
	for _, made := range d.made {
		if !slices.Contains(t.made, made) {
			t.made = append(t.made, made)
		}
	}
	for i := range d.columns {
		c := &d.columns[i]
		c.Reread = c.Missing == nil && t.read[d.made[i]]
	}
}

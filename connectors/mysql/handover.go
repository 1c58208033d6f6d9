package mysql

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// columnIDs gives the tables of what is handed over their columns' identities. The goroutine that calls Source.Read owns it.
//
// A Table has identities of the place at which it is handed over, in the stream and beside it, so every statement in front of that is followed first and
// none behind it. What isn't explained by statements begins a new Lineage: nothing is guessed of what was before.
type columnIDs struct {
	remarks *remarks
	flavor  string
	remakes bool // a table that is another one is emptied and read again
	has     func(schema, name string) bool
	logger  *slog.Logger

	state  kinState
	at     change.Position // the last statement that was followed
	kins   map[tableName]*kin
	due    []remark
	edited bool
	text   string // of the state
	raw    change.Resume
	full   change.Resume

	sums      map[*change.Table]uint64
	made      map[*change.Table]*change.Table // by the one without; of a table whose kin is as it was
	prints    map[string]*change.Table
	announced map[tableName]*change.Table
}

// newColumnIDs goes on from what a Resume says, or begins at upto.
func newColumnIDs(config *Config, s selection, text string, upto change.Position) (*columnIDs, error) {
	c := &columnIDs{remarks: &remarks{}, flavor: config.Flavor, remakes: config.SnapshotMode != SnapshotNever, has: s.Has, logger: config.Logger, edited: true,
		kins: map[tableName]*kin{}, sums: map[*change.Table]uint64{}, made: map[*change.Table]*change.Table{},
		prints: map[string]*change.Table{}, announced: map[tableName]*change.Table{}}
	if text == "" {
		c.state = kinState{Since: upto.String(), Selection: s.Print()}
		return c, nil
	}
	state, err := decodeKin(text)
	if err != nil {
		return nil, err
	}
	if state.At != "" {
		if c.at, err = change.ParsePosition(state.At); err != nil {
			return nil, fmt.Errorf("%w: %w: %w", errKinText, err, change.ErrGap)
		}
	}
	for _, k := range state.Tables {
		if k.Since == "" && state.Selection != s.Print() {
			k.Since = state.Since
		}
		if s.Has(k.Schema, k.Name) { // else its statements aren't followed from here on
			c.kins[k.table()] = k
		}
	}
	c.state = kinState{Since: state.Since, Selection: s.Print(), Off: state.Off}
	if state.Selection != s.Print() {
		c.state.Since = upto.String() // statements of tables that come into the selection were not followed
	}
	return c, nil
}

// name gives a batch's tables their identities, and puts each shape in front of the first change that has it.
func (c *columnIDs) name(b *change.Batch) error {
	c.due = append(c.due, c.remarks.take()...)
	out, shared := b.Changes[:0], true
	var last, given *change.Table
	for i := range b.Changes {
		ch := b.Changes[i]
		if ch.Op == change.NewShape && !tellsOfRows(ch.Table) {
			continue
		}
		if ch.Table != last || len(c.due) > 0 && !ch.Pos.Less(c.due[0].at) {
			c.follow(ch.Pos)
			t, err := c.table(&ch)
			if err != nil {
				return err
			}
			if last, given = ch.Table, t; ch.Op == change.Truncate {
				last = nil // what its rows say is still to be heard
			}
		}
		ch.Table = given
		name := tableName{given.Schema, given.Name}
		if c.announced[name] != given {
			c.announced[name] = given
			if shared && len(out) >= i { // no room in front of it
				out, shared = append(make([]change.Change, 0, len(b.Changes)+1), out...), false
			}
			out = append(out, shapeAhead(&ch))
		}
		if ch.Op != change.NewShape {
			out = append(out, ch)
		}
	}
	b.Changes = out
	c.follow(b.Upto)
	if n := len(out); n > 0 && b.Upto.Less(out[n-1].Pos) && bareResume(b.Resume) == c.raw {
		b.Resume = c.full // within a transaction it stays as it is
		return nil
	}
	var err error
	b.Resume, err = c.resume(b.Resume)
	return err
}

// tellsOfRows says that a shape says something of rows that are there, so that it goes to targets by itself.
func tellsOfRows(t *change.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c change.Column) bool { return c.Missing != nil || c.Reread })
}

// shapeAhead is the NewShape in front of a change.
func shapeAhead(ch *change.Change) change.Change {
	pos := ch.Pos
	if pos.Seq != change.MaxSeq { // of a chunk: all of it stands at one Position
		pos.Seq = pos.Seq&^3 | change.SeqShape
	}
	return change.Change{Op: change.NewShape, Table: ch.Table, Pos: pos, Txn: ch.Txn}
}

// follow does what the statements up to a place say.
func (c *columnIDs) follow(upto change.Position) {
	for len(c.due) > 0 && !upto.Less(c.due[0].at) {
		r := c.due[0]
		c.due = c.due[1:]
		if !c.at.Less(r.at) {
			continue // a Resume knows of it
		}
		c.at, c.edited = r.at, true
		clear(c.made)
		c.state.At = r.at.String()
		c.apply(&r)
	}
}

// apply does what one statement says.
func (c *columnIDs) apply(r *remark) {
	switch {
	case r.unclear && len(r.tables) == 0: // any table's
		c.kins, c.state.Since = map[tableName]*kin{}, r.id
	case r.unclear:
		for _, t := range r.tables {
			c.known(t).breaks(r.id)
		}
	case r.database != "":
		for t, k := range c.kins {
			if t.schema == r.database {
				c.anew(k, r)
			}
		}
	case r.renames:
		for i := 0; i+1 < len(r.tables); i += 2 {
			c.move(r.tables[i], r.tables[i+1], r)
		}
	case r.verb == "ALTER":
		first := c.known(r.tables[0])
		if err := first.alter(r.edits, r.id, c.flavor == MariaDB); err != nil {
			first.breaks(r.id)
		}
		for _, other := range r.tables[1:] {
			if r.remade {
				c.move(r.tables[0], other, r)
			} else {
				c.known(other).breaks(r.id) // EXCHANGE, CONVERT
			}
		}
	case r.remade:
		for _, t := range r.tables {
			c.anew(c.known(t), r)
		}
	}
	for t := range c.kins {
		if !c.has(t.schema, t.name) {
			delete(c.kins, t)
		}
	}
}

// anew notes that another table has a name. Where the rows of the one before stay at targets, what were its columns matters still.
func (c *columnIDs) anew(k *kin, r *remark) {
	if k.begins(r.id); !c.remakes {
		k.breaks(r.id)
	}
}

func (c *columnIDs) move(from, to tableName, r *remark) {
	moved := *c.known(from)
	if moved.Origin == "" {
		moved.Origin = from.String()
	}
	moved.Schema, moved.Name = to.schema, to.name
	if !c.has(from.schema, from.name) {
		moved = kin{Schema: to.schema, Name: to.name, Origin: r.id}
	}
	if !c.remakes {
		moved.breaks(r.id)
	}
	c.kins[to] = &moved
	c.anew(c.known(from), r)
}

// known is the kin of a table, which is of its first name and has had no statement where nothing is kept of it.
func (c *columnIDs) known(t tableName) *kin {
	k := c.kins[t]
	if k == nil {
		k = &kin{Schema: t.schema, Name: t.name}
		c.kins[t] = k
	}
	return k
}

// table is a change's Table with identities.
func (c *columnIDs) table(ch *change.Change) (*change.Table, error) {
	raw := ch.Table
	if c.state.Off {
		return raw, nil
	}
	if t := c.made[raw]; t != nil && ch.Op != change.Truncate {
		return t, nil
	}
	t, sum := tableName{raw.Schema, raw.Name}, c.sum(raw)
	if ch.Op == change.Truncate {
		return c.emptied(raw, sum)
	}
	k := c.known(t)
	if k.Sum != nil && *k.Sum != sum {
		c.logger.Warn("the table's columns have other names than its statements in the log have given them (a session with sql_log_bin = 0?): a column that was renamed "+
			"up to here can't be told from one that is new", "table", raw.String(), "pos", ch.Pos.String())
		k.breaks(ch.Pos.String())
		clear(c.made)
	}
	if k.Sum == nil {
		k.Sum, c.edited = &sum, true
	}
	if k.names == nil {
		k.names = map[string]bool{}
		for i := range raw.Columns {
			k.names[foldName(raw.Columns[i].Name)] = true
		}
	}
	made, err := c.identified(raw, k)
	if err != nil {
		return nil, err
	}
	c.made[raw] = made
	return made, nil
}

// emptied is the Table of a Truncate, which may be of a shape that comes later: the log has none for it. Behind it the target has no value, so
// what isn't proved does no harm.
func (c *columnIDs) emptied(raw *change.Table, sum uint64) (*change.Table, error) {
	t := tableName{raw.Schema, raw.Name}
	k := kin{Schema: t.schema, Name: t.name}
	if known := c.kins[t]; known != nil {
		k = *known
	}
	for _, r := range c.due {
		switch {
		case k.Sum != nil && *k.Sum == sum:
			return c.identified(raw, &k)
		case !r.names(t), r.verb == "ALTER" && !r.remade && !r.unclear && len(r.edits) == 0 && t == r.tables[0]:
			continue
		case k.Sum == nil || r.verb != "ALTER" || r.remade || r.unclear || t != r.tables[0] || k.alter(r.edits, r.id, c.flavor == MariaDB) != nil:
			return raw, nil
		}
	}
	if k.Sum != nil && *k.Sum != sum {
		return raw, nil
	}
	return c.identified(raw, &k)
}

func (c *columnIDs) identified(raw *change.Table, k *kin) (*change.Table, error) {
	t := *raw
	if t.Lineage = k.Since; t.Lineage == "" {
		t.Lineage = c.state.Since
	}
	t.Columns = slices.Clone(raw.Columns)
	for i := range t.Columns {
		t.Columns[i].ID = k.id(t.Lineage, t.Columns[i].Name)
	}
	fingerprint, err := change.Fingerprint(&t)
	if err != nil {
		return nil, err
	}
	if known := c.prints[fingerprint]; known != nil {
		return known, nil
	}
	c.prints[fingerprint] = &t
	return &t, nil
}

// sum is that of a Table's names.
func (c *columnIDs) sum(t *change.Table) uint64 {
	sum, ok := c.sums[t]
	if !ok {
		for i := range t.Columns {
			sum += nameSum(t.Columns[i].Name)
		}
		c.sums[t] = sum
	}
	return sum
}

// resume is a Resume with what is known of the columns at its place.
func (c *columnIDs) resume(raw change.Resume) (change.Resume, error) {
	raw = bareResume(raw)
	if raw == c.raw && !c.edited {
		return c.full, nil
	}
	if c.edited {
		c.state.Tables = nil
		for _, k := range c.kins {
			c.state.Tables = append(c.state.Tables, k)
		}
		text, err := c.state.encode()
		if err != nil {
			return raw, err
		}
		if len(text) > maxKin && !c.state.Off {
			c.logger.Warn("which column is which isn't kept of so many tables: a column that is renamed can't be told from one that is new", "n", len(c.kins))
			c.kins, c.state.Off = map[tableName]*kin{}, true
			return c.resume(raw)
		}
		c.text, c.edited = text, false
	}
	open, ok := strings.CutSuffix(string(raw), "}")
	if !ok {
		return raw, nil
	}
	c.raw, c.full = raw, change.Resume(open+columnsMember+c.text+`"}`)
	return c.full, nil
}

// columnsMember is in front of what is known of the columns, the last of a Resume.
const columnsMember = `,"columns":"`

func bareResume(r change.Resume) change.Resume {
	if i := strings.LastIndex(string(r), columnsMember); i >= 0 {
		return r[:i] + "}"
	}
	return r
}

// Read is connectors.Source's.
func (s *Source) Read(ctx context.Context, maxBytes int) (change.Batch, error) {
	b, err := s.runner.Read(ctx, maxBytes)
	if err == nil {
		err = s.columns.name(&b)
	}
	return b, err
}

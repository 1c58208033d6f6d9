package mysql

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Where binlog_row_metadata isn't FULL a TABLE_MAP has types, but no names, labels or keys. What a table's columns were is then kept from statement to
// statement, in the Resume, so it is of the very place at which the stream stands.

// past is what the history has of a table at the place where the stream stands.
type past struct {
	Schema, Name string
	Types        []myvalue.Type `json:",omitempty"`
	Keys         []pastKey      `json:",omitempty"`
	Since        uint64         `json:",omitempty"` // Commit of the group with which it is known to begin; 0: it was so when the pipeline began
	Log          string         `json:",omitempty"` // whose log Since is of
	Open         []string       `json:",omitempty"` // names of columns whose types the next TABLE_MAP says

	unknown string // why it isn't known; such a past is not kept
}

type pastKey struct {
	Name    string
	Columns []string
}

func (p *past) described() described {
	d := described{types: p.Types}
	for _, k := range p.Keys {
		d.keys = append(d.keys, uniqueKey{name: k.Name, columns: k.Columns})
	}
	return d
}

func pastOf(t tableName, d described) *past {
	p := &past{Schema: t.schema, Name: t.name, Types: d.types}
	for _, k := range d.keys {
		p.Keys = append(p.Keys, pastKey{Name: k.name, Columns: k.columns})
	}
	return p
}

// pasts are the histories of all captured tables. The goroutine of the stream owns them once it runs.
type pasts map[tableName]*past

// maxPast bounds them as the Resume holds them, some thousands of tables.
const maxPast = 1 << 20

var (
	errPastSize = errors.New("the columns of all captured tables are too much to keep beside the place in the log: " + fixMetadata)
	errPastText = errors.New("the history of the tables' shapes can't be read")
)

// encode writes them as text: JSON, compressed, in base64.
func (ps pasts) encode() (string, error) {
	if len(ps) == 0 {
		return "", nil
	}
	list := make([]*past, 0, len(ps))
	for _, p := range ps {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *past) int { return strings.Compare(a.Schema+"\x00"+a.Name, b.Schema+"\x00"+b.Name) })
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	w, err := flate.NewWriter(text, flate.BestCompression)
	if err == nil {
		err = errors.Join(json.NewEncoder(w).Encode(list), w.Close(), text.Close())
	}
	if err != nil {
		return "", fmt.Errorf("write the history of shapes: %w: %w", err, change.ErrHalt)
	}
	if b.Len() > maxPast {
		return "", fmt.Errorf("%d bytes for %d tables, limit %d: %w: %w", b.Len(), len(ps), maxPast, errPastSize, change.ErrHalt)
	}
	return b.String(), nil
}

// decodePasts is the inverse of encode.
func decodePasts(text string) (pasts, error) {
	ps := pasts{}
	if text == "" {
		return ps, nil
	}
	var list []*past
	const most = 1 << 30 // of what encode has compressed to maxPast
	r := io.LimitReader(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text))), most)
	if err := json.NewDecoder(r).Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", errPastText, err, change.ErrGap)
	}
	for _, p := range list {
		if p == nil {
			return nil, fmt.Errorf("%w: %w", errPastText, change.ErrGap)
		}
		ps[tableName{p.Schema, p.Name}] = p
	}
	return ps, nil
}

const fixMetadata = "SET PERSIST binlog_row_metadata = FULL (MariaDB: SET GLOBAL, and in the option file), then begin anew as docs/continuity.md says"

var (
	errPastUnknown = errors.New("the log describes its columns by position only, and what they were at that place isn't known: " + fixMetadata)
	errPastDiffer  = errors.New("the log describes its columns by position only, and not as the history of its statements has them (a change in a session with sql_log_bin = 0?): " + fixMetadata)
	errPastXA      = errors.New("its columns have changed since the XA transaction was prepared, and the log describes them by position only: " + fixMetadata)
)

// setPast takes what a table is from here on; nil: it is gone.
func (a *assembler) setPast(t tableName, p *past) error {
	delete(a.past, t)
	if p != nil && p.unknown == "" {
		a.past[t] = p
	}
	text, err := a.past.encode()
	a.at.past = text
	return err
}

// learn finds what a table is behind a place: what the catalogue says, if no statement behind the place changes the table.
//
// Invariant 6: never today's catalogue, unless it is shown to be that place's.
func (a *assembler) learn(ctx context.Context, t tableName, behind change.Position) (*past, error) {
	d, end, err := a.present(ctx, t)
	if err != nil && !errors.Is(err, errNoTable) && !errors.Is(err, change.ErrHalt) {
		return nil, err
	}
	h, scanErr := a.lookAhead(ctx, end)
	if scanErr != nil {
		return nil, scanErr
	}
	p := pastOf(t, d)
	p.Since, p.Log = commitOf(a.file, a.group.offset), a.id.String()
	later, changed := h.statement(t, behind)
	switch {
	case changed:
		p.Types, p.Keys = nil, nil
		p.unknown = fmt.Sprintf("when the catalogue could be asked, %q at %s had changed it again", later.sql, placeText(a.base, later.first))
	case err != nil:
		p.Types, p.Keys, p.unknown = nil, nil, err.Error()
	}
	return p, nil
}

// placeText writes a place of the log.
func placeText(base string, at change.Position) string {
	return fmt.Sprintf("%s.%06d:%d", base, at.Commit>>offsetBits, at.Commit&(1<<offsetBits-1)+at.Seq)
}

// turn takes a statement that has changed tables. Where the catalogue is of later, what the statement says is done to what the tables were.
func (a *assembler) turn(ctx context.Context, q query, s statement, start uint64) error {
	if !a.positional {
		return nil
	}
	followed := a.follow(q, s)
	for _, t := range a.captured(s.tables) {
		p, err := a.learn(ctx, t, a.spot(start))
		if was := followed[t]; err == nil && p.unknown != "" && was != nil {
			was.Since, was.Log = p.Since, p.Log
			p = was
		}
		if err == nil {
			err = a.setPast(t, p)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t, err)
		}
	}
	return nil
}

// follow returns what a statement makes of the tables that it names, as far as that follows from what they were.
func (a *assembler) follow(q query, s statement) pasts {
	if s.renames {
		return a.past.renamed(s.tables, a.fold)
	}
	tables := a.captured(s.tables)
	if len(tables) != 1 || s.remade || a.past[tables[0]] == nil {
		return nil
	}
	e, err := readEdits(q)
	if err != nil {
		return nil
	}
	p, err := a.past[tables[0]].altered(e, a.flavor)
	if err != nil {
		return nil
	}
	return pasts{tables[0]: p}
}

// renamed returns them behind a RENAME TABLE of pairs, one after the other.
func (ps pasts) renamed(pairs []tableName, fold func(string) string) pasts {
	out := maps.Clone(ps)
	for i := 0; i+1 < len(pairs); i += 2 {
		from, to := tableName{fold(pairs[i].schema), fold(pairs[i].name)}, tableName{fold(pairs[i+1].schema), fold(pairs[i+1].name)}
		p := out[from]
		delete(out, from)
		delete(out, to)
		if p != nil {
			moved := *p
			moved.Schema, moved.Name = to.schema, to.name
			out[to] = &moved
		}
	}
	return out
}

// pastAt returns what a table is at the place where the stream stands.
func (a *assembler) pastAt(ctx context.Context, t tableName, behind change.Position) (*past, error) {
	p := a.past[t]
	if p == nil {
		now, err := a.learn(ctx, t, behind)
		if err != nil {
			return nil, err
		}
		if now.unknown != "" {
			return nil, fmt.Errorf("%s: %w: %w", now.unknown, errPastUnknown, change.ErrHalt)
		}
		a.positional = true
		if err := a.setPast(t, now); err != nil {
			return nil, err
		}
		p = now
	}
	if x := a.group.prepared; x != nil && p.Since != 0 && (x.server != a.id.Server || p.Log != a.id.String() || p.Since > commitOf(x.file, x.offset)) {
		return nil, fmt.Errorf("%w: %w", errPastXA, change.ErrHalt)
	}
	return p, nil
}

// shapeOf returns the shape for the TABLE_MAP of a frame of the group.
func (a *assembler) shapeOf(ctx context.Context, f frame) (*shape, error) {
	s, err := a.shapes.fromLog(ctx, f.body)
	if !errors.Is(err, rowimage.ErrNoNames) {
		return s, err
	}
	t, err := mapName(f.body)
	if err != nil {
		return nil, err
	}
	p, err := a.pastAt(ctx, t, a.spot(a.group.offset+f.offset))
	if err == nil && len(p.Open) > 0 {
		if p, err = p.closed(f.body, a.flavor); err == nil {
			err = a.setPast(t, p)
		}
	}
	if err == nil {
		s, err = a.shapes.fromPast(f.body, p)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t, err)
	}
	return s, nil
}

var errPastOpen = errors.New("an ALTER TABLE defines it, the catalogue is of later, and the log doesn't say all of its type: " + fixMetadata)

// closed returns the history with the types of open columns as a TABLE_MAP has them.
func (p *past) closed(body []byte, flavor string) (*past, error) {
	m, err := rowimage.ParseBareTableMap(body, flavor, p.Types)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPastDiffer, err)
	}
	out := *p
	out.Types, out.Open = slices.Clone(p.Types), nil
	for _, name := range p.Open {
		at := p.at(name)
		t := m.Types[at]
		t.Known = true
		switch t.Wire {
		case myvalue.Enum, myvalue.Set, myvalue.Timestamp, myvalue.Time, myvalue.Datetime:
			err = errPastOpen
		case myvalue.String, myvalue.Varchar, myvalue.Blob:
			if t.Collation == 0 {
				err = errPastOpen
			}
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w: %w", name, err, change.ErrHalt)
		}
		out.Types[at] = t
	}
	return &out, nil
}

// fromPast returns the shape for a TABLE_MAP that describes columns by position: the history's, if all that the TABLE_MAP has is the same.
func (s *shapes) fromPast(body []byte, p *past) (*shape, error) {
	m, err := rowimage.ParseBareTableMap(body, s.flavor, p.Types)
	var types []myvalue.Type
	if err == nil {
		types, err = myvalue.Agree(m.Types, p.Types)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPastDiffer, err)
	}
	made, err := s.ofDescribed(tableName{m.Schema, m.Name}, described{types: types, keys: p.described().keys})
	if err != nil {
		return nil, err
	}
	if made.plan, err = rowimage.NewPlan(types); err != nil {
		return nil, err
	}
	made.log = bytes.Clone(body[mapIDBytes:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions(tableName{m.Schema, m.Name}).last = made
	return made, nil
}

// forgetDatabase takes DROP DATABASE.
func (a *assembler) forgetDatabase(schema string) error {
	for t := range a.past {
		if t.schema != schema {
			continue
		}
		if err := a.setPast(t, nil); err != nil {
			return err
		}
	}
	return nil
}

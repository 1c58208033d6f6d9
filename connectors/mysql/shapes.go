package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// A statement that changes a table may be in the log a moment before the catalogue shows what it did.
const (
	visibleWait  = 500 * time.Millisecond
	visiblePause = 20 * time.Millisecond
)

// shapes keeps one *change.Table for each version of each table, for the stream and the snapshot alike.
type shapes struct {
	source  string
	flavor  string
	logger  *slog.Logger
	zero    ZeroDates
	catalog *catalog

	mu     sync.Mutex
	tables map[tableName]*versions
	marks  marks
}

// versions are the shapes of one table.
type versions struct {
	byPrint map[string]*change.Table
	last    *shape        // the last that the log showed
	stale   bool          // a statement has changed the table since
	told    *change.Table // what was found of the table otherwise, and
	known   *described    // of its columns, if no statement has changed it since

	standsFor string // of byPrint: the fingerprint of a shape for which another one stands that says more of rows that are there
}

// shape is how the rows behind a TABLE_MAP are read.
type shape struct {
	table *change.Table
	types []myvalue.Type // of the table's columns; what the log may leave out of a row is not among them
	all   []myvalue.Type // of every column that there is
	dates []int          // columns that the policy for zero dates is about
	plan  *rowimage.Plan
	log   []byte // the TABLE_MAP without the table's number
}

func newShapes(config *Config, c *catalog) *shapes {
	return &shapes{source: config.SourceID, flavor: config.Flavor, logger: config.Logger, zero: config.ZeroDates, catalog: c, tables: map[tableName]*versions{}}
}

// mapIDBytes are the number of the table in front of a TABLE_MAP.
const mapIDBytes = 6

func (s *shapes) versions(t tableName) *versions {
	v := s.tables[t]
	if v == nil {
		v = &versions{byPrint: map[string]*change.Table{}}
		s.tables[t] = v
	}
	return v
}

// touch notes that a statement has changed a table: what the catalogue adds is read again with its next rows.
func (s *shapes) touch(t tableName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.versions(t)
	v.stale, v.told, v.known = true, nil, nil
	delete(v.byPrint, v.standsFor) // what it says of rows that were there is said, and may be another column's from here on
}

// tell keeps what was found of a table that the log hasn't shown.
func (s *shapes) tell(t tableName, table *change.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions(t).told = table
}

// of returns the known tables of a database.
func (s *shapes) of(schema string) []tableName {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []tableName
	for t := range s.tables {
		if t.schema == schema {
			out = append(out, t)
		}
	}
	return out
}

// shown returns the Table that the log showed last, or that was told, if no statement has changed the table since; nil: none.
func (s *shapes) shown(name tableName) *change.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.tables[name]
	switch {
	case v == nil:
		return nil
	case v.last != nil && !v.stale:
		return v.last.table
	}
	return v.told
}

// fromLog returns the shape for a TABLE_MAP.
//
// Invariant 6: names, order, types and the primary key are the log's. The catalogue adds what the log doesn't carry, where its columns are
// still the log's.
func (s *shapes) fromLog(ctx context.Context, body []byte) (*shape, error) {
	t, err := mapName(body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	v := s.versions(t)
	last, stale := v.last, v.stale
	v.stale = false
	s.mu.Unlock()
	if last != nil && !stale && bytes.Equal(last.log, body[mapIDBytes:]) {
		return last, nil
	}
	m, err := rowimage.ParseTableMap(body, s.flavor)
	if err != nil {
		return nil, err
	}
	made, err := s.complete(ctx, m, last)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t, err)
	}
	made.log = bytes.Clone(body[mapIDBytes:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if made.table, err = s.intern(t, made.table); err != nil {
		return nil, err
	}
	v.last = made
	return made, nil
}

// complete adds to a TABLE_MAP what the catalogue says, or what was known of the table before where the catalogue is of another time.
func (s *shapes) complete(ctx context.Context, m *rowimage.TableMap, last *shape) (*shape, error) {
	d, types, err := s.agreed(ctx, m)
	fits := err == nil
	switch {
	case fits:
	case !errors.Is(err, myvalue.ErrDiffer) && !errors.Is(err, errNoTable):
		return nil, err
	default:
		types = myvalue.Adopt(m.Types, d.types) // what has not changed since
		if last != nil {
			if was, err := myvalue.Agree(m.Types, last.all); err == nil {
				types = was
			}
		}
		s.logger.Info("the table has changed since these rows were written", "table", m.String(), "err", err)
	}
	plan, err := rowimage.NewPlan(types)
	if err != nil {
		return nil, err
	}
	table := &change.Table{Source: s.source, Engine: s.flavor, Schema: m.Schema, Name: m.Name, Columns: columns(plan.Types())}
	search := keySearch{types: plan.Types(), keys: d.keys, fits: fits, last: last}
	if len(m.Key) > 0 {
		table.Key, err = plan.Key(m)
	} else {
		table.Key, err = search.find()
	}
	if err != nil {
		return nil, err
	}
	made := &shape{table: table, types: plan.Types(), all: types, plan: plan}
	s.zero.dated(made)
	return made, nil
}

func columns(types []myvalue.Type) []change.Column {
	out := make([]change.Column, len(types))
	for i := range types {
		out[i] = types[i].Column()
	}
	return out
}

// agreed reads the catalogue until it shows the log's shape, for visibleWait at most.
func (s *shapes) agreed(ctx context.Context, m *rowimage.TableMap) (described, []myvalue.Type, error) {
	end := time.Now().Add(visibleWait)
	for {
		var d described
		err := s.catalog.session(ctx, func(conn *session) (err error) {
			d, err = describe(ctx, conn, s.flavor, tableName{m.Schema, m.Name})
			return err
		})
		var types []myvalue.Type
		if err == nil {
			types, err = myvalue.Agree(m.Types, d.types)
		}
		if err == nil || !errors.Is(err, myvalue.ErrDiffer) || time.Now().After(end) {
			return d, types, err
		}
		pause(ctx, visiblePause)
	}
}

var errKeyGone = errors.New("the table has no primary key, and the catalogue, which is of another time than these rows, names a unique key " +
	"that they don't have: whether they had a key can't be told; begin anew as docs/continuity.md says")

// keySearch is what a table's key is looked for in.
type keySearch struct {
	types []myvalue.Type
	keys  []uniqueKey // the catalogue's
	fits  bool        // the catalogue is of the same shape
	last  *shape      // what the log showed before, or nil
}

// find finds the key of a table that has no primary key in the log: the catalogue's first unique key of whole NOT NULL columns.
func (k *keySearch) find() ([]int, error) {
	same := func(a, b myvalue.Type) bool { return a.Name == b.Name && a.Wire == b.Wire }
	if !k.fits && k.last != nil && slices.EqualFunc(k.types, k.last.types, same) {
		return k.last.table.Key, nil
	}
	for _, unique := range k.keys {
		if unique.name == primaryKey {
			continue // it came later: the log has none
		}
		key, ok := ordinals(k.types, unique.columns)
		if !ok && !k.fits {
			return nil, fmt.Errorf("%w: %w", errKeyGone, change.ErrHalt)
		}
		if ok {
			return key, nil
		}
	}
	return nil, nil
}

func ordinals(types []myvalue.Type, names []string) ([]int, bool) {
	key := make([]int, len(names))
	for i, name := range names {
		at := slices.IndexFunc(types, func(t myvalue.Type) bool { return t.Name == name })
		if at < 0 || types[at].Nullable {
			return nil, false
		}
		key[i] = at
	}
	return key, true
}

// intern returns the one pointer of t's version. The caller holds mu.
func (s *shapes) intern(name tableName, t *change.Table) (*change.Table, error) {
	fingerprint, err := change.Fingerprint(t)
	if err != nil {
		return nil, err
	}
	v := s.versions(name)
	if known := v.byPrint[fingerprint]; known != nil {
		return known, nil
	}
	v.byPrint[fingerprint] = t
	return t, nil
}

// stands makes told, which says more of rows that are there, the one pointer of the version that plain is, until a statement changes the table.
func (s *shapes) stands(name tableName, plain, told *change.Table) (*change.Table, error) {
	fingerprint, err := change.Fingerprint(plain)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.versions(name)
	v.byPrint[fingerprint], v.standsFor = told, fingerprint
	return told, nil
}

// fromCatalog returns the shape of a table as the catalogue has it now, over conn. Its Table is the stream's own pointer where the stream
// has that version. errNoTable: there is none.
func (s *shapes) fromCatalog(ctx context.Context, conn *session, name tableName) (*shape, error) {
	d, err := describe(ctx, conn, s.flavor, name)
	if err != nil {
		return nil, err
	}
	return s.ofDescribed(name, d)
}

// ofDescribed returns the shape of a table that is as the catalogue says, or said.
func (s *shapes) ofDescribed(name tableName, d described) (*shape, error) {
	types := myvalue.Visible(d.types)
	t := &change.Table{Source: s.source, Engine: s.flavor, Schema: name.schema, Name: name.name, Columns: columns(types)}
	for _, k := range d.keys {
		if key, ok := ordinals(types, k.columns); ok {
			t.Key = key
			break
		}
	}
	made := &shape{table: t, types: types, all: d.types}
	s.zero.dated(made)
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if made.table, err = s.intern(name, t); err != nil {
		return nil, err
	}
	return made, nil
}

// pause waits for d or the end of ctx, which the caller's next statement notices.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

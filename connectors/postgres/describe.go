package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// described is a shape of the log with what the catalogue adds to it.
type described struct {
	columns []change.Column
	gone    bool // the catalogue doesn't have the table
	primary []string
	replica []string
	fits    bool     // every column is in the catalogue as it is in the log, and no other stands between
	unknown []string // columns that the catalogue doesn't have like that
	made    []string // by column: the transaction that made or altered it; empty: not known
	files   []string // relation's
}

// describe reads what the catalogue adds to a shape. A table that is gone adds nothing but the types.
func describe(ctx context.Context, tx pgx.Tx, shape *pgoutput.Shape) (described, error) {
	r, err := readRelation(ctx, tx, shape.OID)
	gone := errors.Is(err, errNoTable)
	if gone {
		r, err = &relation{oid: shape.OID}, nil
	}
	if err != nil {
		return described{}, err
	}
	oids, mods := make([]uint32, len(shape.Columns)), make([]int32, len(shape.Columns))
	for i, c := range shape.Columns {
		oids[i], mods[i] = c.Type, c.Mod
	}
	types, err := readTypes(ctx, tx, oids, mods)
	if err != nil {
		return described{}, err
	}
	d := described{gone: gone, columns: make([]change.Column, len(shape.Columns)), made: make([]string, len(shape.Columns)), files: r.files, primary: r.primary, replica: r.replica,
		fits: r.schema == shape.Namespace && r.name == shape.Name && r.identity == shape.Identity}
	place := -1
	for i, c := range shape.Columns {
		t := types[i]
		at := r.find(shape, i)
		if at < 0 {
			d.fits = false
			d.unknown = append(d.unknown, c.Name)
			d.columns[i] = pgvalue.Column(t.Type)
			d.columns[i].Name, d.columns[i].Nullable = c.Name, true
			continue
		}
		a := &r.attributes[at]
		d.fits = d.fits && at > place && a.name == c.Name
		place = at
		t.Nondeterministic, d.made[i] = a.nondeterministic, a.made
		d.columns[i] = pgvalue.Column(t.Type)
		d.columns[i].Name, d.columns[i].Nullable, d.columns[i].Generated = c.Name, a.nullable && !t.notNull, a.generated
		if a.name == c.Name || !r.dropped { // as many columns as the log's and none ever dropped: a renamed one is proved by its place
			d.columns[i].ID = columnID(r.oid, a.number)
		}
		if d.columns[i].Missing, err = before(&d.columns[i], a); err != nil {
			return described{}, err
		}
		if a.name != c.Name {
			renamed(d.primary, a.name, c.Name)
			renamed(d.replica, a.name, c.Name)
		}
	}
	return d, nil
}

// before is the value of a column in rows that were there before it: the server keeps a constant DEFAULT of ADD COLUMN beside the column
// until the table is written anew.
func before(col *change.Column, a *attribute) (*string, error) {
	if a.missing == nil {
		return nil, nil
	}
	var row pgvalue.Row
	row.Begin(1)
	if err := row.Text(col, []byte(*a.missing)); err != nil {
		return nil, fmt.Errorf("read what rows from before column %s have in it: %w", col.Name, err)
	}
	text := string(change.AppendText(nil, col, row.Values()[0]))
	return &text, nil
}

// columnID tells a column from all others of the database, whatever its name. The server gives no number of a table's columns twice.
func columnID(oid uint32, number int16) uint64 { return uint64(oid)<<16 | uint64(number) }

// find returns the attribute that is column i of the shape: the one of its name and type, else the one in its place with its type and
// a name that the shape doesn't have, which is the same column renamed since.
func (r *relation) find(shape *pgoutput.Shape, i int) int {
	c := &shape.Columns[i]
	for at := range r.attributes {
		if a := &r.attributes[at]; a.name == c.Name && a.typ == c.Type && a.mod == c.Mod {
			return at
		}
	}
	if len(r.attributes) != len(shape.Columns) {
		return -1
	}
	a := &r.attributes[i]
	known := slices.ContainsFunc(shape.Columns, func(c pgoutput.Column) bool { return c.Name == a.name })
	if known || a.typ != c.Type || a.mod != c.Mod {
		return -1
	}
	return i
}

func renamed(names []string, from, to string) {
	if i := slices.Index(names, from); i >= 0 {
		names[i] = to
	}
}

// table makes the Table of a shape.
func (d *described) table(source string, shape *pgoutput.Shape) (*change.Table, error) {
	t := &change.Table{Source: source, Engine: engine, Schema: shape.Namespace, Name: shape.Name, Columns: d.columns}
	var err error
	t.Key, err = d.key(shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", t, err, change.ErrHalt)
	}
	return t, nil
}

var errKey = errors.New("the primary key has changed since, and under REPLICA IDENTITY FULL the log doesn't name the one of then")

// key returns the ordinals of the row identity, in its index's order.
//
// Invariant 6: DEFAULT, INDEX and FULL give the same keys. The primary key is the key wherever the log carries its columns with
// each delete; else the columns of the replica identity's index are.
func (d *described) key(shape *pgoutput.Shape) ([]int, error) {
	var flagged []int
	for i, c := range shape.Columns {
		if c.Key {
			flagged = append(flagged, i)
		}
	}
	primary, whole := ordinals(shape, d.primary)
	switch shape.Identity {
	case 'n':
		return nil, nil
	case 'f':
		if !whole {
			return nil, errKey
		}
		return primary, nil
	case 'i':
		if whole && len(primary) > 0 && subset(primary, flagged) {
			return primary, nil
		}
		if replica, ok := ordinals(shape, d.replica); ok && sameSet(replica, flagged) {
			return replica, nil
		}
		return flagged, nil
	}
	if whole && sameSet(primary, flagged) {
		return primary, nil
	}
	return flagged, nil
}

// ordinals returns where the named columns stand, and whether all of them are there.
func ordinals(shape *pgoutput.Shape, names []string) ([]int, bool) {
	var at []int
	for _, name := range names {
		i := slices.IndexFunc(shape.Columns, func(c pgoutput.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, false
		}
		at = append(at, i)
	}
	return at, true
}

func subset(a, b []int) bool {
	return !slices.ContainsFunc(a, func(n int) bool { return !slices.Contains(b, n) })
}

func sameSet(a, b []int) bool { return len(a) == len(b) && subset(a, b) }

// publishesGenerated is the first server version that can publish generated columns; the catalogue of some earlier ones lists them.
const publishesGenerated = 180000

// shape is what the log says of a table that is as r is, with the published columns: JSON, an array of names or null for all but the
// generated ones.
func (r *relation) shape(published string, generated bool) (*pgoutput.Shape, error) {
	var names []string
	if err := json.Unmarshal([]byte(published), &names); err != nil {
		return nil, fmt.Errorf("read the published columns: %w", err)
	}
	key := map[byte][]string{'d': r.primary, 'i': r.replica}[r.identity]
	s := &pgoutput.Shape{OID: r.oid, Namespace: r.schema, Name: r.name, Identity: r.identity}
	for _, a := range r.attributes {
		if a.generated && (names == nil || !generated) || names != nil && !slices.Contains(names, a.name) {
			continue
		}
		s.Columns = append(s.Columns, pgoutput.Column{
			Key: r.identity == 'f' || slices.Contains(key, a.name), Name: a.name, Type: a.typ, Mod: a.mod,
		})
	}
	return s, nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const engine = "postgres"

// visibleWait is how long a shape waits for the transaction that made it to become visible, and visiblePause the time between two
// looks. A synchronous standby that is away holds a commit back for as long as it is away.
const (
	visibleWait  = 5 * time.Second
	visiblePause = 20 * time.Millisecond
)

// shapes keeps one *change.Table for each version of each table, for the stream and the snapshot alike.
type shapes struct {
	source  string
	logger  *slog.Logger
	catalog *catalog

	mu       sync.Mutex
	tables   map[uint32]*versions
	rewrites rewrites
	keys     map[uint32][]string // by oid: each table's key when it was read, as snapshot.Keys has it
}

// versions are the shapes of one table, by its oid.
type versions struct {
	byPrint map[string]*change.Table
	last    *change.Table // the last that the stream or the catalogue showed
}

func newShapes(config *Config, c *catalog) *shapes {
	return &shapes{source: config.SourceID, logger: config.Logger, catalog: c, tables: map[uint32]*versions{}}
}

// errInvisible says that the transaction that made the shape is not visible yet; the stream begins again.
var errInvisible = errors.New("the transaction that changed the table is not visible yet")

// fromLog returns the Table for a shape as the log has it, in transaction xid.
//
// Invariant 6: what the log says decides names, order and types. The catalogue, read now and past the transaction, adds what the log
// doesn't carry, where its columns still fit; what it can't add is left open and named in the log.
func (s *shapes) fromLog(ctx context.Context, shape *pgoutput.Shape, xid uint32) (*change.Table, error) {
	var d described
	end := time.Now().Add(visibleWait)
	for {
		var open bool
		err := s.catalog.with(ctx, func(tx pgx.Tx) (err error) {
			if open, err = inProgress(ctx, tx, xid); err != nil || open {
				return err
			}
			d, err = describe(ctx, tx, shape)
			return err
		})
		if err == nil && open {
			if time.Now().After(end) {
				err = fmt.Errorf("transaction %d: %w", xid, errInvisible)
			} else {
				pause(ctx, visiblePause)
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("describe %s.%s: %w", shape.Namespace, shape.Name, err)
		}
		break
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewrites.mark(shape.OID, &d)
	s.recall(&d, shape)
	t, err := s.table(&d, shape)
	if !d.fits {
		if last := s.lastLike(&d, shape); last != nil && (err != nil || sameSet(last.Key, t.Key)) {
			return last, nil
		}
		if len(d.unknown) > 0 {
			s.logger.Warn("the table has changed since: whether some columns were nullable is not known",
				"table", shape.Namespace+"."+shape.Name, "columns", d.unknown)
		}
	}
	return s.intern(shape.OID, t, err)
}

// table makes d's Table. Where no rows are read (see rewrites) a table that was made anew isn't emptied at targets, so its columns say nothing of
// those of the table before.
func (s *shapes) table(d *described, shape *pgoutput.Shape) (*change.Table, error) {
	t, err := d.table(s.source, shape)
	if s.rewrites == nil && err == nil {
		t.Lineage = strconv.FormatUint(uint64(shape.OID), 10)
	}
	return t, err
}

// lastLike returns the last known Table if its columns are the shape's.
func (s *shapes) lastLike(d *described, shape *pgoutput.Shape) *change.Table {
	v := s.tables[shape.OID]
	if v == nil || v.last.Schema != shape.Namespace || v.last.Name != shape.Name || len(v.last.Columns) != len(d.columns) {
		return nil
	}
	for i := range d.columns {
		if was := &v.last.Columns[i]; was.Name != d.columns[i].Name || was.Native != d.columns[i].Native {
			return nil
		}
	}
	return v.last
}

// intern returns the one pointer of t's version. The caller holds mu.
func (s *shapes) intern(oid uint32, t *change.Table, err error) (*change.Table, error) {
	if err != nil {
		return nil, err
	}
	fingerprint, err := change.Fingerprint(t)
	if err != nil {
		return nil, err
	}
	v := s.tables[oid]
	if v == nil {
		v = &versions{byPrint: map[string]*change.Table{}}
		s.tables[oid] = v
	}
	if known := v.byPrint[fingerprint]; known != nil {
		t = known
	}
	v.byPrint[fingerprint], v.last = t, t
	return t, nil
}

// fromCatalog returns the Table of schema.name as the catalogue has it now, with the columns that the publication publishes, and
// the table's oid. It is the stream's own pointer where the stream has that version. errNoTable: there is none.
func (s *shapes) fromCatalog(ctx context.Context, publication, schema, name string) (*change.Table, uint32, error) {
	var shape *pgoutput.Shape
	var d described
	err := s.catalog.with(ctx, func(tx pgx.Tx) (err error) {
		if shape, err = publishedShape(ctx, tx, publication, schema, name); err != nil {
			return err
		}
		d, err = describe(ctx, tx, shape)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("describe %s.%s: %w", schema, name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewrites.mark(shape.OID, &d)
	t, err := s.table(&d, shape)
	t, err = s.intern(shape.OID, t, err)
	return t, shape.OID, err
}

// publishedShape is what the stream would say of a table now.
func publishedShape(ctx context.Context, tx pgx.Tx, publication, schema, name string) (*pgoutput.Shape, error) {
	const query = `select c.oid, coalesce(to_jsonb(p)->'attnames', 'null')::text, current_setting('server_version_num')::int
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
			left join pg_publication_tables p on p.pubname = $1 and p.schemaname = n.nspname and p.tablename = c.relname
		where n.nspname = $2 and c.relname = $3 and c.relkind in ('r', 'p')`
	var oid uint32
	var published string
	var version int
	err := tx.QueryRow(ctx, query, publication, schema, name).Scan(&oid, &published, &version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoTable
	}
	if err != nil {
		return nil, fmt.Errorf("read the published columns: %w", err)
	}
	r, err := readRelation(ctx, tx, oid)
	if err != nil {
		return nil, err
	}
	return r.shape(published, version >= publishesGenerated)
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

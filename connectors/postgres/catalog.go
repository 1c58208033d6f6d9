package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
)

// catalog asks the server's catalogue over a connection of its own, made anew when it breaks. Its methods may be called
// concurrently; they take turns.
type catalog struct {
	config *Config
	mu     sync.Mutex
	conn   *pgx.Conn
}

// with calls f in a read-only transaction that sees one state of the catalogue.
func (c *catalog) with(ctx context.Context, f func(tx pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return c.session(ctx, func(conn *pgx.Conn) error { return pgx.BeginTxFunc(ctx, conn, options, f) })
}

// session calls f with the connection. A connection that is found broken is replaced, and f called again, once: f must bear that.
func (c *catalog) session(ctx context.Context, f func(conn *pgx.Conn) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for retried := false; ; retried = true {
		if c.conn == nil || c.conn.IsClosed() {
			conn, err := c.config.connect(ctx)
			if err != nil {
				return err
			}
			c.conn = conn
		}
		err := f(c.conn)
		if err == nil || !c.conn.IsClosed() {
			return err
		}
		if retried || ctx.Err() != nil {
			return classify(err)
		}
	}
}

func (c *catalog) close(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.Close(ctx) // an error says that it is closed already
	}
}

// attribute is a column as the catalogue has it now.
type attribute struct {
	name             string
	number           int16
	typ              uint32
	mod              int32
	nullable         bool
	generated        bool
	nondeterministic bool
	made             string  // the transaction that made or altered it
	missing          *string // what rows have that were there before the column, as the server prints it
}

// relation is a table as the catalogue has it now.
type relation struct {
	oid        uint32
	schema     string
	name       string
	identity   byte
	dropped    bool // it once had a column that it has no longer
	attributes []attribute
	primary    []string // columns of the primary key, in its order; one that is deferrable tells no rows apart within a transaction
	replica    []string // columns of the replica identity index, in its order
	files      []string // as a Part's ID: the table's own, or those of its partitions
}

// errNoTable says that the catalogue doesn't have the table, or no longer.
var errNoTable = errors.New("no such table")

func readRelation(ctx context.Context, tx pgx.Tx, oid uint32) (*relation, error) {
	r := &relation{oid: oid}
	const class = `select n.nspname, c.relname, c.relreplident::text,
			exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attisdropped),
			case when c.relkind = 'p' then array(select l.oid || ':' || l.relfilenode from pg_partition_tree(c.oid) p join pg_class l on l.oid = p.relid where p.isleaf)
				else array[c.oid || ':' || c.relfilenode] end
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1`
	var identity string
	err := tx.QueryRow(ctx, class, oid).Scan(&r.schema, &r.name, &identity, &r.dropped, &r.files)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoTable
	}
	if err != nil {
		return nil, fmt.Errorf("read the table's entry: %w", err)
	}
	r.identity = identity[0]
	const columns = `select a.attname, a.attnum, a.atttypid, a.atttypmod, not a.attnotnull, a.attgenerated <> '',
			coalesce(not c.collisdeterministic, false), a.xmin::text, case when a.atthasmissing then (a.attmissingval::text::text[])[1] end
		from pg_attribute a left join pg_collation c on c.oid = a.attcollation
		where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`
	rows, err := tx.Query(ctx, columns, oid)
	if err != nil {
		return nil, fmt.Errorf("read the table's columns: %w", err)
	}
	r.attributes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a attribute, err error) {
		err = row.Scan(&a.name, &a.number, &a.typ, &a.mod, &a.nullable, &a.generated, &a.nondeterministic, &a.made, &a.missing)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the table's columns: %w", err)
	}
	return r, r.readKeys(ctx, tx)
}

func (r *relation) readKeys(ctx context.Context, tx pgx.Tx) error {
	const keys = `select i.indisprimary, i.indisreplident, array_agg(a.attname::text order by k.place)
		from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k (number, place)
			join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
		where i.indrelid = $1 and k.place <= i.indnkeyatts and (i.indisprimary and i.indimmediate or i.indisreplident)
		group by i.indexrelid, i.indisprimary, i.indisreplident`
	rows, err := tx.Query(ctx, keys, r.oid)
	if err != nil {
		return fmt.Errorf("read the table's keys: %w", err)
	}
	var primary, replica bool
	var names []string
	_, err = pgx.ForEachRow(rows, []any{&primary, &replica, &names}, func() error {
		if primary {
			r.primary = append([]string(nil), names...)
		}
		if replica {
			r.replica = append([]string(nil), names...)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the table's keys: %w", err)
	}
	return nil
}

// typeOf is a column's type and whether a domain on the way to it refuses NULL.
type typeOf struct {
	pgvalue.Type
	notNull bool
}

// readTypes describes the types of columns, domains by the type below them. A type that is gone is named by its number.
func readTypes(ctx context.Context, tx pgx.Tx, oids []uint32, mods []int32) ([]typeOf, error) {
	const query = `with recursive base (n, typ, mod, not_null) as (
			select u.n, u.typ, u.mod, false from unnest($1::oid[], $2::int4[]) with ordinality u (typ, mod, n)
			union all
			select b.n, t.typbasetype, t.typtypmod, b.not_null or t.typnotnull
			from base b join pg_type t on t.oid = b.typ where t.typtype = 'd')
		select b.n, b.typ, b.mod, format_type(b.typ, b.mod), t.typname = 'citext' and t.typcategory = 'S', b.not_null,
			(select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = b.typ)
		from base b join pg_type t on t.oid = b.typ where t.typtype <> 'd'`
	types := make([]typeOf, len(oids))
	for i := range types {
		types[i].Type = pgvalue.Type{OID: oids[i], Mod: mods[i], Name: fmt.Sprintf("type %d", oids[i])}
	}
	rows, err := tx.Query(ctx, query, oids, mods)
	if err != nil {
		return nil, fmt.Errorf("read types: %w", err)
	}
	var n int
	var t typeOf
	_, err = pgx.ForEachRow(rows, []any{&n, &t.OID, &t.Mod, &t.Name, &t.Citext, &t.notNull, &t.Labels}, func() error {
		types[n-1] = t
		t.Labels = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read types: %w", err)
	}
	return types, nil
}

// inProgress says that the catalogue doesn't show the transaction's work yet: it is in the log, but not visible.
func inProgress(ctx context.Context, tx pgx.Tx, xid uint32) (bool, error) {
	const query = `select exists (select from pg_snapshot_xip(s) x where x::text::numeric % 4294967296 = $1::int8)
			or ($1::int8 - pg_snapshot_xmax(s)::text::numeric % 4294967296 + 8589934592) % 4294967296 < 2147483648
		from pg_current_snapshot() s`
	var open bool
	if err := tx.QueryRow(ctx, query, int64(xid)).Scan(&open); err != nil {
		return false, fmt.Errorf("ask for transaction %d: %w", xid, err)
	}
	return open, nil
}

// textByOID returns the rows of a query for an oid and a text.
func textByOID(ctx context.Context, q querier, query string, args ...any) (map[uint32]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	texts := map[uint32]string{}
	var oid uint32
	var text string
	_, err = pgx.ForEachRow(rows, []any{&oid, &text}, func() error {
		texts[oid] = text
		return nil
	})
	return texts, err
}

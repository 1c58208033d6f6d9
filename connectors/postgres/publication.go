package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// tableName is a table of the source.
type tableName struct{ schema, name string }

func (t tableName) String() string { return t.schema + "." + t.name }

func (t tableName) quoted() string { return quoteTable(t.schema, t.name) }

// candidate is a table that may be captured, or what has a name as one.
type candidate struct {
	tableName
	kind        string // pg_class.relkind
	oid         uint32
	partitioned bool
	root        string // of the partitioned table that it is a part of; empty: none
	unlogged    bool
	published   bool
}

func readCandidates(ctx context.Context, tx querier, publication string) ([]candidate, error) {
	const query = `select n.nspname::text, c.relname::text, c.oid, c.relkind::text, c.relkind = 'p', c.relpersistence = 'u', p.pubname is not null,
			case when c.relispartition then pg_partition_root(c.oid)::regclass::text else '' end
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
			left join pg_publication_tables p on p.pubname = $1 and p.schemaname = n.nspname and p.tablename = c.relname
		where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relpersistence <> 't' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
		order by 1, 2`
	rows, err := tx.Query(ctx, query, publication)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidate, err error) {
		err = row.Scan(&c.schema, &c.name, &c.oid, &c.kind, &c.partitioned, &c.unlogged, &c.published, &c.root)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	return list, nil
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// selected returns the tables to capture: the partitioned table stands for its parts, and what isn't logged can't be.
func (s selection) selected(list []candidate) []candidate {
	var tables []candidate
	for _, c := range list {
		if c.root == "" && !c.unlogged && elsewhere[c.kind] == "" && s.Has(c.schema, c.name) {
			tables = append(tables, c)
		}
	}
	return tables
}

var errTable = errors.New("the table can't be captured")

// elsewhere is, by pg_class.relkind, what isn't a table with rows in the log, and what to do.
var elsewhere = map[string]string{
	"v": "it is a view, whose rows are those of other tables; include the tables that it reads",
	"m": "it is a materialized view, whose rows the log doesn't carry; include the tables that it reads",
	"f": "it is a foreign table, whose rows are in another server's log; capture it there",
	"S": "it is a sequence, which has no rows in the log; take it out of include",
}

// missing returns an error for a table that the configuration names and that can't be captured.
func (s selection) missing(list []candidate) error {
	for _, p := range s.Include {
		if !p.Exact() || s.Excludes(p.Schema, p.Name) {
			continue
		}
		reason := "it doesn't exist"
		for _, c := range list {
			if c.schema != p.Schema || c.name != p.Name {
				continue
			}
			switch {
			case c.root != "":
				reason = "it is a part of " + c.root + "; include that"
			case elsewhere[c.kind] != "":
				reason = elsewhere[c.kind]
			case c.unlogged:
				reason = "it is unlogged; run ALTER TABLE " + c.quoted() + " SET LOGGED"
			default:
				reason = ""
			}
		}
		if reason != "" {
			return fmt.Errorf("table %s.%s: %s: %w: %w", p.Schema, p.Name, reason, errTable, change.ErrPreflight)
		}
	}
	return nil
}

var (
	errPublication = errors.New("the publication is missing")
	errPublishes   = errors.New("the publication leaves something out")
	errUnpublished = errors.New("the publication lacks a table")
)

// madeBy marks a publication of ours in its comment, so that Drop knows.
const madeBy = "made by tailwater"

// ensurePublication creates the publication or joins to it what it lacks, and says whether it created it.
func ensurePublication(ctx context.Context, conn *pgx.Conn, config *Config, tables []candidate) (created bool, err error) {
	exists, err := publishesAll(ctx, conn, config.Publication.Name)
	if err != nil {
		return false, err
	}
	if !exists {
		return true, createPublication(ctx, conn, config, tables)
	}
	for _, t := range tables {
		if !t.published {
			if err := joinTable(ctx, conn, config.Publication.Name, t.tableName); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// publishesAll refuses a publication that leaves changes of its tables out, and says whether there is one.
func publishesAll(ctx context.Context, conn *pgx.Conn, name string) (exists bool, err error) {
	const query = `select pubinsert and pubupdate and pubdelete and pubtruncate, pubviaroot from pg_publication where pubname = $1`
	var all, root bool
	err = conn.QueryRow(ctx, query, name).Scan(&all, &root)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read publication %s: %w", name, classify(err))
	}
	fix := ""
	if !all {
		fix = "publish = 'insert, update, delete, truncate'"
	} else if !root {
		fix = "publish_via_partition_root = true"
	}
	if fix != "" {
		return false, fmt.Errorf("publication %s: run ALTER PUBLICATION %s SET (%s): %w: %w", name, quote(name), fix, errPublishes, change.ErrPreflight)
	}
	return true, refuseFilters(ctx, conn, name)
}

// refuseFilters refuses row filters: an UPDATE that leaves the filter arrives as a DELETE, and a snapshot knows no filter.
func refuseFilters(ctx context.Context, conn *pgx.Conn, name string) error {
	const query = `select coalesce(string_agg(schemaname || '.' || tablename, ', '), '') from pg_publication_tables p
		where pubname = $1 and to_jsonb(p)->>'rowfilter' is not null`
	var filtered string
	if err := conn.QueryRow(ctx, query, name).Scan(&filtered); err != nil {
		return fmt.Errorf("read publication %s: %w", name, classify(err))
	}
	if filtered != "" {
		return fmt.Errorf("publication %s has a WHERE on %s; publish the whole table: %w: %w", name, filtered, errPublishes, change.ErrPreflight)
	}
	return nil
}

func createPublication(ctx context.Context, conn *pgx.Conn, config *Config, tables []candidate) error {
	name := config.Publication.Name
	statement := createStatement(name, tables)
	if !config.Publication.Create {
		return fmt.Errorf("publication %s: %w and publication.create is off; as the tables' owner run: %s: %w", name, errPublication, statement, change.ErrPreflight)
	}
	mark := "comment on publication " + quote(name) + " is " + quoteText(madeBy+" for "+config.SourceID)
	if _, err := conn.PgConn().Exec(ctx, "begin; "+statement+"; "+mark+"; commit").ReadAll(); err != nil {
		conn.PgConn().Exec(ctx, "rollback").ReadAll() // the error is told already
		return fmt.Errorf("create publication %s; as the tables' owner run: %s: %w", name, statement, refused(err))
	}
	config.Logger.Info("publication created", "publication", name, "n", len(tables))
	return nil
}

// createStatement names each table, so that none is published that was not selected.
func createStatement(name string, tables []candidate) string {
	var b strings.Builder
	b.WriteString("CREATE PUBLICATION " + quote(name))
	for i, t := range tables {
		if i == 0 {
			b.WriteString(" FOR TABLE ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(t.quoted())
	}
	b.WriteString(" WITH (publish_via_partition_root = true)")
	return b.String()
}

func joinTable(ctx context.Context, conn *pgx.Conn, publication string, t tableName) error {
	statement := "ALTER PUBLICATION " + quote(publication) + " ADD TABLE " + t.quoted()
	if _, err := conn.Exec(ctx, statement); err != nil && sqlState(err) != stateDuplicate {
		return fmt.Errorf("table %s: %w; as its owner run: %s: %w", t, errUnpublished, statement, refused(err))
	}
	return nil
}

// refused is classify for a statement that somebody else may have to run.
func refused(err error) error {
	if sqlState(err) == stateDenied {
		return fmt.Errorf("%w: %w", err, change.ErrPreflight)
	}
	return classify(err)
}

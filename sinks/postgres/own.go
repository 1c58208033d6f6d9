package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ownTables are the columns of each, in the order in which they are made.
var ownTables = []struct{ name, columns, index string }{
	{upsert.TableMarks, `  source text COLLATE "C" NOT NULL,
  sink text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  lane bigint NOT NULL,
  next bigint NOT NULL,
  pos text COLLATE "C" NOT NULL,
  updated timestamp with time zone NOT NULL DEFAULT now(),
  PRIMARY KEY (source, sink, stream, lane)`, ""},
	{upsert.TableParked, `  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text COLLATE "C" NOT NULL,
  sink text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  lane bigint NOT NULL,
  schema text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  pos text COLLATE "C" NOT NULL,
  code text NOT NULL,
  cause text NOT NULL,
  change text NOT NULL,
  parked_at timestamp with time zone NOT NULL DEFAULT now()`, "source, sink, stream, schema, name, key"},
	{upsert.TableShapes, `  source text COLLATE "C" NOT NULL,
  sink text COLLATE "C" NOT NULL,
  schema text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  shape text NOT NULL,
  pos text COLLATE "C" NOT NULL,
  seen timestamp with time zone NOT NULL DEFAULT now(),
  PRIMARY KEY (source, sink, schema, name, fingerprint)`, ""},
}

// ownSQL returns the statements that make one of our tables.
func ownSQL(schema, name, columns, index string) string {
	qualified := quoteIdent(schema) + "." + quoteIdent(name)
	sql := "CREATE TABLE IF NOT EXISTS " + qualified + " (\n" + columns + "\n);\n"
	if index != "" {
		sql += "CREATE INDEX IF NOT EXISTS " + quoteIdent(name+"_key") + " ON " + qualified + " (" + index + ");\n"
	}
	return sql
}

// own is one of our tables, quoted.
func (s *Sink) own(name string) string { return quoteIdent(s.config.Schema) + "." + quoteIdent(name) }

// makeOwn makes those of our tables that don't exist. A role without CREATE gets by where all do.
func (s *Sink) makeOwn(ctx context.Context, pg *pgconn.PgConn) error {
	rows, err := query(ctx, pg, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", s.config.Schema)
	if err != nil {
		return wrapped("look up schema "+s.config.Schema, err)
	}
	if len(rows) == 0 {
		return preflightError("schema %s doesn't exist: CREATE SCHEMA %s", s.config.Schema, quoteIdent(s.config.Schema))
	}
	if err := begin(ctx, pg); err != nil {
		return err
	}
	lock := "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))::text"
	if _, err := query(ctx, pg, lock, s.config.Schema+"."+upsert.OwnPrefix); err != nil {
		return wrapped("lock", err)
	}
	for _, t := range ownTables {
		rows, err := query(ctx, pg, tableSQL, s.config.Schema, t.name)
		if err != nil {
			return wrapped("look up "+t.name, err)
		}
		if len(rows) > 0 {
			continue
		}
		if err := pg.Exec(ctx, ownSQL(s.config.Schema, t.name, t.columns, t.index)).Close(); err != nil {
			return fmt.Errorf("%w; print what it needs with: tailwater grants", wrapped("make "+t.name, err))
		}
	}
	return wrapped("commit", pg.Exec(ctx, "COMMIT").Close())
}

// begin starts a transaction that sees what others have committed before each statement: after the wait for a mark's lock we must see
// what its last owner wrote.
func begin(ctx context.Context, pg *pgconn.PgConn) error {
	return wrapped("begin", pg.Exec(ctx, beginSQL).Close())
}

const beginSQL = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ownTables are the columns of each of our tables. The marks' key has three names of up to 255 characters, as long as an index takes.
var ownTables = []struct{ name, columns string }{
	{upsert.TableMarks, "  source varchar(255) NOT NULL,\n  sink varchar(255) NOT NULL,\n  stream varchar(255) NOT NULL,\n" +
		"  lane bigint NOT NULL,\n  next bigint NOT NULL,\n  pos varchar(42) NOT NULL,\n  updated datetime(6) NULL,\n" +
		"  PRIMARY KEY (source, sink, stream, lane)"},
	{upsert.TableParked, "  id bigint NOT NULL AUTO_INCREMENT,\n  source varchar(255) NOT NULL,\n  sink varchar(255) NOT NULL,\n" +
		"  stream varchar(255) NOT NULL,\n  lane bigint NOT NULL,\n  `schema` varchar(255) NOT NULL,\n  name varchar(255) NOT NULL,\n" +
		"  `key` varchar(64) NOT NULL,\n  pos varchar(42) NOT NULL,\n  code varchar(255) NOT NULL,\n  cause longtext NOT NULL,\n" +
		"  `change` longtext NOT NULL,\n  parked_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),\n" +
		"  PRIMARY KEY (id),\n  KEY by_key (`key`, stream)"},
	{upsert.TableShapes, "  source varchar(255) NOT NULL,\n  sink varchar(255) NOT NULL,\n  `schema` varchar(64) NOT NULL,\n  name varchar(64) NOT NULL,\n" +
		"  fingerprint varchar(32) NOT NULL,\n  shape longtext NOT NULL,\n  pos varchar(42) NOT NULL,\n  seen datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),\n" +
		"  PRIMARY KEY (source, sink, `schema`, name, fingerprint)"},
}

// ownSQL is the statement that makes one of our tables.
func ownSQL(database, name, columns string) string {
	return "CREATE TABLE IF NOT EXISTS " + qualified(database, name) + " (\n" + columns + "\n)" + tableOptions
}

// tableOptions end the definition of every table that we make. DYNAMIC lets an index have 3072 bytes. The collation that tells apart all texts,
// in their last blanks too, has a name of its own in each dialect, in a comment that only the one reads.
const tableOptions = " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */"

// own is one of our tables, quoted.
func (s *Sink) own(name string) string { return qualified(s.config.Schema, name) }

// makeOwn makes those of our tables that don't exist. An account without CREATE gets by where all do.
func (s *Sink) makeOwn(ctx context.Context, c *conn) error {
	rows, err := c.query(ctx, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+quoteLiteral(s.config.Schema))
	if err != nil {
		return wrapped("look up database "+s.config.Schema, err)
	}
	if len(rows) == 0 {
		return preflightError("database %s doesn't exist, or %s may do nothing in it: CREATE DATABASE %s, or see: tailwater grants", s.config.Schema,
			s.pool.user, quoteIdent(s.config.Schema))
	}
	unlock, err := s.lock(ctx, c, upsert.OwnPrefix)
	if err != nil {
		return err
	}
	defer unlock()
	have, err := s.ownThere(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range ownTables {
		if have[t.name] {
			continue
		}
		if _, err := c.exec(ctx, ownSQL(s.config.Schema, t.name, t.columns)); err != nil {
			return fmt.Errorf("%w; print what it needs with: tailwater grants", wrapped("make "+t.name, err))
		}
	}
	return nil
}

// ownThere says which of our tables are there.
func (s *Sink) ownThere(ctx context.Context, c *conn) (map[string]bool, error) {
	rows, err := c.query(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+quoteLiteral(s.config.Schema)+
		" AND TABLE_NAME IN ("+quoteLiteral(upsert.TableMarks)+", "+quoteLiteral(upsert.TableParked)+", "+quoteLiteral(upsert.TableShapes)+")")
	if err != nil {
		return nil, wrapped("look up our tables", err)
	}
	have := make(map[string]bool)
	for _, r := range rows {
		have[*r[0]] = true
	}
	return have, nil
}

// lockSeconds bounds the wait for a table that another session is making or altering.
const lockSeconds = "60"

// lock takes a lock of the session for what concerns one table. DDL ends a transaction, so no row's lock would do. unlock gives it back; a
// session that ends does so too.
func (s *Sink) lock(ctx context.Context, c *conn, table string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(s.config.Schema + "." + table))
	name := quoteLiteral("tailwater." + hex.EncodeToString(sum[:16]))
	rows, err := c.query(ctx, "SELECT GET_LOCK("+name+", "+lockSeconds+")")
	if err != nil {
		return nil, wrapped("lock "+table, err)
	}
	if len(rows) != 1 || rows[0][0] == nil || *rows[0][0] != "1" {
		return nil, fmt.Errorf("lock %s: another session has held it for %s s", table, lockSeconds)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
		defer cancel()
		if _, err := c.query(ctx, "SELECT RELEASE_LOCK("+name+")"); err != nil {
			c.broken = true
		}
	}, nil
}

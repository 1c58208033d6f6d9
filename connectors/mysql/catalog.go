package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// catalog is an ordinary session that answers questions about tables, made anew where it has ended. Any goroutine may use it.
type catalog struct {
	config *Config

	mu   sync.Mutex
	conn *session
}

// session calls f with the session; a second time with a new one where the old one turns out to have ended.
func (c *catalog) session(ctx context.Context, f func(s *session) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.conn != nil && !c.conn.closed
	for {
		if c.conn == nil || c.conn.closed {
			conn, err := c.config.connect(ctx)
			if err != nil {
				return err
			}
			c.conn = conn
		}
		err := f(c.conn)
		if !old || !c.conn.closed || ctx.Err() != nil {
			return err
		}
		old = false
	}
}

func (c *catalog) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.close()
}

// tableName is a table of the server.
type tableName struct{ schema, name string }

func (t tableName) String() string { return t.schema + "." + t.name }

// uniqueKey is a PRIMARY KEY or a UNIQUE key of whole columns that are NOT NULL.
type uniqueKey struct {
	name    string
	columns []string
	partly  bool // holds only the beginning of a column, or an expression, or may hold NULL
}

// described is what the catalogue says of a table.
type described struct {
	types []myvalue.Type // nil: not known
	keys  []uniqueKey    // the primary key first
}

var errNoTable = errors.New("there is no such table")

// describe reads a table's columns and keys.
func describe(ctx context.Context, s *session, flavor string, t tableName) (described, error) {
	var d described
	sql := myvalue.CatalogueQuery(flavor)
	for _, name := range []string{t.schema, t.name} {
		sql = strings.Replace(sql, "?", quoteText(name), 1)
	}
	rows, err := s.all(ctx, sql)
	if err != nil {
		return d, fmt.Errorf("read the columns of %s: %w", t, err)
	}
	if len(rows) == 0 {
		return d, visible(ctx, s, t)
	}
	if err := readable(ctx, s, t); err != nil {
		return d, err
	}
	fields := make([]myvalue.Field, len(rows))
	for i, row := range rows {
		if fields[i], err = parseField(row); err != nil {
			return d, fmt.Errorf("read the columns of %s: %w: %w", t, err, change.ErrHalt)
		}
	}
	if d.types, err = myvalue.FromCatalogue(flavor, fields); err != nil {
		return d, fmt.Errorf("%s: %w", t, err)
	}
	d.keys, err = readKeys(ctx, s, t)
	return d, err
}

func parseField(row []string) (myvalue.Field, error) {
	f := myvalue.Field{Name: row[0], DataType: row[1], ColumnType: row[2], Nullable: row[3] == "1", Generated: row[9] == "1", JSON: row[10] == "1",
		Versioned: row[11] == "1", Auto: row[12] == "1", Engine: row[13]}
	for i, into := range []*int64{&f.Octets, &f.Precision, &f.Scale, &f.Fraction, &f.Collation} {
		n, err := strconv.ParseInt(row[4+i], 10, 64)
		if err != nil {
			return f, fmt.Errorf("column %s: %w", f.Name, err)
		}
		*into = n
	}
	return f, nil
}

// readKeys reads a table's unique keys in the server's own order.
func readKeys(ctx context.Context, s *session, t tableName) ([]uniqueKey, error) {
	rows, err := s.all(ctx, "show index from "+quoteTable(t.schema, t.name))
	if errorCode(err) == codeNoSuchTable {
		err = fmt.Errorf("%w: %w", errNoTable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", t, err)
	}
	var keys []uniqueKey
	for _, row := range rows {
		nonUnique, name, column, part, null := row[1], row[2], row[4], row[7], row[9]
		if nonUnique != "0" {
			continue
		}
		if n := len(keys); n == 0 || keys[n-1].name != name {
			keys = append(keys, uniqueKey{name: name})
		}
		k := &keys[len(keys)-1]
		k.columns = append(k.columns, column)
		k.partly = k.partly || column == "" || null != "" || part != "" && name != primaryKey
	}
	slices.SortStableFunc(keys, func(a, b uniqueKey) int {
		return boolInt(b.name == primaryKey) - boolInt(a.name == primaryKey)
	})
	return slices.DeleteFunc(keys, func(k uniqueKey) bool { return k.partly }), nil
}

// primaryKey is what every primary key is called.
const primaryKey = "PRIMARY"

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listTables lists the tables of the server, without its own.
func listTables(ctx context.Context, s *session) ([]tableName, error) {
	rows, err := s.all(ctx, "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "+
		"and table_schema not in ('"+strings.Join(ownDatabases, "', '")+"') order by 1, 2")
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	names := make([]tableName, len(rows))
	for i, row := range rows {
		names[i] = tableName{row[0], row[1]}
	}
	return names, nil
}

// selected are the tables that are captured.
func (s selection) selected(list []tableName) []tableName {
	var out []tableName
	for _, t := range list {
		if s.Has(t.schema, t.name) {
			out = append(out, t)
		}
	}
	return out
}

package testenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	cleanupLimit   = 30 * time.Second // of what a cleanup does on a server, which may be frozen or gone by then
	statementLimit = 5 * time.Minute  // of one statement of a test
)

// PG is one database of a PostgreSQL server, seen by one test as its superuser. Its methods end the test on an error,
// so, as with t.Fatal, only the test's own goroutine calls them; Do is for the others. Calls are made one after the
// other over one connection, with TimeZone UTC and DateStyle ISO.
type PG struct {
	URL      string // of the database; no password
	Admin    string // of the server's database "postgres", for what concerns the whole server
	Database string // unique on the server, [a-z0-9_], at most 40 bytes: also a prefix for names of slots
	Major    int    // as the server itself says

	t    testing.TB
	psql []string // the client's command

	mu   sync.Mutex
	conn *pgx.Conn
}

// Postgres returns a fresh database on the shared server of TAILWATER_PG15 or TAILWATER_PG18. At cleanup its sessions
// and walsenders are ended, its slots dropped, and it is dropped itself. PG.Major may be above major where the machine
// has nothing older.
func Postgres(t testing.TB, major int) *PG {
	t.Helper()
	name := postgresName(t, major)
	admin := lookup(t, name, "TAILWATER_"+strings.ToUpper(name))
	pg := newPG(t, name, admin)
	pg.Database = databaseName(t)
	pg.URL = withDatabase(t, admin, pg.Database)
	if err := pg.create(t.Context(), major); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := bounded(t, cleanupLimit)
		defer cancel()
		pg.disconnect(ctx)
		if err := drop(ctx, admin, pg.Database); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return pg
}

// All runs f as the subtests pg15 and pg18, each with a fresh database.
func All(t *testing.T, f func(t *testing.T, pg *PG)) {
	t.Helper()
	for _, major := range []int{15, 18} {
		t.Run(postgresName(t, major), func(t *testing.T) { f(t, Postgres(t, major)) })
	}
}

func newPG(t testing.TB, name, admin string) *PG {
	t.Helper()
	client := []string{"psql"}
	if recipes := os.Getenv("TAILWATER_RECIPES"); recipes != "" {
		client = []string{filepath.Join(recipes, name), "tool", "psql"}
	}
	return &PG{URL: admin, Admin: admin, Database: "postgres", t: t, psql: client}
}

// create makes the database, after dropping those of test binaries that died on this machine.
func (p *PG) create(ctx context.Context, major int) error {
	admin, err := connect(ctx, p.Admin)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if p.Major, err = majorOf(ctx, admin); err != nil {
		return err
	}
	if p.Major < major {
		return fmt.Errorf("the server at %s is PostgreSQL %d, not %d", p.Admin, p.Major, major)
	}
	if err := dropOrphans(ctx, p.Admin, admin); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "create database "+pgx.Identifier{p.Database}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", p.Database, err)
	}
	return nil
}

func majorOf(ctx context.Context, conn *pgx.Conn) (int, error) {
	var number int
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int").Scan(&number); err != nil {
		return 0, fmt.Errorf("read the server's version: %w", err)
	}
	return number / 10000, nil
}

// drop takes a database away with everything that holds on to it.
func drop(ctx context.Context, adminURL, database string) error {
	admin, err := connect(ctx, adminURL)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if err := dropSlots(ctx, admin, database); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "drop database if exists "+pgx.Identifier{database}.Sanitize()+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", database, err)
	}
	return nil
}

// dropSlots drops the database's slots. A client that reconnects takes its slot again, and a slot stays active for a
// moment after its walsender's end, so it repeats until none is left or ctx ends.
func dropSlots(ctx context.Context, admin *pgx.Conn, database string) error {
	const forbid = `update pg_database set datallowconn = false where datname = $1`
	if _, err := admin.Exec(ctx, forbid, database); err != nil {
		return fmt.Errorf("close database %s: %w", database, err)
	}
	for {
		_, err := admin.Exec(ctx, `select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = $1`, database)
		if err != nil {
			return fmt.Errorf("end the sessions of %s: %w", database, err)
		}
		const each = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1 and not active`
		_, refused := admin.Exec(ctx, each, database)
		var left int
		if err := admin.QueryRow(ctx, `select count(*) from pg_replication_slots where database = $1`, database).Scan(&left); err != nil {
			return fmt.Errorf("count the slots of %s: %w", database, err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drop %d slots of %s: %w", left, database, refused)
		case <-time.After(waitLast):
		}
	}
}

func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", dsn, err)
	}
	config.ConnectTimeout = cleanupLimit
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["datestyle"] = "ISO"
	config.RuntimeParams["application_name"] = "testenv"
	// Nothing is remembered of a statement, since tests change tables between two equal ones.
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", dsn, err)
	}
	return conn, nil
}

// bounded is a context for the servers that cleanups may use too, when the test's own is cancelled already.
func bounded(t testing.TB, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.Context()), limit)
}

// with calls f with the open connection, made anew where the server or the test ended it.
func (p *PG) with(ctx context.Context, f func(conn *pgx.Conn) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil || p.conn.IsClosed() {
		conn, err := connect(ctx, p.URL)
		if err != nil {
			return err
		}
		p.conn = conn
	}
	return f(p.conn)
}

func (p *PG) disconnect(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn.Close(ctx) // an error says that the connection is gone already
		p.conn = nil
	}
}

// Do runs sql and returns the error; any goroutine may call it. Without args sql may hold several statements, which then
// are one transaction unless it says otherwise.
func (p *PG) Do(ctx context.Context, sql string, args ...any) error {
	return p.with(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// Exec runs sql as Do does and ends the test on an error.
func (p *PG) Exec(sql string, args ...any) {
	p.t.Helper()
	ctx, cancel := bounded(p.t, statementLimit)
	defer cancel()
	if err := p.Do(ctx, sql, args...); err != nil {
		p.t.Fatalf("%v\n%s", err, sql)
	}
}

// Connect opens a further connection, closed at cleanup, for what needs a session of its own.
func (p *PG) Connect() *pgx.Conn {
	p.t.Helper()
	conn, err := connect(p.t.Context(), p.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		ctx, cancel := bounded(p.t, waitMargin) // a frozen server would not take leave
		defer cancel()
		conn.Close(ctx)
	})
	return conn
}

// rows runs one statement by the simple protocol, which brings each value as the server's own text.
func (p *PG) rows(ctx context.Context, sql string) (columns []string, rows [][][]byte, err error) {
	err = p.with(ctx, func(conn *pgx.Conn) error {
		results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		if err != nil {
			return err
		}
		if len(results) != 1 {
			return fmt.Errorf("%d statements where one is meant", len(results))
		}
		columns, rows = columnNames(results[0].FieldDescriptions), results[0].Rows
		return nil
	})
	return columns, rows, err
}

func columnNames(fields []pgconn.FieldDescription) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Name
	}
	return names
}

func withDatabase(t testing.TB, dsn, database string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("parse %s: %v", dsn, err)
	}
	u.Path = "/" + database
	return u.String()
}

// random returns n random bytes in hex.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// mySQLs are the servers of MySQL's protocol, by their names in TAILWATER_REQUIRE and in testdata/servers.
var mySQLs = []string{"mysql97", "mariadb10", "mariadb118"}

// MySQLServers lists the servers of MySQL's protocol that a suite runs against: MySQL 9.7, MariaDB 10.11 and 11.8.
func MySQLServers() []string { return slices.Clone(mySQLs) }

// My is one database of a MySQL or MariaDB server, seen by one test as root. As with PG, its methods end the test on an error and
// are for the test's own goroutine; Do is for the others. Calls are made one after the other over one connection in UTC, so
// that BEGIN and SET hold for the next; no setting of a session is put back in between.
type My struct {
	Addr     string // host:port
	Database string // unique on the server, [a-z0-9_], at most 28 bytes
	DSN      string // for github.com/go-sql-driver/mysql: root, no password, this database
	Name     string // mysql97, mariadb10 or mariadb118
	Version  string // as the server itself says
	MariaDB  bool

	t      testing.TB
	client []string // the server's own client: its command

	mu    sync.Mutex
	db    *sql.DB // of one connection
	users int
}

// MySQL returns a fresh database on the shared server of that name (see MySQLServers). At cleanup the sessions in it and of
// its accounts are ended, and it is dropped with them. The binlog is every test's: look at your own database's events only.
func MySQL(t testing.TB, name string) *My {
	t.Helper()
	my := newMy(t, name, lookup(t, mySQLName(t, name), "TAILWATER_"+strings.ToUpper(name)))
	my.Database = databaseName(t)
	if err := my.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := bounded(t, cleanupLimit)
		defer cancel()
		my.disconnect()
		if err := my.inServer(ctx, func(admin *sql.Conn) error { return dropMySQL(ctx, admin, my.Database) }); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return my
}

// AllMySQL runs f as the subtests mysql97, mariadb10 and mariadb118, each with a fresh database.
func AllMySQL(t *testing.T, f func(t *testing.T, my *My)) {
	t.Helper()
	for _, name := range mySQLs {
		t.Run(name, func(t *testing.T) { f(t, MySQL(t, name)) })
	}
}

func mySQLName(t testing.TB, name string) string {
	t.Helper()
	if !slices.Contains(mySQLs, name) {
		t.Fatalf("testenv has %s, not %s", strings.Join(mySQLs, ", "), name)
	}
	return name
}

func newMy(t testing.TB, name, addr string) *My {
	t.Helper()
	my := &My{Addr: addr, Name: name, t: t, client: []string{"mysql"}}
	if recipes := os.Getenv("TAILWATER_RECIPES"); recipes != "" {
		my.client = []string{filepath.Join(recipes, name), "tool", "mysql"}
	}
	return my
}

// HostPort is Addr in parts, as a replication client wants it.
func (m *My) HostPort() (host string, port uint16) {
	m.t.Helper()
	host, digits, err := net.SplitHostPort(m.Addr)
	if err != nil {
		m.t.Fatal(err)
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		m.t.Fatal(err)
	}
	return host, uint16(number)
}

// create makes the database, after dropping those of test binaries that died on this machine.
func (m *My) create(ctx context.Context) error {
	return m.inServer(ctx, func(admin *sql.Conn) error {
		if err := m.identify(ctx, admin); err != nil {
			return err
		}
		if err := dropMySQLOrphans(ctx, admin); err != nil {
			return err
		}
		if _, err := admin.ExecContext(ctx, "create database "+m.Database); err != nil {
			return fmt.Errorf("create database %s: %w", m.Database, err)
		}
		m.DSN = m.As("root", "")
		return nil
	})
}

// identify reads what the server is and refuses the wrong kind.
func (m *My) identify(ctx context.Context, conn *sql.Conn) error {
	if err := conn.QueryRowContext(ctx, "select @@version").Scan(&m.Version); err != nil {
		return fmt.Errorf("read the version of %s: %w", m.Name, err)
	}
	m.MariaDB = strings.Contains(m.Version, "MariaDB")
	if m.MariaDB != strings.HasPrefix(m.Name, "mariadb") {
		return fmt.Errorf("the server at %s is %s, not %s", m.Addr, m.Version, m.Name)
	}
	return nil
}

// As is the DSN of another account in this database.
func (m *My) As(user, password string) string {
	config := m.config(m.Database)
	config.User, config.Passwd = user, password
	return config.FormatDSN()
}

func (m *My) config(database string) *mysql.Config {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr, config.DBName = "root", "tcp", m.Addr, database
	config.Timeout = cleanupLimit
	config.MultiStatements = true
	config.InterpolateParams = true // the text protocol, and no prepared statement that a later ALTER would outdate
	config.Params = map[string]string{"time_zone": "'+00:00'"}
	config.Logger = &mysql.NopLogger{} // an error is returned too
	return config
}

// open returns a pool of one connection.
func (m *My) open(database string) (*sql.DB, error) {
	connector, err := mysql.NewConnector(m.config(database))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", m.Name, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// inServer calls f with a connection of its own outside of every database.
func (m *My) inServer(ctx context.Context, f func(conn *sql.Conn) error) error {
	db, err := m.open("")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", m.Addr, err)
	}
	defer conn.Close()
	return f(conn)
}

// session is the pool of the one connection; it connects anew where the server or the test ended it.
func (m *My) session() (*sql.DB, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.db == nil {
		db, err := m.open(m.Database)
		if err != nil {
			return nil, err
		}
		m.db = db
	}
	return m.db, nil
}

func (m *My) disconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.db != nil {
		m.db.Close() // an error says that the connection is gone already
		m.db = nil
	}
}

// Do runs sql and returns the error; any goroutine may call it. sql may hold several statements, with args too.
func (m *My) Do(ctx context.Context, sql string, args ...any) error {
	db, err := m.session()
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, sql, args...)
	return err
}

// Exec runs sql as Do does and ends the test on an error.
func (m *My) Exec(sql string, args ...any) {
	m.t.Helper()
	ctx, cancel := bounded(m.t, statementLimit)
	defer cancel()
	if err := m.Do(ctx, sql, args...); err != nil {
		m.t.Fatalf("%v\n%s", err, sql)
	}
}

// Connect opens a further connection, closed at cleanup, for what needs a session of its own.
func (m *My) Connect() *sql.Conn {
	m.t.Helper()
	db, err := m.open(m.Database)
	if err != nil {
		m.t.Fatal(err)
	}
	conn, err := db.Conn(m.t.Context())
	if err != nil {
		db.Close()
		m.t.Fatalf("connect to %s: %v", m.Addr, err)
	}
	m.t.Cleanup(func() {
		conn.Close() // says no farewell, so a frozen server doesn't hold it up
		db.Close()
	})
	return conn
}

// User makes an account that may do only what the grants say ("select on shop.*", "replication slave on *.*"; "" is this
// database's name where ON is left out) and returns its name and password. It goes with the database.
func (m *My) User(grants ...string) (user, password string) {
	m.t.Helper()
	m.mu.Lock()
	m.users++
	user, password = fmt.Sprintf("%s_%d", m.Database, m.users), random(12)
	m.mu.Unlock()
	m.Exec(fmt.Sprintf("create user '%s'@'%%' identified by '%s'", user, password))
	for _, grant := range grants {
		if !strings.Contains(strings.ToLower(grant), " on ") {
			grant += " on " + m.Database + ".*"
		}
		m.Exec(fmt.Sprintf("grant %s to '%s'@'%%'", grant, user))
	}
	return user, password
}

// rows runs one statement by the text protocol, which brings each value as the server's own text; but FLOAT and DOUBLE come as
// Go prints them, since the driver reads them as numbers, and MySQL shows six digits of a FLOAT: select f + 0e0 for all.
func (m *My) rows(ctx context.Context, query string) (columns []string, rows [][][]byte, err error) {
	columns, err = m.each(ctx, query, func(row []sql.RawBytes) {
		values := make([][]byte, len(row))
		for i, value := range row {
			values[i] = slices.Clone([]byte(value)) // nil stays nil
		}
		rows = append(rows, values)
	})
	return columns, rows, err
}

// each calls f with one row after the other, valid until it returns.
func (m *My) each(ctx context.Context, query string, f func(row []sql.RawBytes)) (columns []string, err error) {
	db, err := m.session()
	if err != nil {
		return nil, err
	}
	result, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	if columns, err = result.Columns(); err != nil {
		return nil, err
	}
	row, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for result.Next() {
		if err := result.Scan(into...); err != nil {
			return nil, err
		}
		f(row)
	}
	return columns, result.Err()
}

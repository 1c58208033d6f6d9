package postgres

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	connectTimeout = 10 * time.Second
	readBuffer     = 1 << 20 // one read of the socket brings many messages of a stream
)

// params are what a session writes its values by: the text that pgvalue reads.
func params(source string) map[string]string {
	return map[string]string{
		"application_name":   "tailwater " + source,
		"bytea_output":       "hex",
		"client_encoding":    "UTF8",
		"datestyle":          "ISO",
		"extra_float_digits": "3",
		"intervalstyle":      "iso_8601",
		"search_path":        `"$user", public`, // the server's default, whatever the role or the database has: by it types and tables are named
		"timezone":           "UTC",
	}
}

// connect opens an ordinary session, whose text results pgvalue reads. The caller closes it. Errors are classified.
func (c *Config) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("parse the source's url: %w: %w", err, change.ErrPreflight)
	}
	c.apply(&config.Config)
	// Nothing is remembered of a statement: tables change under our eyes.
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the source: %w", classify(err))
	}
	return conn, nil
}

// inbox is what a replication session reads through. One goroutine's.
type inbox struct {
	socket io.Reader
	reads  int           // of the socket
	buffer *bufio.Reader // what they brought
}

func newInbox(socket io.Reader) *inbox {
	in := &inbox{socket: socket}
	in.buffer = bufio.NewReaderSize(in, readBuffer)
	return in
}

// Read reads the socket.
func (in *inbox) Read(b []byte) (int, error) {
	in.reads++
	return in.socket.Read(b)
}

// connectReplication opens a session that speaks the replication protocol, and what it reads through.
func (c *Config) connectReplication(ctx context.Context) (*pgconn.PgConn, *inbox, error) {
	config, err := pgconn.ParseConfig(c.URL)
	if err != nil {
		return nil, nil, fmt.Errorf("parse the source's url: %w: %w", err, change.ErrPreflight)
	}
	c.apply(config)
	config.RuntimeParams["replication"] = "database"
	pace(config)
	var in *inbox
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		in = newInbox(r)
		return pgproto3.NewFrontend(in.buffer, w)
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the source for replication: %w", classify(err))
	}
	return conn, in, nil
}

func (c *Config) apply(config *pgconn.Config) {
	if c.Password != "" {
		config.Password = c.Password
	}
	if c.TLS != nil {
		config.TLSConfig = c.TLS.Clone()
		if config.TLSConfig.ServerName == "" {
			config.TLSConfig.ServerName = config.Host
		}
		for _, f := range config.Fallbacks {
			f.TLSConfig = config.TLSConfig
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range params(c.SourceID) {
		config.RuntimeParams[name] = value
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if err := anyTime(ctx, conn); err != nil {
			return err
		}
		return anyText(ctx, conn)
	}
}

// transactionTimeout is the first server version that has transaction_timeout. Earlier ones refuse a session that begins with it.
const transactionTimeout = 17

// anyTime lets a transaction take as long as it does, whatever the role or the database says: the copy of a table without a key is one, and would begin
// again for ever.
func anyTime(ctx context.Context, conn *pgconn.PgConn) error {
	version := conn.ParameterStatus("server_version")
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(version)
	}
	if major, err := strconv.Atoi(version[:end]); err != nil || major < transactionTimeout {
		return nil // what isn't PostgreSQL's own version is refused later, by its number
	}
	if _, err := conn.Exec(ctx, "set transaction_timeout to 0").ReadAll(); err != nil {
		return fmt.Errorf("let transactions take their time: %w", err)
	}
	return nil
}

// anyText has a SQL_ASCII database, which takes any bytes for text, send them as they are. Asked for UTF-8, it refuses the first text that isn't without a word on where that is;
// pgvalue's error names it.
func anyText(ctx context.Context, conn *pgconn.PgConn) error {
	if conn.ParameterStatus("server_encoding") != "SQL_ASCII" {
		return nil
	}
	if _, err := conn.Exec(ctx, "set client_encoding to 'SQL_ASCII'").ReadAll(); err != nil {
		return fmt.Errorf("take text as it is: %w", err)
	}
	return nil
}

package mysql

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Mode says what a target table holds.
type Mode string

// The modes.
const (
	Upsert     Mode = "upsert"      // the source's rows as they are now
	Append     Mode = "append"      // every change as a row of its own
	SoftDelete Mode = "soft_delete" // the source's rows, deleted ones kept and stamped in _tailwater_deleted_at
)

const (
	defaultConns = 4                // how many connections a sink opens at most if MaxConns is 0: one a lane that is being applied
	maxName      = 255              // characters of a source id, a sink's name and a stream: the marks' index holds three of them
	dialLimit    = 10 * time.Second // to connect
)

// Config is what a sink needs to know. It is copied at Open.
type Config struct {
	SourceID     string      // whose changes these are; marks are keyed by it
	SinkName     string      // the sink's name in the pipeline; marks are keyed by it
	URL          string      // mysql://user@host:port/database or mariadb://...; no parameters
	Password     string      // wins over the URL's, if not empty
	TLS          *tls.Config // nil: plain text
	Schema       string      // the database that tables are written to; it must exist. Empty: the URL's
	Mode         Mode        // empty: upsert
	CreateTables bool        // make missing tables, and columns that a table lacks when it is met first
	MaxConns     int         // connections at most, one a transaction that runs; 0: 4
	TrustKeys    bool        // foreign keys are the source's to check: the target neither checks them nor acts by them

	Policy         sinks.Policy               // what to do about changes of tables at the source
	OnSchemaChange func(c sinks.SchemaChange) // is told of each that was followed or ignored, from several goroutines; may be nil
}

// checked returns c with its defaults and the connection's settings.
func (c Config) checked() (Config, *driver.Config, error) {
	if c.Mode == "" {
		c.Mode = Upsert
	}
	if c.MaxConns == 0 {
		c.MaxConns = defaultConns
	}
	switch c.Mode {
	case Upsert, Append, SoftDelete:
	default:
		return c, nil, fmt.Errorf("sink %s: mode %q: want upsert, append or soft_delete: %w", c.SinkName, c.Mode, change.ErrPreflight)
	}
	if c.SourceID == "" || c.SinkName == "" || c.MaxConns < 1 || len(c.SourceID) > maxName || len(c.SinkName) > maxName {
		return c, nil, fmt.Errorf("sink %q of source %q with %d connections: names must be set and have %d bytes at most, and one connection at least: %w",
			c.SinkName, c.SourceID, c.MaxConns, maxName, change.ErrPreflight)
	}
	dc, err := c.driver()
	if err != nil {
		return c, nil, fmt.Errorf("sink %s: url: %w: %w", c.SinkName, err, change.ErrPreflight)
	}
	if c.Schema == "" {
		c.Schema = dc.DBName
	}
	if err := checkIdent(c.Schema); err != nil {
		return c, nil, fmt.Errorf("sink %s: schema: %w: %w", c.SinkName, err, change.ErrPreflight)
	}
	return c, dc, nil
}

// driver reads the URL. The driver's own parameters are not taken: the session is ours to settle.
func (c Config) driver() (*driver.Config, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return nil, fmt.Errorf("%q: want mysql:// or mariadb://", u.Scheme)
	}
	if u.RawQuery != "" {
		return nil, fmt.Errorf("parameters %q are not taken", u.RawQuery)
	}
	dc := driver.NewConfig()
	dc.User, dc.DBName, dc.Net, dc.Addr = u.User.Username(), strings.TrimPrefix(u.Path, "/"), "tcp", u.Host
	if u.Port() == "" {
		dc.Addr = u.Host + ":3306"
	}
	dc.Passwd, _ = u.User.Password()
	if c.Password != "" {
		dc.Passwd = c.Password
	}
	dc.TLS, dc.Timeout = c.TLS, dialLimit
	dc.MultiStatements = true // one round trip for the statements of a step; all of their values are our own literals
	dc.ClientFoundRows = true // an UPDATE counts the rows that it found: invariant 7
	dc.MaxAllowedPacket = 0   // as the server has it
	dc.Logger = new(driver.NopLogger)
	dc.ConnectionAttributes = "program_name:" + strings.NewReplacer(",", "_", ":", "_").Replace("tailwater."+c.SourceID+"."+c.SinkName)
	return dc, nil
}

// folding is the mode in the words of upsert.
func (m Mode) folding() upsert.Mode {
	switch m {
	case Append:
		return upsert.Append
	case SoftDelete:
		return upsert.SoftDelete
	}
	return upsert.Upsert
}

package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

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

// defaultConns is how many connections a sink opens at most if MaxConns is 0: one a lane that is being applied.
const defaultConns = 4

// Config is what a sink needs to know. It is copied at Open.
type Config struct {
	SourceID     string // whose changes these are; marks are keyed by it
	SinkName     string // the sink's name in the pipeline; marks are keyed by it
	URL          string // postgres:// URL or key=value string of the target database
	Password     string // wins over the URL's, if not empty
	Schema       string // the target's schema; it must exist. Empty: public
	Mode         Mode   // empty: upsert
	CreateTables bool   // make missing tables, and columns that a table lacks when it is met first
	MaxConns     int    // connections at most, one a transaction that runs; 0: 4
	TrustKeys    bool   // foreign keys are the source's to check: the target neither checks them nor acts by them

	Policy         sinks.Policy               // what to do about changes of tables at the source
	OnSchemaChange func(c sinks.SchemaChange) // is told of each that was followed or ignored, from several goroutines; may be nil
}

// checked returns c with its defaults and the connection's settings.
func (c Config) checked() (Config, *pgconn.Config, error) {
	if c.Schema == "" {
		c.Schema = "public"
	}
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
	if c.SourceID == "" || c.SinkName == "" || c.MaxConns < 1 {
		return c, nil, fmt.Errorf("sink %q of source %q with %d connections: names must be set, and one connection at least: %w",
			c.SinkName, c.SourceID, c.MaxConns, change.ErrPreflight)
	}
	if err := checkIdent(c.Schema); err != nil {
		return c, nil, fmt.Errorf("sink %s: schema: %w: %w", c.SinkName, err, change.ErrPreflight)
	}
	pc, err := pgconn.ParseConfig(c.URL)
	if err != nil {
		return c, nil, fmt.Errorf("sink %s: url: %w: %w", c.SinkName, err, change.ErrPreflight)
	}
	if c.Password != "" {
		pc.Password = c.Password
	}
	if pc.RuntimeParams["application_name"] == "" {
		pc.RuntimeParams["application_name"] = "tailwater." + c.SourceID + "." + c.SinkName
	}
	pc.RuntimeParams["client_encoding"] = "UTF8"
	return c, pc, nil
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

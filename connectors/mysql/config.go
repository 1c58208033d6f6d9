package mysql

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// SnapshotMode says which rows that stand in the tables already are handed over.
type SnapshotMode string

// The snapshot modes.
const (
	SnapshotInitial SnapshotMode = "initial" // all of them, beside the stream
	SnapshotNever   SnapshotMode = "never"   // none
	SnapshotOnly    SnapshotMode = "only"    // all of them, and the stream up to their end
)

// The flavors.
const (
	MySQL   = myvalue.MySQL
	MariaDB = myvalue.MariaDB
)

// Config is what a Source needs to know. The zero value of a field marked with a default means that default.
type Config struct {
	SourceID      string
	Flavor        string // MySQL or MariaDB
	Addr          string // host:port, or the path of a socket
	User          string
	Password      string
	TLS           *tls.Config  // nil: plain text
	Include       []string     // tables, "database.table"; each part is a path.Match pattern
	Exclude       []string     // wins over Include
	MaxRowBytes   int          // a larger row halts; default 32 MiB
	MemoryBytes   int          // bound of what waits to be read, and of a group that is kept in memory; default 64 MiB
	SnapshotBytes int          // bound of what a snapshot holds beside them, rows and keys; default 64 MiB
	SpoolDir      string       // where larger groups are kept until their end is seen; default: the system's folder for temporary files
	SnapshotMode  SnapshotMode // default initial
	ZeroDates     ZeroDates    // default lossless
	Logger        *slog.Logger // default: none

	chunkBytes int // of a snapshot's chunk; 0: the Runner's own. Tests want many
}

const (
	defaultMaxRowBytes = 32 << 20
	defaultMemoryBytes = 64 << 20
)

var (
	errSourceID = errors.New("source id is empty")
	errFlavor   = errors.New("flavor is mysql or mariadb")
	errAddr     = errors.New("address is host:port, or the path of a socket")
	errUser     = errors.New("user is empty")
	errInclude  = errors.New("no table is included")
	errMode     = errors.New("snapshot mode is initial, never or only")
	errZero     = errors.New("zero_dates is lossless, null or error")
)

// checked returns c with its defaults, or change.ErrPreflight.
func (c Config) checked() (Config, error) {
	if c.MaxRowBytes <= 0 {
		c.MaxRowBytes = defaultMaxRowBytes
	}
	if c.MemoryBytes <= 0 {
		c.MemoryBytes = defaultMemoryBytes
	}
	if c.SpoolDir == "" {
		c.SpoolDir = os.TempDir()
	}
	if c.SnapshotMode == "" {
		c.SnapshotMode = SnapshotInitial
	}
	if c.ZeroDates == "" {
		c.ZeroDates = ZeroLossless
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	switch {
	case c.SourceID == "":
		err = errSourceID
	case c.Flavor != MySQL && c.Flavor != MariaDB:
		err = errFlavor
	case !validAddr(c.Addr):
		err = errAddr
	case c.User == "":
		err = errUser
	case len(c.Include) == 0:
		err = errInclude
	case c.SnapshotMode != SnapshotInitial && c.SnapshotMode != SnapshotNever && c.SnapshotMode != SnapshotOnly:
		err = errMode
	case c.ZeroDates != ZeroLossless && c.ZeroDates != ZeroNull && c.ZeroDates != ZeroError:
		err = errZero
	}
	if err != nil {
		return c, fmt.Errorf("mysql source %q: %w: %w", c.SourceID, err, change.ErrPreflight)
	}
	if c.TLS != nil && c.TLS.ServerName == "" && !c.TLS.InsecureSkipVerify {
		host, _, _ := net.SplitHostPort(c.Addr) // a socket has none, and no TLS
		c.TLS = c.TLS.Clone()
		c.TLS.ServerName = host
	}
	return c, nil
}

func validAddr(addr string) bool {
	if len(addr) > 0 && addr[0] == '/' {
		return true
	}
	host, port, err := net.SplitHostPort(addr)
	return err == nil && host != "" && port != ""
}

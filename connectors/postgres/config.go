package postgres

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

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

// Object names a slot or a publication.
type Object struct {
	Name   string
	Create bool // make it where it is missing; false: missing is change.ErrPreflight
}

// Config is what a Source needs to know. The zero value of a field marked with a default means that default.
type Config struct {
	SourceID      string
	URL           string      // as libpq takes it, with the database
	Password      string      // wins over the URL's
	TLS           *tls.Config // wins over the URL's sslmode; nil: the URL decides
	Slot          Object
	Publication   Object
	Include       []string     // tables, "schema.table"; each part is a path.Match pattern
	Exclude       []string     // wins over Include
	MaxRowBytes   int          // a larger row halts; default 32 MiB
	MemoryBytes   int          // bound of the decoded changes that wait to be read; default 64 MiB
	SnapshotBytes int          // bound of what a snapshot holds beside them, rows and keys; default 64 MiB
	SnapshotMode  SnapshotMode // default initial
	Logger        *slog.Logger // default: none

	watchEvery time.Duration // how often the catalogue is looked at for tables that have appeared or have other parts
}

const (
	defaultMaxRowBytes   = 32 << 20
	defaultMemoryBytes   = 64 << 20
	defaultSnapshotBytes = 64 << 20
	defaultWatchEvery    = 10 * time.Second
)

var (
	errSourceID = errors.New("source id is empty")
	errSlotName = errors.New("a slot's name is 1 to 63 of a-z, 0-9 and _")
	errPubName  = errors.New("publication name is empty")
	errInclude  = errors.New("no table is included")
	errMode     = errors.New("snapshot mode is initial, never or only")

	slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
)

// checked returns c with its defaults, or change.ErrPreflight.
func (c Config) checked() (Config, error) {
	if c.MaxRowBytes <= 0 {
		c.MaxRowBytes = defaultMaxRowBytes
	}
	if c.MemoryBytes <= 0 {
		c.MemoryBytes = defaultMemoryBytes
	}
	if c.SnapshotBytes <= 0 {
		c.SnapshotBytes = defaultSnapshotBytes
	}
	if c.watchEvery <= 0 {
		c.watchEvery = defaultWatchEvery
	}
	if c.SnapshotMode == "" {
		c.SnapshotMode = SnapshotInitial
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	switch {
	case c.SourceID == "":
		err = errSourceID
	case !slotName.MatchString(c.Slot.Name): // it is spliced into replication commands, which know no quotes for it
		err = errSlotName
	case c.Publication.Name == "":
		err = errPubName
	case len(c.Include) == 0:
		err = errInclude
	case c.SnapshotMode != SnapshotInitial && c.SnapshotMode != SnapshotNever && c.SnapshotMode != SnapshotOnly:
		err = errMode
	}
	if err != nil {
		return c, fmt.Errorf("postgres source %q: %w: %w", c.SourceID, err, change.ErrPreflight)
	}
	return c, nil
}

package snapshot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// ErrNoTable says that the server has no such table (any more).
var ErrNoTable = errors.New("no such table")

// Log is a connector's log. One goroutine calls both methods.
type Log interface {
	// Read is connectors.Source's Read, except that it returns early, perhaps with an empty Batch at the present Upto,
	// when wake delivers. Each change of one source transaction has the same Txn pointer, none has a nil one.
	Read(ctx context.Context, maxBytes int, wake <-chan struct{}) (change.Batch, error)
	// Nudge asks the server where its log stands, so that Upto moves on although nobody writes. It doesn't wait for the answer.
	Nudge()
}

// Reader reads tables on connections of its own. Select, Open and Horizon are called by one goroutine; Lookup by any.
type Reader interface {
	// Lookup returns what the server knows of table "schema.name"; ErrNoTable.
	Lookup(ctx context.Context, name string) (Info, error)
	// Select reads rows in one transaction; ErrNoTable.
	Select(ctx context.Context, s Select) (Chunk, error)
	// Open begins to read a whole table as it stood at an exact log address. It may wait for transactions that run; it gives
	// up with ctx. ErrNoTable.
	Open(ctx context.Context, name, where string) (Export, error)
	// Horizon names this moment: a later Visibility tells whether all transactions begun before it are over.
	Horizon(ctx context.Context) (string, error)
}

// Visibility is which transactions a SELECT saw. A Reader's later one sees all that an earlier one of the same Reader saw.
type Visibility interface {
	Sees(txn *change.Txn) bool
	// Settled says that all transactions which had begun at that Horizon are over, and seen if they were committed.
	Settled(horizon string) bool
}

// Info is a table as the server knows it.
type Info struct {
	Table       *change.Table
	Incarnation string                     // changes when the table is dropped and created again; an oid, say
	Revision    string                     // changes when rows that are there, under the keys that they have, got other values and the log has no row of it
	Since       func(revision string) Kept // of Lookup and Begun: what rows have kept since another Revision of this Incarnation; nil: KeptKeys
	Member      string                     // of Lookup and Begun: how its changes come into the log; another one when they may have been left out in between; empty: always do
	Parts       []Part                     // of Lookup only: what the table is made of, if its log doesn't tell when that changes; nil: it does
	Estimate    int64                      // rows, or -1
}

// Part is a part of a table, a partition, that can come with rows, lose them or go, and the log tells nothing of it.
type Part struct {
	ID    string // another one when the part has lost its rows
	Where string // SQL condition that its rows meet; empty: any may be its
	Empty bool   // it had no row when it was looked at, which was after it had become a part
}

// Select says what to read: the rows after a key, in key order, or the rows with some keys. Without a Name it asks for a watermark
// only.
type Select struct {
	Name     string   // schema.name
	Where    string   // SQL condition, or empty
	After    []string // Last of the chunk before; nil: from the first row
	Limit    int      // rows at most
	MaxBytes int      // memory at which to stop, after at least one row
	Keys     []string // not nil: the rows with exactly these keys, each as change.AppendKey writes it (ParseKey)
}

// Chunk is what a Select read. The Runner keeps its rows.
type Chunk struct {
	Info
	Rows [][]change.Value // whole rows of Table, in key order
	Last []string         // the last row's key as the Reader wants it back in After; text that is safe in JSON
	More bool             // rows may follow; false only at the end of the table
	Seen Visibility       // of the SELECT
	High change.Position  // the log's end as read after the SELECT: Upto reaches it once all before has been read
}

// Export is an open read of a whole table at one log address.
type Export struct {
	Info
	At   change.Position // the rows hold exactly the changes at or below it
	Rows Rows
}

// Rows hands over an Export's rows.
type Rows interface {
	// Next returns rows of about maxBytes memory, at least one; none at the end.
	Next(ctx context.Context, maxBytes int) ([][]change.Value, error)
	// Close ends the read and frees what it holds on the server. It may be called more than once.
	Close() error
}

// Config is what a Runner is made from.
type Config struct {
	Log    Log
	Reader Reader
	Logger *slog.Logger
	Tables []string               // whose changes the log brings, "schema.name", to be read in this order
	Never  bool                   // they are not to be read: New fails where one of them has missed changes
	Where  []string               // a condition for each of Tables, or nil
	Begun  []Info                 // what the server knew of each of Tables before the log began, without its Table; nil: nothing is known
	Saved  []byte                 // the progress saved with Resume, or nil
	Anew   bool                   // targets hold what an earlier life has brought: Tables are emptied there before their rows are read
	Gone   func(name string) bool // of a table that is not among Tables: it isn't there, and the log will tell of another one of that name; nil: never
	// Altered says that the log, read at least up to Upto, has a statement behind a place that changes which columns a table has; nil: only rows show that.
	Altered func(name string, behind change.Position) bool
	Upto    change.Position // where the log begins: what was handed over and acknowledged with Resume
	Resume  change.Resume

	MemoryBytes int           // what chunks and keys may hold together; 0: 64 MiB
	ChunkBytes  int           // memory of one chunk to aim at; 0: an eighth of MemoryBytes, for three are alive at most
	ChunkTime   time.Duration // duration of one SELECT to aim at; 0: 200 ms
	KeyBytes    int           // memory for keys: one half those of transactions in the window, the other those of rows to be read again; 0: half of MemoryBytes
	OpenTime    time.Duration // how long the stream may stand still while an Export opens; 0: 5 s
}

const (
	defaultMemoryBytes = 64 << 20
	chunkShare         = 8
	keyShare           = 2
	defaultChunkTime   = 200 * time.Millisecond
	defaultOpenTime    = 5 * time.Second
)

func (c *Config) fill() {
	if c.MemoryBytes == 0 {
		c.MemoryBytes = defaultMemoryBytes
	}
	if c.ChunkBytes == 0 {
		c.ChunkBytes = c.MemoryBytes / chunkShare
	}
	if c.ChunkTime == 0 {
		c.ChunkTime = defaultChunkTime
	}
	if c.KeyBytes == 0 {
		c.KeyBytes = c.MemoryBytes / keyShare
	}
	if c.OpenTime == 0 {
		c.OpenTime = defaultOpenTime
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Progress is how far one table has come; it has the fields of connectors.Progress.
type Progress struct {
	Table    string // schema.name
	Rows     int64  // handed over so far
	Estimate int64  // the server's estimate of all rows, or -1
	Started  time.Time
	Done     bool // and still the table that was read
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/checkpoint/file"
	"github.com/tailwater-cdc/tailwater/connectors"
	sourcemy "github.com/tailwater-cdc/tailwater/connectors/mysql"
	sourcepg "github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/sinks"
	sinkmy "github.com/tailwater-cdc/tailwater/sinks/mysql"
	sinkpg "github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// wiring is one pipeline's part of the configuration on its way to the rooms.
type wiring struct {
	pipeline *config.Pipeline
	memory   int    // bytes that the pipeline's queues may hold together
	dir      string // state_dir
	log      *slog.Logger
	observer pipeline.Observer
}

// met tells of changes of tables that a sink has followed or ignored.
func (w wiring) met(s *config.Sink) func(sinks.SchemaChange) {
	return func(c sinks.SchemaChange) {
		if w.observer.Schema != nil {
			w.observer.Schema(pipeline.Event{Pipeline: w.pipeline.Name, Sink: s.Name}, c)
		}
	}
}

// sourceEngine is what a connector offers.
type sourceEngine struct {
	open   func(w wiring) connectors.Open
	grants func(w wiring) (string, error)
	doctor func(ctx context.Context, w wiring) []preflight.Finding
	drop   func(ctx context.Context, w wiring) ([]string, error)
	// lag is how many bytes of log lie between two Positions; false where they don't tell.
	lag func(ctx context.Context, s connectors.Source, head, read change.Position) (int64, bool)
	// address is a Position as the server writes places in its log.
	address func(p change.Position) string
}

// sinkEngine is what a sink offers.
type sinkEngine struct {
	open   func(ctx context.Context, w wiring, s *config.Sink) (keptSink, error)
	grants func(w wiring, s *config.Sink) (string, error)
	doctor func(ctx context.Context, w wiring, s *config.Sink) []preflight.Finding
}

// keptSink is a sink that can say what it has parked, and forget a source.
type keptSink interface {
	sinks.MarkSink
	ListParked(ctx context.Context) ([]sinks.Parked, error)
	Drop(ctx context.Context) error
}

// sourceEngines are the connectors by the config's source.type.
func sourceEngines() map[string]sourceEngine {
	return map[string]sourceEngine{
		"postgres": {
			open:   func(w wiring) connectors.Open { return sourcepg.Open(postgresSource(w)) },
			grants: func(w wiring) (string, error) { return sourcepg.Grants(postgresSource(w)) },
			doctor: func(ctx context.Context, w wiring) []preflight.Finding {
				return sourcepg.Doctor(ctx, postgresSource(w))
			},
			drop: func(ctx context.Context, w wiring) ([]string, error) { return sourcepg.Drop(ctx, postgresSource(w)) },
			lag: func(_ context.Context, _ connectors.Source, head, read change.Position) (int64, bool) {
				return max(0, int64(head.Commit-read.Commit)), true
			},
			address: func(p change.Position) string { return fmt.Sprintf("%X/%X", p.Commit>>32, uint32(p.Commit)) },
		},
		sourcemy.MySQL:   mysqlEngine(),
		sourcemy.MariaDB: mysqlEngine(),
	}
}

// mysqlEngine is the connector of MySQL and MariaDB.
func mysqlEngine() sourceEngine {
	return sourceEngine{
		open: func(w wiring) connectors.Open {
			return func(ctx context.Context, start connectors.Start) (connectors.Opened, error) {
				c, err := mysqlSource(w)
				if err != nil {
					return connectors.Opened{}, err
				}
				return sourcemy.Open(c)(ctx, start)
			}
		},
		grants: func(w wiring) (string, error) {
			c, err := mysqlSource(w)
			if err != nil {
				return "", err
			}
			return sourcemy.Grants(c)
		},
		doctor: func(ctx context.Context, w wiring) []preflight.Finding {
			c, err := mysqlSource(w)
			if err != nil {
				return []preflight.Finding{badSettings("source", err)}
			}
			return sourcemy.Doctor(ctx, c)
		},
		drop: func(ctx context.Context, w wiring) ([]string, error) {
			c, err := mysqlSource(w)
			if err != nil {
				return nil, err
			}
			return sourcemy.Drop(ctx, c)
		},
		lag: func(ctx context.Context, s connectors.Source, head, read change.Position) (int64, bool) {
			source, ours := s.(*sourcemy.Source)
			if !ours {
				return 0, false
			}
			n, known, err := source.Lag(ctx, head, read)
			return n, known && err == nil // one that doesn't answer has no lag
		},
		address: sourcemy.Address,
	}
}

// badSettings is doctor's finding where the settings of one end can't even be read.
func badSettings(what string, err error) preflight.Finding {
	return preflight.Finding{Check: what + ".config", Severity: preflight.Error, Summary: err.Error(), Fix: "correct the settings of the " + what}
}

// sinkEngines are the sinks by the config's sinks[].type.
func sinkEngines() map[string]sinkEngine {
	return map[string]sinkEngine{
		"postgres": {
			open: func(ctx context.Context, w wiring, s *config.Sink) (keptSink, error) {
				return sinkpg.Open(ctx, postgresSink(w, s), w.log.With("sink", s.Name))
			},
			grants: func(w wiring, s *config.Sink) (string, error) { return sinkpg.Grants(postgresSink(w, s)) },
			doctor: func(ctx context.Context, w wiring, s *config.Sink) []preflight.Finding {
				return sinkpg.Doctor(ctx, postgresSink(w, s))
			},
		},
		sourcemy.MySQL:   mysqlTarget(),
		sourcemy.MariaDB: mysqlTarget(),
	}
}

// mysqlTarget is the sink of MySQL and MariaDB.
func mysqlTarget() sinkEngine {
	return sinkEngine{
		open: func(ctx context.Context, w wiring, s *config.Sink) (keptSink, error) {
			c, err := mysqlSink(w, s)
			if err != nil {
				return nil, err
			}
			return sinkmy.Open(ctx, c, w.log.With("sink", s.Name))
		},
		grants: func(w wiring, s *config.Sink) (string, error) {
			c, err := mysqlSink(w, s)
			if err != nil {
				return "", err
			}
			return sinkmy.Grants(c)
		},
		doctor: func(ctx context.Context, w wiring, s *config.Sink) []preflight.Finding {
			c, err := mysqlSink(w, s)
			if err != nil {
				return []preflight.Finding{badSettings("sink", err)}
			}
			return sinkmy.Doctor(ctx, c)
		},
	}
}

// openStore locks the state folder and opens the checkpoints in it.
func openStore(dir string) (checkpoint.Store, error) { return file.Open(dir) }

// A pipeline's memory goes to what a stream keeps of unacknowledged and of fetched batches, by a quarter each, and to a direct stream's
// one queue by half, of which transactions that have ended take two batches: one is applied, one waits. The source's queue only bridges the
// time of one Read: measured, an eighth carries as much as a half, in 90 MB less.
func sourceShare(w wiring) int { return w.memory / 8 }
func kafkaShare(w wiring) int  { return w.memory / 4 }
func directShare(w wiring) int { return w.memory / 2 }

func postgresSource(w wiring) sourcepg.Config {
	s := &w.pipeline.Source
	return sourcepg.Config{
		SourceID:      s.ID,
		URL:           postgresURL(s.URL, s.TLS),
		Password:      s.Password.Reveal(),
		Slot:          sourcepg.Object{Name: s.Slot.Name, Create: s.Slot.Create},
		Publication:   sourcepg.Object{Name: s.Publication.Name, Create: s.Publication.Create},
		Include:       s.Tables.Include,
		Exclude:       s.Tables.Exclude,
		MaxRowBytes:   int(s.MaxRowBytes),
		MemoryBytes:   sourceShare(w),
		SnapshotBytes: w.memory,
		SnapshotMode:  sourcepg.SnapshotMode(s.Snapshot.Mode),
		Logger:        w.log,
	}
}

func postgresSink(w wiring, s *config.Sink) sinkpg.Config {
	return sinkpg.Config{
		SourceID:     w.pipeline.Source.ID,
		SinkName:     s.Name,
		URL:          postgresURL(s.URL, s.TLS),
		Password:     s.Password.Reveal(),
		Schema:       s.Schema,
		Mode:         sinkpg.Mode(s.Mode),
		CreateTables: s.CreateTables,
		MaxConns:     lanesAtOnce(w),
		TrustKeys:    s.ForeignKeys == config.TrustKeys,

		Policy:         s.OnSchemaChange.Policy(),
		OnSchemaChange: w.met(s),
	}
}

func mysqlSource(w wiring) (sourcemy.Config, error) {
	s := &w.pipeline.Source
	secure, err := clientTLS(s.TLS)
	if err != nil {
		return sourcemy.Config{}, fmt.Errorf("source.tls: %w: %w", err, change.ErrPreflight)
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return sourcemy.Config{}, fmt.Errorf("source.url: %w: %w", err, change.ErrPreflight)
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":3306"
	}
	return sourcemy.Config{
		SourceID:      s.ID,
		Flavor:        s.Type,
		Addr:          addr,
		User:          u.User.Username(),
		Password:      s.Password.Reveal(),
		TLS:           secure,
		Include:       s.Tables.Include,
		Exclude:       s.Tables.Exclude,
		MaxRowBytes:   int(s.MaxRowBytes),
		MemoryBytes:   sourceShare(w),
		SnapshotBytes: w.memory,
		SpoolDir:      w.dir,
		SnapshotMode:  sourcemy.SnapshotMode(s.Snapshot.Mode),
		ZeroDates:     sourcemy.ZeroDates(s.ZeroDates),
		Logger:        w.log,
	}, nil
}

func mysqlSink(w wiring, s *config.Sink) (sinkmy.Config, error) {
	secure, err := clientTLS(s.TLS)
	if err != nil {
		return sinkmy.Config{}, fmt.Errorf("sink %s: tls: %w: %w", s.Name, err, change.ErrPreflight)
	}
	return sinkmy.Config{
		SourceID:     w.pipeline.Source.ID,
		SinkName:     s.Name,
		URL:          s.URL,
		Password:     s.Password.Reveal(),
		TLS:          secure,
		Mode:         sinkmy.Mode(s.Mode),
		CreateTables: s.CreateTables,
		MaxConns:     lanesAtOnce(w),
		TrustKeys:    s.ForeignKeys == config.TrustKeys,

		Policy:         s.OnSchemaChange.Policy(),
		OnSchemaChange: w.met(s),
	}, nil
}

// maxLanes is how many lanes a sink applies at once at most: each takes a connection of the target, and a core there.
const maxLanes = 8

// lanesAtOnce is how many lanes there are, as far as the config tells, up to maxLanes.
func lanesAtOnce(w wiring) int {
	s := &w.pipeline.Stream
	if s.Type == config.Direct {
		if s.Atomic {
			return 1
		}
		return min(maxLanes, s.Lanes)
	}
	tables := len(w.pipeline.Source.Tables.Include)
	if strings.ContainsAny(strings.Join(w.pipeline.Source.Tables.Include, ""), `*?[\`) {
		return maxLanes
	}
	return min(maxLanes, tables*s.Partitions)
}

// postgresURL puts the TLS settings back into a url, where the driver looks for them.
func postgresURL(address string, t config.TLS) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // the driver says what is wrong with it
	}
	q := u.Query()
	for name, value := range map[string]string{"sslmode": t.Mode, "sslrootcert": t.CA, "sslcert": t.Cert, "sslkey": t.Key} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

package crash

import (
	"context"
	"testing"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// engine is a database: the load writes to one, the program copies it into another.
type engine interface {
	Exec(sql string, args ...any)
	Value(sql string) string
	Query(sql string) [][]string
	Of(sql string) testenv.Side
	// name is the database's, unique on its server.
	name() string
	// seed makes the tables that the load writes, with so many rows.
	seed(rows int)
	// upsert is an INSERT of values that sets set where the key is there already.
	upsert(table, values, key, set string) string
	// session is a worker's connection.
	session(ctx context.Context) (session, error)
	// source and sink are the config's keys of the two ends.
	source() string
	sink() string
	// schema is what stands between prefix and table in a topic's name.
	schema() string
	// has says whether a table is there.
	has(table string) bool
	log
}

// log is what can be seen of a source's log from outside.
type log interface {
	// released is the address up to which the server may have forgotten its log; ok is false where nobody tells it.
	released() (address uint64, ok bool)
	// address is the place in the log that a Record stands for.
	address(rec checkpoint.Record) (uint64, error)
}

// session runs a worker's transactions.
type session interface {
	// run runs a whole transaction and returns an address at or above its end; done is false where the server undid it for another's sake.
	run(ctx context.Context, sql string) (address uint64, done bool, err error)
	close()
}

// newEngine makes a fresh database of a server by its name in testdata/servers.
func newEngine(t *testing.T, name string) engine {
	switch name {
	case "pg15":
		return &postgres{testenv.Postgres(t, 15)}
	case "pg18":
		return &postgres{testenv.Postgres(t, 18)}
	}
	return &mysql{testenv.MySQL(t, name)}
}

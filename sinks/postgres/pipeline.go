package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// exchange is one round trip: statements go out while earlier ones already run, then finish reads all answers.
type exchange struct {
	pg     *pgconn.PgConn
	p      *pgconn.Pipeline
	reads  []func(*pgconn.ResultReader) error // one for each statement; nil: nothing to read but success
	named  []string                           // statements that the session is preparing
	queued int                                // bytes of parameters since the last flush
}

func newExchange(ctx context.Context, pg *pgconn.PgConn) *exchange {
	return &exchange{pg: pg, p: pg.StartPipeline(ctx)}
}

// statement is one SQL statement with its parameters, of which it keeps nothing after send.
type statement struct {
	sql     string
	args    [][]byte
	oids    []uint32
	formats []int16
	read    func(*pgconn.ResultReader) error
}

// send queues s.
func (x *exchange) send(s statement) {
	x.p.SendQueryParams(s.sql, s.args, s.oids, s.formats, nil)
	x.sent(s)
}

// sendNamed queues s, which every call sends, under a name: a session prepares it once, since to plan it takes longer than to run it.
func (x *exchange) sendNamed(name string, s statement) {
	if known := x.pg.CustomData(); known[name] == nil {
		known[name] = true
		x.named = append(x.named, name)
		x.p.SendPrepare(name, s.sql, s.oids)
	}
	x.p.SendQueryPrepared(name, s.args, s.formats, nil)
	x.sent(s)
}

// exec queues a statement without parameters.
func (x *exchange) exec(sql string) { x.send(statement{sql: sql}) }

// flush starts what is queued, so that the server works while more is being encoded. For less than worthFlush it would be woken for nothing: the
// rest is there before it has begun.
func (x *exchange) flush() error {
	if x.queued < worthFlush {
		return nil
	}
	x.queued = 0
	return x.p.Flush()
}

const worthFlush = 16 << 10 // bytes of parameters

// sent takes in that s is queued.
func (x *exchange) sent(s statement) {
	x.reads = append(x.reads, s.read)
	for _, a := range s.args {
		x.queued += len(a)
	}
}

// finish sends what is left, reads every answer, and returns the first error: the statements after a failed one have not run.
func (x *exchange) finish() error {
	first := x.p.Sync()
	for i := 0; first == nil || !x.pg.IsClosed(); {
		result, err := x.p.GetResults()
		if err != nil {
			if first == nil {
				first = err
			}
			if _, ok := errors.AsType[*pgconn.PgError](err); !ok {
				break // not of a statement: no more answers come, and the connection may be as good as before, if ctx had ended before the start
			}
			continue
		}
		if _, ok := result.(*pgconn.StatementDescription); ok {
			x.named = x.named[1:]
			continue
		}
		rr, ok := result.(*pgconn.ResultReader)
		if !ok { // the sync point: all is read
			break
		}
		if read := x.reads[i]; read != nil && first == nil {
			first = read(rr)
		}
		i++
		if _, err := rr.Close(); err != nil && first == nil {
			first = err
		}
	}
	if err := x.p.Close(); err != nil && first == nil {
		first = err
	}
	for _, name := range x.named { // behind a failed statement: not prepared
		delete(x.pg.CustomData(), name)
	}
	return first
}

// abandon ends an exchange whose statements could not all be made: it reads the answers to those that were sent, so that the
// connection can roll back.
func (x *exchange) abandon() { _ = x.finish() } // the caller has its own error to return

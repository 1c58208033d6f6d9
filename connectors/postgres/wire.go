package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

const (
	// maxReport is the longest time between two reports to the server, whatever its wal_sender_timeout.
	maxReport = 10 * time.Second
	// probe is how often a silent server is asked where it stands: an idle table's place moves on no slower.
	probe = time.Second
	// closeWait bounds the polite end of a stream.
	closeWait = 5 * time.Second
	// maxSilence is when a server that doesn't answer probes is taken for gone. A walsender may be busy for a while.
	maxSilence = 2 * time.Minute
)

// wire owns the replication connection: its goroutine alone reads and writes it. Others ask for a report through the fields under
// mu and wake.
type wire struct {
	conn     *pgconn.PgConn
	in       *inbox // what conn reads through
	logger   *slog.Logger
	assemble *assembler
	queue    *queue.Queue[end]
	interval time.Duration // longest time between two reports

	wake chan struct{}
	done chan struct{} // run has returned

	farewell error // what went wrong with the last report; to be read after done

	mu       sync.Mutex
	released uint64 // what the server may forget; only ever rises
	nudged   bool   // somebody waits for the server to say where it stands
	stopping bool

	reported time.Time     // last report
	probed   time.Time     // last look whether the server is silent
	heard    bool          // something came since
	silence  time.Duration // for how long nothing came though it was asked
	expired  bool          // the read's deadline has passed
	looked   int           // how many reads of the socket there were when the reports, the reader and the queue were last looked at
}

// run reads until the stream ends or stop is called, then closes the connection and the queue.
func (w *wire) run(ctx context.Context) {
	defer close(w.done)
	err := w.read(ctx)
	w.queue.Put(w.assemble.segment.Take())
	if err == nil {
		err = w.goodbye()
		w.farewell = err
	}
	closing, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	w.conn.Close(closing) // what it could say has been said by err
	if err == nil {
		err = errClosed
	}
	w.queue.Fail(err)
}

var errClosed = errors.New("the source is closed")

// read is the stream's loop. It returns nil when it is asked to stop.
func (w *wire) read(ctx context.Context) error {
	for {
		// Once for each read of the socket, and before one that may wait: a read may end inside a message time after time, so that it never
		// seems to be drained.
		if w.expired || w.looked != w.in.reads || w.drained() {
			stop, err := w.report()
			if err != nil || stop {
				return err
			}
			if w.queue.Full() {
				w.waitForSpace()
				continue
			}
			w.looked = w.in.reads
			w.flush()
		}
		message, err := w.conn.ReceiveMessage(context.Background()) // the deadline ends it
		if err != nil {
			if pgconn.Timeout(err) {
				w.expired = true
				continue
			}
			return fmt.Errorf("read the stream after %s: %w", lsnText(w.assemble.at.lsn), classifyStream(err))
		}
		if err := w.handle(ctx, message); err != nil {
			return err
		}
	}
}

func (w *wire) handle(ctx context.Context, message pgproto3.BackendMessage) error {
	switch m := message.(type) {
	case *pgproto3.CopyData:
		w.heard = true
		return w.copyData(ctx, m.Data)
	case *pgproto3.ErrorResponse:
		err := pgconn.ErrorResponseToPgError(m)
		return fmt.Errorf("stream after %s: %w", lsnText(w.assemble.at.lsn), classifyStream(err))
	case *pgproto3.CopyDone, *pgproto3.CommandComplete:
		return fmt.Errorf("stream after %s: the server ended it: %w", lsnText(w.assemble.at.lsn), change.ErrUnreachable)
	}
	return nil // notices and parameters
}

// The messages of a replication stream inside CopyData.
const (
	walHeader       = 1 + 8 + 8 + 8
	keepaliveLength = 1 + 8 + 8 + 1
)

var errFrame = errors.New("not a message of a replication stream")

func (w *wire) copyData(ctx context.Context, data []byte) error {
	switch {
	case len(data) >= walHeader && data[0] == pglogrepl.XLogDataByteID:
		if err := w.assemble.handle(ctx, data[walHeader:]); err != nil {
			return err
		}
		if w.assemble.segment.Bytes >= segmentBytes {
			w.put()
		}
	case len(data) == keepaliveLength && data[0] == pglogrepl.PrimaryKeepaliveMessageByteID:
		return w.keepalive(binary.BigEndian.Uint64(data[1:]), data[keepaliveLength-1] != 0)
	default:
		return fmt.Errorf("%d bytes after %s: %w: %w", len(data), lsnText(w.assemble.at.lsn), errFrame, change.ErrHalt)
	}
	return nil
}

// keepalive notes how far the server has come without us, and answers.
func (w *wire) keepalive(lsn uint64, reply bool) error {
	moved, err := w.assemble.idle(lsn)
	if err != nil {
		return err
	}
	if moved {
		w.mu.Lock()
		if w.nudged {
			w.assemble.segment.End(end{more: &more{urgent: true}})
		}
		w.nudged = false
		w.mu.Unlock()
		w.put()
	}
	if reply {
		return w.send(false)
	}
	return nil
}

// drained says that the next message has to be read from the connection.
func (w *wire) drained() bool {
	return w.conn.Frontend().ReadBufferLen() == 0 && w.in.buffer.Buffered() == 0
}

// flush puts the transactions that have been decoded, before the connection is waited for: a change never waits for the next one.
// While a stream is busy they are put a segment at a time: waking the reader for each small one costs more than the transaction. A transaction
// is cut only where it fills a segment.
func (w *wire) flush() {
	if !w.assemble.inside && len(w.assemble.segment.Ends) > 0 && w.drained() {
		w.put()
	}
}

func (w *wire) put() {
	fault.Point("source.decoded")
	w.queue.Put(w.assemble.segment.Take())
}

// waitForSpace waits for the reader, for a request or for the next report, whichever is first.
func (w *wire) waitForSpace() {
	timer := time.NewTimer(time.Until(w.reported.Add(w.interval)))
	defer timer.Stop()
	w.heard = true // we are not listening
	select {
	case <-w.queue.Space():
	case <-w.wake:
		queue.Signal(w.wake) // report looks for it
	case <-timer.C:
	}
}

// report tells the server what it must be told by now and sets the deadline of the next read.
//
// Invariant 1: what is written, flushed and applied is what was released, never what was received.
func (w *wire) report() (stop bool, err error) {
	now := time.Now()
	asked := false
	select {
	case <-w.wake:
		asked = true
	default:
	}
	silent := now.Sub(w.probed) >= probe
	if !asked && !silent && !w.expired && now.Sub(w.reported) < w.interval {
		return false, nil
	}
	w.mu.Lock()
	stop = w.stopping
	request := w.nudged
	w.mu.Unlock()
	if stop {
		return true, nil
	}
	if silent {
		if w.silence += probe; w.heard {
			w.silence = 0
		}
		if w.silence >= maxSilence {
			return false, fmt.Errorf("the server has been silent for %s: %w", w.silence, change.ErrUnreachable)
		}
		request = request || !w.heard
		w.probed, w.heard = now, false
	}
	if asked || request || now.Sub(w.reported) >= w.interval {
		if err := w.send(request); err != nil {
			return false, err
		}
	}
	w.expired = false
	deadline := w.probed.Add(probe)
	if next := w.reported.Add(w.interval); next.Before(deadline) {
		deadline = next
	}
	if err := w.conn.Conn().SetReadDeadline(deadline); err != nil {
		return false, fmt.Errorf("wait for the stream: %w: %w", err, change.ErrUnreachable)
	}
	if len(w.wake) > 0 { // it came before the deadline was set, and may have set its own
		return false, w.conn.Conn().SetReadDeadline(now)
	}
	return false, nil
}

func (w *wire) send(request bool) error {
	w.mu.Lock()
	lsn := pglogrepl.LSN(w.released)
	w.mu.Unlock()
	status := pglogrepl.StandbyStatusUpdate{
		WALWritePosition: lsn, WALFlushPosition: lsn, WALApplyPosition: lsn, ReplyRequested: request,
	}
	if err := pglogrepl.SendStandbyStatusUpdate(context.Background(), w.conn, status); err != nil {
		return fmt.Errorf("report %s to the server: %w: %w", lsn, err, change.ErrUnreachable)
	}
	w.reported = time.Now()
	return nil
}

// goodbye sends the last release and ends the stream in order, so that the server has read it and the slot is free.
func (w *wire) goodbye() error {
	if err := w.send(false); err != nil {
		return err
	}
	if err := w.conn.Conn().SetReadDeadline(time.Now().Add(closeWait)); err != nil {
		return fmt.Errorf("end the stream: %w: %w", err, change.ErrUnreachable)
	}
	w.conn.Frontend().Send(&pgproto3.CopyDone{})
	if err := w.conn.Frontend().Flush(); err != nil {
		return fmt.Errorf("end the stream: %w: %w", err, change.ErrUnreachable)
	}
	for {
		message, err := w.conn.Frontend().Receive()
		if err != nil {
			return fmt.Errorf("end the stream: %w: %w", err, change.ErrUnreachable)
		}
		switch message.(type) {
		case *pgproto3.ReadyForQuery:
			return nil
		case *pgproto3.ErrorResponse:
			return nil // it is over either way, and the release came before it
		}
	}
}

// ask changes what report looks at and wakes the goroutine for it. Any goroutine may call it. All of it is under mu, so that a
// goroutine which has seen the change finds its deadline left alone afterwards.
func (w *wire) ask(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping {
		return // the last report is under way
	}
	f()
	queue.Signal(w.wake)
	w.conn.Conn().SetReadDeadline(time.Now()) // an error: the connection is closed and nobody reads it
}

// release lets the server forget what was committed below lsn. It never takes a release back.
func (w *wire) release(lsn uint64) { w.ask(func() { w.released = max(w.released, lsn) }) }

func (w *wire) nudge() { w.ask(func() { w.nudged = true }) }

// stop ends the stream after a last report, waits for it, and returns what kept the report from being sent. A stream that has ended
// already reports nothing.
func (w *wire) stop() error {
	w.ask(func() { w.stopping = true })
	<-w.done
	return w.farewell
}

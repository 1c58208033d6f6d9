package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

const (
	// heartbeat is how often a server that has nothing to send says so: a quiet log's place moves on no slower.
	heartbeat = time.Second
	// blockedLong is a wait for the reader after which a lost connection is no surprise.
	blockedLong = time.Second
	// forgiven is how long after such a wait a lost connection is made anew at once: what the kernel held may be read for a while first.
	forgiven = 2 * time.Minute
)

// wire reads the log over replication connections, one after the other. Its goroutine alone touches assemble while it runs.
type wire struct {
	config   *Config
	serverID uint32
	assemble *assembler
	queue    *queue.Queue[end]
	covers   *gtidSet // begin by this set instead of file and offset; nil: don't

	started chan struct{} // the first file has been proved to be the one that was read
	first   logFile       // that file; to be read after started
	once    sync.Once
	done    chan struct{} // run has returned

	ctx    context.Context
	cancel context.CancelCauseFunc

	quiet   int       // bytes, and ends, that were put without waking the reader
	failed  error     // of an event
	blocked time.Time // when the last long wait for the reader ended
}

var errClosed = errors.New("the source is closed")

func newWire(config *Config, a *assembler) *wire {
	w := &wire{config: config, assemble: a, queue: queue.New[end](config.MemoryBytes), started: make(chan struct{}), done: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancelCause(context.Background()) // the stream ends with stop
	a.emptyInto, a.segment = w.put, w.queue.Builder()
	return w
}

// run reads until the stream ends or stop is called.
func (w *wire) run() {
	defer close(w.done)
	var err error
	for {
		err = w.stream()
		if w.ctx.Err() != nil {
			err = errClosed
			break
		}
		// Nothing is lost or repeated: what was handed over ends where a group does, and that is where the next connection begins. An error
		// of an event may have come in the middle of one.
		if w.failed != nil || !errors.Is(err, change.ErrUnreachable) || w.blocked.IsZero() || time.Since(w.blocked) > forgiven {
			break
		}
		w.config.Logger.Info("connection lost while the reader was busy; reading on", "err", err)
		w.blocked = time.Time{}
	}
	w.assemble.drop()
	w.assemble.payload.Close()
	w.queue.Fail(err)
}

// stream reads over one connection until it ends.
func (w *wire) stream() error {
	w.assemble.restart()
	w.failed = nil
	err := w.dump(w.serverID, w, w.start)
	if w.failed != nil {
		return w.failed
	}
	return fmt.Errorf("read the log after %s:%d: %w", w.assemble.at.file.name, w.assemble.at.offset, classifyStream(err))
}

// dump hands the events of one connection to h until it returns an error or the connection ends.
func (w *wire) dump(serverID uint32, h replication.EventHandler, start func(*replication.BinlogSyncer) (*replication.BinlogStreamer, error)) error {
	link := &link{limit: maxSilence, drained: w.wake}
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: serverID, Flavor: w.config.Flavor, Host: w.config.Addr, User: w.config.User, Password: w.config.Password,
		TLSConfig: w.config.TLS, Localhost: hostName(w.config.SourceID), Dialer: link.dial, Logger: slog.New(slog.DiscardHandler),
		RawModeEnabled: true, DisableRetrySync: true, DiscardGTIDSet: true, HeartbeatPeriod: heartbeat, EventCacheCount: 1,
		Option: setupStream, SynchronousEventHandler: h,
	})
	stop := context.AfterFunc(w.ctx, link.close)
	defer stop()
	streamer, err := start(syncer)
	if err == nil {
		_, err = streamer.GetEvent(w.ctx) // events go to HandleEvent; only the end comes here
	}
	link.close()
	syncer.Close() // waits for its goroutine
	return err
}

// start asks for the log from where the assembler stands.
func (w *wire) start(syncer *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
	a := w.assemble
	if w.covers != nil {
		a.proof = proof{}
		set, err := gomysql.ParseGTIDSet(w.config.Flavor, w.covers.String())
		if err != nil {
			return nil, fmt.Errorf("GTID set %s: %w: %w", w.covers, err, change.ErrHalt)
		}
		w.covers = nil
		return syncer.StartSyncGTID(set)
	}
	a.proof = proof{file: a.at.file}
	from := a.at.offset
	if last := a.at.last; last.file.name == a.at.file.name {
		a.proof.last, a.proof.waiting = last, true
		from = last.offset
	}
	if askable(from) != from && !a.proof.waiting {
		return nil, fmt.Errorf("%s:%d: %w: %w", a.at.file.name, a.at.offset, errPlace, change.ErrHalt)
	}
	from = askable(from)
	a.end = from
	return syncer.StartSync(gomysql.Position{Name: a.at.file.name, Pos: uint32(from)})
}

// askable is where a file is asked for from, to read what begins at an offset: the command has 32 bits, so what stands in front may be read again
// and passed.
func askable(offset uint64) uint64 {
	if offset > math.MaxUint32 {
		return firstOffset
	}
	return offset
}

// refetch reads a prepared transaction from the log again; its rows are then those of the group under way.
func (w *wire) refetch(ctx context.Context, p prepared) error {
	b, err := w.fetch(ctx, p)
	if err != nil {
		return err
	}
	w.assemble.frames, w.assemble.group.cuts = b.frames, b.group.cuts
	return nil
}

// setupStream keeps the server from ending a connection whose reader is busy.
func setupStream(conn *client.Conn) error {
	_, err := conn.Execute("set " + noTimeLimit + "net_write_timeout = 3600")
	return err
}

// HandleEvent takes the next event, on the syncer's goroutine. While it waits the connection isn't read, so the server waits too.
func (w *wire) HandleEvent(e *replication.BinlogEvent) error {
	if w.failed == nil {
		w.failed = w.handle(e)
	}
	return w.failed
}

func (w *wire) handle(e *replication.BinlogEvent) error {
	if err := w.ctx.Err(); err != nil {
		return errClosed
	}
	if err := w.assemble.take(w.ctx, e); err != nil {
		return classify(err)
	}
	if w.assemble.file.created != 0 {
		w.once.Do(func() {
			w.first = w.assemble.file
			close(w.started)
		})
	}
	return nil
}

// put hands over a segment once there is room. The reader is woken for many at a time: wake.
func (w *wire) put(s segment) error {
	if len(s.Changes) > 0 {
		fault.Point("source.decoded")
	}
	if w.queue.Full() {
		if err := w.waitForSpace(); err != nil {
			return err
		}
	}
	w.queue.Add(s)
	if w.quiet += s.Bytes + len(s.Ends); w.quiet >= segmentBytes {
		w.wake()
	}
	return nil
}

func (w *wire) waitForSpace() error {
	w.wake()
	began := time.Now()
	for w.queue.Full() {
		select {
		case <-w.queue.Space():
		case <-w.ctx.Done():
			return errClosed
		}
	}
	if now := time.Now(); now.Sub(began) > blockedLong {
		w.blocked = now
	}
	return nil
}

// wake tells the reader what has been put, before the connection is waited for: a change never waits for the next one.
func (w *wire) wake() {
	if w.quiet > 0 {
		w.quiet = 0
		w.queue.Wake()
	}
}

// stop ends the stream and waits for it.
func (w *wire) stop() {
	w.cancel(errClosed)
	<-w.done
}

// link is the socket of one replication connection. It connects once: the syncer would dial again to KILL the connection it knows, which
// after a failover is somebody else's.
type link struct {
	limit   time.Duration
	drained func() // called before each read, which may wait; by the goroutine that reads

	mu   sync.Mutex
	conn net.Conn
	over bool
}

var errOnce = errors.New("the connection is closed")

func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	again := l.over || l.conn != nil
	l.mu.Unlock()
	if again {
		return nil, errOnce
	}
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		conn.Close()
		return nil, errOnce
	}
	l.conn = conn
	return &patient{Conn: conn, link: l}, nil
}

// close ends the reading; the syncer closes the socket once its goroutine has noticed.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.conn != nil {
		l.conn.SetReadDeadline(time.Unix(1, 0)) // an error says that it is closed already
	}
}

// patient is a connection whose every read ends after the link's limit: the server says something more often, if only that it is idle. How
// long nobody reads doesn't count.
type patient struct {
	net.Conn
	link *link
}

func (p *patient) Read(b []byte) (int, error) {
	p.link.drained()
	if err := p.begin(); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) begin() error {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	if p.link.over {
		return errOnce
	}
	return p.SetReadDeadline(time.Now().Add(p.link.limit))
}

// classifyStream is classify for an error that ends a stream. The server has one number for a log that is gone and for another reader with
// our server_id; only the words tell them apart.
func classifyStream(err error) error {
	if errors.Is(err, replication.ErrSyncClosed) {
		return fmt.Errorf("%w: %w", err, change.ErrUnreachable)
	}
	var my *gomysql.MyError
	if errors.As(err, &my) && my.Code == codeLogRead && strings.Contains(my.Message, "same server_uuid/server_id") {
		return fmt.Errorf("%w: %w: %w", errServerID, err, change.ErrBusy)
	}
	if code := errorCode(err); code == codeAccessDenied || code == codeNeedsGrant {
		return fmt.Errorf("reading the log takes REPLICATION SLAVE (tailwater grants source): %w: %w", err, change.ErrDenied)
	}
	return classify(err)
}

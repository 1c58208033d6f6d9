package mysql

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	connectTimeout = 10 * time.Second
	// maxSilence is when a server that says nothing, not even that it is idle, is taken for gone.
	maxSilence = 2 * time.Minute
	// idleForYears is for waits that nobody's default may cut short.
	idleForYears = "31536000"
)

// session is an ordinary connection. One goroutine uses it.
type session struct {
	conn   *client.Conn
	raw    net.Conn
	closed bool
	buffer []byte
}

// noTimeLimit is the part of a SET by which no statement ends for taking long, of which reading the log is one at MariaDB. Each server's setting is in a comment that the
// other one doesn't run.
const noTimeLimit = "/*!80000 max_execution_time = 0, */ /*M! max_statement_time = 0, */ "

// sessionSetup makes a session one whose values myvalue reads, and that nobody ends for being idle. ALLOW_INVALID_DATES: a chunk's last key may be 2023-02-31, which a CAST
// makes NULL otherwise. The log has the key that MySQL makes of its own, so the catalogue must show it.
const sessionSetup = "set names utf8mb4, " + noTimeLimit + "character_set_results = null, time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', " +
	"/*!80030 show_gipk_in_create_table_and_information_schema = 1, */ autocommit = 1, sql_select_limit = 18446744073709551615, sql_big_selects = 1, lock_wait_timeout = " + idleForYears + ", wait_timeout = " + idleForYears + ", net_write_timeout = 3600, net_read_timeout = 3600"

// dial opens the socket, with connectTimeout until done is called.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout}
	return d.DialContext(ctx, network, addr)
}

// connect opens a session.
func (c *Config) connect(ctx context.Context) (*session, error) {
	s := &session{}
	dialer := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		s.raw = conn
		return conn, conn.SetDeadline(time.Now().Add(connectTimeout))
	}
	conn, err := client.ConnectWithDialer(ctx, "", c.Addr, c.User, c.Password, "", dialer, func(conn *client.Conn) error {
		conn.SetTLSConfig(c.TLS)
		conn.UnsetCapability(gomysql.CLIENT_DEPRECATE_EOF)    // query knows where rows begin
		conn.UnsetCapability(gomysql.CLIENT_QUERY_ATTRIBUTES) // and writes none
		conn.SetAttributes(map[string]string{"program_name": "tailwater " + c.SourceID})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", c.Addr, classify(err))
	}
	s.conn = conn
	if err := s.raw.SetDeadline(time.Time{}); err != nil {
		s.close()
		return nil, fmt.Errorf("connect to %s: %w: %w", c.Addr, err, change.ErrUnreachable)
	}
	if err := s.exec(ctx, sessionSetup); err != nil {
		s.close()
		return nil, fmt.Errorf("set up a session: %w", err)
	}
	return s, nil
}

func (s *session) close() {
	if s != nil && !s.closed {
		s.closed = true
		s.conn.Quit() // an error says that it is gone already
		s.raw.Close()
	}
}

// abort ends a session whose server may still be sending.
func (s *session) abort() {
	s.closed = true
	s.raw.Close()
}

var (
	errProtocol  = errors.New("the server's answer can't be read")
	errOneValue  = errors.New("the server did not answer with one row")
	errStopEarly = errors.New("enough rows")
)

// The first bytes of a packet.
const (
	headOK   = 0x00
	headNull = 0xfb // a NULL cell; LOAD DATA LOCAL as an answer
	headEOF  = 0xfe
	headErr  = 0xff

	longestEOF = 8
)

// rows runs one statement and hands each row's cells, as text, to each; nil is NULL. The cells are valid until each returns. When each
// returns errStopEarly the session ends and rows returns nil. All else that goes wrong on the wire or by ctx ends the session too.
func (s *session) rows(ctx context.Context, sql string, each func(cells [][]byte) error) error {
	if s.closed {
		return fmt.Errorf("query: %w: %w", net.ErrClosed, change.ErrUnreachable)
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { s.raw.SetDeadline(time.Unix(1, 0)) }) // an error: it is closed
	err := s.query(sql, each)
	if !stop() {
		s.abort()
		return fmt.Errorf("query: %w", context.Cause(ctx))
	}
	switch {
	case err == nil:
		return nil
	case errorCode(err) != 0:
		return classify(err)
	case errors.Is(err, errStopEarly):
		s.abort()
		return nil
	}
	s.abort()
	return classify(err)
}

func (s *session) query(sql string, each func(cells [][]byte) error) error {
	s.conn.ResetSequence()
	packet := make([]byte, 4, 5+len(sql))
	packet = append(append(packet, gomysql.COM_QUERY), sql...)
	if err := s.conn.WritePacket(packet); err != nil {
		return err
	}
	head, err := s.read()
	if err != nil {
		return err
	}
	switch head[0] {
	case headOK:
		return nil
	case headNull, headEOF:
		return errProtocol
	}
	columns, _, n := gomysql.LengthEncodedInt(head)
	if n != len(head) || columns == 0 || columns > 1<<16 {
		return errProtocol
	}
	for range columns + 1 { // their descriptions, and the end of these
		if _, err := s.read(); err != nil {
			return err
		}
	}
	cells := make([][]byte, columns)
	for {
		packet, err := s.read()
		if err != nil {
			return err
		}
		if packet[0] == headEOF && len(packet) <= longestEOF {
			return nil
		}
		if err := split(packet, cells); err != nil {
			return err
		}
		if err := each(cells); err != nil {
			return err
		}
	}
}

// read reads a packet, valid until the next one.
func (s *session) read() ([]byte, error) {
	var err error
	if s.buffer, err = s.conn.ReadPacketReuseMem(s.buffer[:0]); err != nil {
		return nil, err
	}
	if len(s.buffer) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if s.buffer[0] == headErr {
		return nil, serverError(s.buffer)
	}
	return s.buffer, nil
}

// serverError reads an error packet.
func serverError(packet []byte) error {
	const head = 1 + 2 + 1 + 5
	if len(packet) < head {
		return errProtocol
	}
	return &gomysql.MyError{Code: binary.LittleEndian.Uint16(packet[1:]), State: string(packet[4:head]), Message: string(packet[head:])}
}

// split cuts a row into its cells.
func split(packet []byte, cells [][]byte) error {
	for i := range cells {
		if len(packet) == 0 {
			return errProtocol
		}
		if packet[0] == headNull {
			cells[i], packet = nil, packet[1:]
			continue
		}
		size, _, n := gomysql.LengthEncodedInt(packet)
		if n == 0 || size > uint64(len(packet)-n) {
			return errProtocol
		}
		cells[i] = packet[n : n+int(size) : n+int(size)]
		packet = packet[n+int(size):]
	}
	return nil
}

// exec runs statements that have no result, one after the other.
func (s *session) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if err := s.rows(ctx, sql, func([][]byte) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// one runs a statement and returns the texts of its only row; NULL is the empty string.
func (s *session) one(ctx context.Context, sql string) ([]string, error) {
	all, err := s.all(ctx, sql)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d rows: %w", len(all), errOneValue)
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// all runs a statement and returns its rows' texts; NULL is the empty string.
func (s *session) all(ctx context.Context, sql string) ([][]string, error) {
	var all [][]string
	err := s.rows(ctx, sql, func(cells [][]byte) error {
		row := make([]string, len(cells))
		for i, cell := range cells {
			row[i] = string(cell)
		}
		all = append(all, row)
		return nil
	})
	return all, err
}

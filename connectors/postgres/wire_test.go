package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
)

// TestBusyStreamWaitsForItsReader: a stream of which every read of the socket ends inside a message, so that its connection never seems to be
// drained, is read no further than the queue has room.
func TestBusyStreamWaitsForItsReader(t *testing.T) {
	t.Parallel()
	ours, server := net.Pipe()
	config, err := pgconn.ParseConfig("postgres://nobody@localhost/none?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	var in *inbox
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		in = newInbox(r)
		return pgproto3.NewFrontend(in.buffer, w)
	}
	conn, err := pgconn.Construct(&pgconn.HijackedConn{Conn: ours, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w := &wire{conn: conn, in: in, assemble: &assembler{at: place{lsn: 2}}, queue: queue.New[end](1 << 10), interval: time.Hour,
		wake: make(chan struct{}, 1), done: make(chan struct{}), reported: now, probed: now}
	read := make(chan error, 1)
	go func() { read <- w.read(context.Background()) }()

	frame := make([]byte, 5+keepaliveLength)
	frame[0] = 'd'
	binary.BigEndian.PutUint32(frame[1:], 4+keepaliveLength)
	frame[5] = pglogrepl.PrimaryKeepaliveMessageByteID
	binary.BigEndian.PutUint64(frame[6:], 1) // nothing new
	const half = 9
	if _, err := server.Write(frame[:half]); err != nil {
		t.Fatal(err)
	}
	mended := slices.Concat(frame[half:], frame[:half])
	write := func(times int) (err error) {
		for range times {
			if _, err = server.Write(mended); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(100); err != nil {
		t.Fatalf("a queue with room: %v", err)
	}
	w.queue.Put(queue.Segment[end]{Bytes: 1 << 10})
	_ = server.SetWriteDeadline(time.Now().Add(probe / 2)) // a pipe has one
	if err := write(1000); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a full queue: the stream is read on: %v", err)
	}
	w.ask(func() { w.stopping = true })
	if err := <-read; err != nil {
		t.Errorf("stopped with %v", err)
	}
	if err := errors.Join(ours.Close(), server.Close()); err != nil {
		t.Error(err)
	}
}

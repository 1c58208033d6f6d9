package mysql

import (
	"cmp"
	"context"
	"fmt"
)

// A round trip takes statements until they have about so many bytes. One statement takes at most so many rows.
const (
	scriptBytes   = 1 << 20
	statementRows = 2048
	removedRows   = 500 // of a DELETE by key: the optimizer looks each one up, as far as its memory goes
)

// script collects statements as text and sends them together. It belongs to one call; its buffer is used again for each round trip.
type script struct {
	c        *conn
	limit    int // bytes that the server takes at once
	b        []byte
	wants    []want
	spare    []want     // of what was sent last
	answered chan error // what becomes of what was sent; nil: nothing is under way
}

// want is what a statement must find or write.
type want struct {
	rows int64 // -1: whatever there is
	miss error // what it means if it found others
}

func newScript(c *conn, packet int) *script { return &script{c: c, limit: packet - packetHead} }

// packetHead is what a packet holds besides the statements.
const packetHead = 64

// full says that it is time to send what has come.
func (x *script) full() bool { return len(x.b) >= min(scriptBytes, x.limit/2) }

// room sends what has come before the statement that begins at start, if the server doesn't take both at once.
func (x *script) room(ctx context.Context, start int) error {
	if len(x.b) <= x.limit || start == 0 {
		return nil
	}
	statement := string(x.b[start:])
	x.b = x.b[:start]
	err := x.send(ctx)
	x.b = append(x.b[:0], statement...)
	return err
}

// end ends the statement that was appended to b.
func (x *script) end(rows int64, miss error) {
	x.b = append(x.b, ";\n"...)
	x.wants = append(x.wants, want{rows, miss})
}

// add appends a statement of which nothing but success is wanted.
func (x *script) add(statement string) {
	x.b = append(x.b, statement...)
	x.end(-1, nil)
}

// send sends what has come and returns while the server works on it: one text at a time, since it first waits for the answers to the one before, whose
// error is the one that it returns. settle must follow before anything else uses the connection.
func (x *script) send(ctx context.Context) error {
	if err := x.settle(nil); err != nil {
		return err
	}
	if len(x.wants) == 0 {
		return nil
	}
	statements, wants := string(x.b[:len(x.b)-2]), x.wants
	x.b, x.wants, x.spare = x.b[:0], x.spare[:0], x.wants
	if len(statements) > x.limit {
		return halt("statements of %d bytes, and the target takes %d: raise its max_allowed_packet", len(statements), x.limit)
	}
	x.c.dirty = true
	answered := make(chan error, 1)
	go func() { answered <- x.c.execWanted(ctx, statements, wants) }()
	x.answered = answered
	return nil
}

// settle waits until the server has answered what was sent. An error of that is of an earlier statement than err, which the caller met meanwhile.
func (x *script) settle(err error) error {
	if x.answered == nil {
		return err
	}
	earlier := <-x.answered
	x.answered = nil
	return cmp.Or(earlier, err)
}

// flush sends what has come and waits for the answers.
func (x *script) flush(ctx context.Context) error { return x.settle(x.send(ctx)) }

// execWanted runs statements of which each must find or write what is wanted of it.
func (c *conn) execWanted(ctx context.Context, statements string, wants []want) error {
	affected, err := c.exec(ctx, statements)
	if err != nil {
		return err
	}
	if len(affected) != len(wants) {
		return fmt.Errorf("%d answers to %d statements", len(affected), len(wants))
	}
	for i, w := range wants {
		if w.rows >= 0 && affected[i] != w.rows {
			return w.miss
		}
	}
	return nil
}

// reset forgets what has not been sent.
func (x *script) reset() { x.b, x.wants = x.b[:0], x.wants[:0] }

package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// slow is a server that answers when it is told to. It is its own connector and connection.
type slow struct {
	began  chan string // statements that have arrived
	answer chan answer // what becomes of them
}

type answer struct {
	affected []int64
	err      error
}

func (s *slow) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *slow) Driver() driver.Driver                        { return nil }
func (s *slow) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (s *slow) Close() error                                 { return nil }
func (s *slow) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }

// ExecContext is driver.ExecerContext's.
func (s *slow) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	s.began <- query
	a := <-s.answer
	if a.err != nil {
		return nil, a.err
	}
	return written(a.affected), nil
}

// written is a result of the driver's.
type written []int64

func (w written) LastInsertId() (int64, error) { return 0, nil }
func (w written) RowsAffected() (int64, error) { return 0, nil }
func (w written) AllRowsAffected() []int64     { return w }
func (w written) AllLastInsertIds() []int64    { return nil }

func slowScript(t *testing.T) (*slow, *script) {
	t.Helper()
	s := &slow{began: make(chan string, 1), answer: make(chan answer, 1)}
	db := sql.OpenDB(s)
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, newScript(&conn{Conn: c}, 1<<20)
}

// TestStatementsAreMadeWhileOthersRun: a text is on its way while the next is made, one at a time, and each is judged by what was wanted of it.
func TestStatementsAreMadeWhileOthersRun(t *testing.T) {
	t.Parallel()
	server, x := slowScript(t)
	missed := errors.New("no row of that key")
	want := func(text string) {
		t.Helper()
		if got := <-server.began; got != text {
			t.Errorf("the server has %q, want %q", got, text)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one := func(text string) {
		x.b = append(x.b, text...)
		x.end(1, missed)
	}
	one("first")
	must(x.send(t.Context()))
	want("first") // and has not answered
	one("second")
	one("third")
	server.answer <- answer{affected: []int64{1}}
	must(x.send(t.Context()))
	want("second;\nthird")
	one("fourth")
	server.answer <- answer{affected: []int64{1, 0}}
	if err := x.send(t.Context()); !errors.Is(err, missed) {
		t.Errorf("behind a statement that found nothing: %v", err)
	}
	if len(server.began) > 0 || x.answered != nil {
		t.Error("something was sent behind a failed statement")
	}
	server.answer <- answer{affected: []int64{1}}
	must(x.flush(t.Context()))
	want("fourth")
	if !slices.Equal(x.b, nil) || len(x.wants) > 0 || !x.c.dirty {
		t.Errorf("after all was sent: %q, %d wants, dirty %v", x.b, len(x.wants), x.c.dirty)
	}
}

// TestTheEarlierErrorCounts: what a statement meets that is under way comes before what the next one's making meets, and settle waits for it.
func TestTheEarlierErrorCounts(t *testing.T) {
	t.Parallel()
	server, x := slowScript(t)
	lost, later := errors.New("connection lost"), errors.New("a text that is no UTF-8")
	x.add("first")
	if err := x.send(t.Context()); err != nil {
		t.Fatal(err)
	}
	settled := make(chan error, 1)
	go func() { settled <- x.settle(later) }()
	<-server.began
	select {
	case err := <-settled:
		t.Fatalf("settled while a statement was under way: %v", err)
	default:
	}
	server.answer <- answer{err: lost}
	if err := <-settled; !errors.Is(err, lost) {
		t.Errorf("settled with %v, want the earlier error", err)
	}
	if err := x.settle(later); !errors.Is(err, later) {
		t.Errorf("settled with %v and nothing under way", err)
	}
}

package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// connected is a connection to a database of t's own.
func connected(t *testing.T) *pgconn.PgConn {
	t.Helper()
	pg, err := pgconn.Connect(t.Context(), testenv.Postgres(t, 15).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Close(context.Background()) })
	return pg
}

// TestExchangeAfterTheEnd: an exchange that begins when its context has ended is over at once, and leaves the connection as it was.
func TestExchangeAfterTheEnd(t *testing.T) {
	t.Parallel()
	pg := connected(t)
	ended, end := context.WithCancel(t.Context())
	end()
	x := newExchange(ended, pg)
	x.exec("select 1")
	if err := x.finish(); !errors.Is(err, context.Canceled) {
		t.Errorf("the exchange ended with %v", err)
	}
	x = newExchange(t.Context(), pg)
	x.exec("select 1")
	if err := x.finish(); err != nil {
		t.Error(err)
	}
}

// TestASessionPreparesOnce: a statement with a name is prepared by the first exchange that gets so far, whether or not that is undone.
func TestASessionPreparesOnce(t *testing.T) {
	t.Parallel()
	pg := connected(t)
	rows := 0
	named := statement{sql: "SELECT $1::text", args: [][]byte{[]byte("x")}, read: func(rr *pgconn.ResultReader) error {
		rows++
		_, err := rr.Close()
		return err
	}}
	for i, c := range []struct{ before, after string }{{"SELECT 1/0", ""}, {"BEGIN", "SELECT 1/0"}, {"ROLLBACK", ""}, {"", ""}} {
		x := newExchange(t.Context(), pg)
		if c.before != "" {
			x.exec(c.before)
		}
		x.sendNamed("n", named)
		x.sendNamed("n", named)
		if c.after != "" {
			x.exec(c.after)
		}
		err := x.finish()
		if fails := c.before == "SELECT 1/0" || c.after != ""; (err != nil) != fails {
			t.Fatalf("exchange %d: %v", i, err)
		}
		if code := new(pgconn.PgError); errors.As(err, &code) && code.Code != "22012" {
			t.Errorf("exchange %d: %v", i, err)
		}
	}
	if rows != 6 {
		t.Errorf("%d statements were read, want 6", rows)
	}
}

package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestExchangeAfterTheEnd: an exchange that begins when its context has ended is over at once, and leaves the connection as it was.
func TestExchangeAfterTheEnd(t *testing.T) {
	t.Parallel()
	pg, err := pgconn.Connect(t.Context(), testenv.Postgres(t, 15).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close(context.Background())
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

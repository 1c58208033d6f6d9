package postgres

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestPreparedStatementsAreBounded: a session that writes rows of ever more shapes keeps the statements of some, and uses a statement again that it has,
// though others failed beside it.
func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	pg := connected(t)
	run := func(sql string) error {
		x := newExchange(t.Context(), pg)
		x.exec("BEGIN")
		x.sendNamed(preparedName(pg, sql), statement{sql: sql})
		err := x.finish()
		if err := tidy(t.Context(), pg); err != nil {
			t.Fatal(err)
		}
		return err
	}
	prepared := func(where string) string {
		rows, err := query(t.Context(), pg, "SELECT count(*)::text FROM pg_prepared_statements WHERE "+where)
		if err != nil {
			t.Fatal(err)
		}
		return *rows[0][0]
	}
	for i := range 3 * maxPrepared / 2 {
		if err := run(fmt.Sprintf("SELECT FROM missing_%d", i)); err == nil {
			t.Fatal("a statement of no table ran")
		}
		for range 2 {
			if err := run(fmt.Sprintf("SELECT %d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if n := prepared(fmt.Sprintf("statement = 'SELECT %d'", i)); n != "1" && n != "0" {
			t.Fatalf("statement %d stands prepared %s times", i, n)
		}
	}
	var n int
	if _, err := fmt.Sscan(prepared("true"), &n); err != nil || n == 0 || n >= maxPrepared {
		t.Errorf("%d statements are prepared, want some, and fewer than %d: %v", n, maxPrepared, err)
	}
}

// TestASmallCallIsOneWrite: the server isn't woken for the beginning of what is small, and gets to work on what is large.
func TestASmallCallIsOneWrite(t *testing.T) {
	t.Parallel()
	config, err := pgconn.ParseConfig(testenv.Postgres(t, 15).URL)
	if err != nil {
		t.Fatal(err)
	}
	writes := 0
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return counted{conn, &writes}, err
	}
	pg, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close(context.Background())
	for size, want := range map[int]int{100: 1, worthFlush: 2} {
		writes = 0
		x := newExchange(t.Context(), pg)
		x.exec("SELECT 1")
		if err := x.flush(); err != nil {
			t.Fatal(err)
		}
		x.send(statement{sql: "SELECT length($1::bytea)", args: [][]byte{make([]byte, size)}, oids: []uint32{oidBytea}, formats: []int16{1}})
		if err := x.flush(); err != nil {
			t.Fatal(err)
		}
		if err := x.finish(); err != nil {
			t.Fatal(err)
		}
		if writes != want {
			t.Errorf("%d bytes took %d writes, want %d", size, writes, want)
		}
	}
}

type counted struct {
	net.Conn
	writes *int
}

func (c counted) Write(b []byte) (int, error) {
	*c.writes++
	return c.Conn.Write(b)
}

// TestConnectionsAreUsedAgain: calls one after the other keep to one connection, however many there may be.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	config, err := pgconn.ParseConfig(testenv.Postgres(t, 15).URL)
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(config, 4)
	defer p.close()
	backends := map[uint32]bool{}
	take := func() *pgconn.PgConn {
		pg, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		backends[pg.PID()] = true
		return pg
	}
	for range 8 {
		p.release(take())
	}
	if len(backends) != 1 {
		t.Errorf("8 calls used %d connections", len(backends))
	}
	first, second := take(), take()
	p.release(first)
	p.release(second)
	p.idle[0].since = p.idle[0].since.Add(-2 * idleLimit)
	p.release(take())
	if len(p.idle) != 1 || p.idle[0].pg != second {
		t.Errorf("%d connections are idle; one of them was not needed for long", len(p.idle))
	}
	p.wg.Wait()
	if !first.IsClosed() {
		t.Error("the connection that nobody needed is open")
	}
}

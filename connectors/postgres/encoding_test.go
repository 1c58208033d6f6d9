package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTextThatIsNotUTF8: a SQL_ASCII database takes any bytes. What isn't UTF-8 halts, from the log and from a snapshot, by table, column and value, and the way on that
// the error names is one.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, from := range []string{"the log", "a snapshot"} {
			t.Run(from, func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, pg.Major)
				anyBytes(t, pg)
				pg.Exec("create table a (id int primary key, v text); create table b (id int primary key, v text); insert into a values (1, 'é')")
				if from == "a snapshot" {
					pg.Exec(`insert into a values (2, E'caf\xe9')`)
				}
				c := newCopying(t, pg, SnapshotInitial)
				if from == "the log" {
					c.until("a", "1 é")
					pg.Exec(`insert into a values (2, E'caf\xe9')`)
				}
				err := c.failure()
				for _, part := range []string{"public.a", "column v", `"caf\xe9"`, "not UTF-8", "out of include"} {
					if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), part) {
						t.Fatalf("it doesn't halt by %s: %v", part, err)
					}
				}
				c.close()
				c.config.Exclude = []string{"public.a"}
				c.open()
				pg.Exec("update a set v = 'café' where id = 2; insert into b values (1, 'x')")
				c.until("b", "1 x")
				c.head()
				c.close()
				c.config.Exclude = nil
				c.open()
				c.until("a", "1 é, 2 café")
			})
		}
	})
}

// anyBytes makes the test's database anew, as one of SQL_ASCII.
func anyBytes(t *testing.T, pg *testenv.PG) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pg.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{"drop database " + pg.Database, "create database " + pg.Database + " encoding 'SQL_ASCII' template template0 locale 'C'"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// failure reads until the source fails, for a minute.
func (c *copying) failure() error {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		b, err := c.opened.Source.Read(ctx, 1<<20)
		if err != nil {
			return err
		}
		c.take(&b)
	}
}

package postgres

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// copying is a Source with all that it does by itself, and a target in memory behind it.
type copying struct {
	t      *testing.T
	pg     *testenv.PG
	config Config
	opened connectors.Opened
	start  connectors.Start
	target *memory
	got    []string
}

func newCopying(t *testing.T, pg *testenv.PG, mode SnapshotMode) *copying {
	t.Helper()
	c := &copying{t: t, pg: pg, target: newMemory(t), start: connectors.Start{Epoch: 1}, config: Config{SourceID: "s", URL: pg.URL,
		Include: []string{"public.*"}, Slot: Object{Name: pg.Database + "_p", Create: true}, Publication: Object{Name: "parts", Create: true},
		SnapshotMode: mode, watchEvery: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(chunkLog{t}, nil))}}
	c.open()
	t.Cleanup(c.close)
	return c
}

func (c *copying) open() {
	c.t.Helper()
	testenv.Wait(c.t, "the slot", func() bool { // after a kill it stays active for a moment
		var err error
		if c.opened, err = Open(c.config)(c.t.Context(), c.start); err != nil {
			c.t.Log(err)
		}
		return err == nil
	})
	c.start.Resume, c.start.Upto = c.opened.Resume, c.opened.Upto
	if c.opened.Snapshot != nil {
		c.start.Snapshot = c.opened.Snapshot
	}
}

func (c *copying) close() {
	if c.opened.Source != nil {
		if err := c.opened.Source.Close(); err != nil {
			c.t.Error(err)
		}
	}
	c.opened.Source = nil
}

func (c *copying) read() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	b, err := c.opened.Source.Read(ctx, 1<<20)
	if err != nil {
		c.t.Fatal(err)
	}
	c.take(&b)
}

// take applies a batch.
func (c *copying) take(b *change.Batch) {
	for i := range b.Changes {
		c.target.apply(&b.Changes[i])
		if op := b.Changes[i].Op; op != change.NewShape {
			c.got = append(c.got, op.String())
		}
	}
	c.start.Resume, c.start.Upto = b.Resume, b.Upto
	if b.Snapshot != nil {
		c.start.Snapshot = b.Snapshot
	}
}

// until reads until the target holds a table's rows, written "1 a, 2 b" by their columns.
func (c *copying) until(table, rows string) {
	c.t.Helper()
	want := c.pg.Value("select coalesce(string_agg(replace(trim(both '()' from t::text), ',', ' '), ', ' order by 1), '') from (select * from " + table + " order by 1) t")
	if want != rows {
		c.t.Fatalf("the source has %q, the test wants %q", want, rows)
	}
	deadline := time.Now().Add(30 * time.Second)
	for c.shown(table) != rows {
		if time.Now().After(deadline) {
			c.t.Fatalf("the target has %q, the source %q after %v", c.shown(table), rows, c.got)
		}
		c.read()
	}
}

func (c *copying) shown(table string) string {
	var lines []string
	for id := range 100 {
		for _, row := range c.target.keyed["public."+table] {
			if row[0].Int() == int64(id) {
				lines = append(lines, c.text(row))
			}
		}
	}
	return strings.Join(lines, ", ")
}

func (c *copying) text(row []change.Value) string {
	parts := []string{string(change.AppendText(nil, &change.Column{Kind: change.KindInt}, row[0]))}
	for _, v := range row[1:] {
		parts = append(parts, v.Str())
	}
	return strings.Join(parts, " ")
}

// head reads to the log's present end.
func (c *copying) head() {
	c.t.Helper()
	head, err := c.opened.Source.Head(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for c.start.Upto.Less(head) {
		c.read()
	}
}

const parted = `create table p (id int primary key, v text) partition by range (id);
	create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20);
	insert into p values (1, 'a'), (11, 'b')`

// TestPartitionsBesideTheLog: the log tells nothing of a partition that is truncated, detached, dropped or attached with its rows
// (PostgreSQL 15 and 18, publish_via_partition_root); the target has what the source has all the same.
func TestPartitionsBesideTheLog(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, sql, rows string }{
		{"truncated", "truncate p1", "11 b"},
		{"truncated and filled", "begin; truncate p1; insert into p values (2, 'c'); commit", "2 c, 11 b"},
		{"detached", "alter table p detach partition p2", "1 a"},
		{"dropped", "drop table p1", "11 b"},
		{"attached", "create table x (id int primary key, v text); insert into x values (21, 'x'); alter table p attach partition x for values from (20) to (30)", "1 a, 11 b, 21 x"},
		{"attached, then written", `create table x (id int primary key, v text); insert into x values (21, 'x'), (22, 'y'); alter table p attach partition x for values from (20) to (30);
			update p set v = 'z' where id = 21; delete from p where id = 22`, "1 a, 11 b, 21 z"},
		{"exchanged", "alter table p detach partition p1; create table x (id int primary key, v text); insert into x values (3, 'x'); alter table p attach partition x for values from (0) to (10)", "3 x, 11 b"},
		{"rewritten", "alter table p alter v type text using upper(v)", "1 A, 11 B"},
		{"rewritten with its key", "alter table p drop constraint p_pkey; alter table p add primary key (id, v); alter table p alter v type text using upper(v)", "1 A, 11 B"},
		{"rewritten for a new column", "alter table p add w text default 'w' || (random() * 0)::int", "1 a w0, 11 b w0"},
		{"made empty", "create table x partition of p for values from (20) to (30); insert into p values (25, 'x')", "1 a, 11 b, 25 x"},
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, down := range []string{"running", "down"} {
			for _, tc := range cases {
				t.Run(tc.name+" while "+down, func(t *testing.T) {
					t.Parallel()
					pg := testenv.Postgres(t, pg.Major)
					pg.Exec(parted)
					c := newCopying(t, pg, SnapshotInitial)
					c.until("p", "1 a, 11 b")
					c.head()
					if down == "down" {
						c.close()
					}
					pg.Exec(tc.sql)
					if down == "down" {
						c.open()
					}
					c.until("p", tc.rows)
				})
			}
		}
	})
}

// TestCreatedAgainBeforeItsFirstLook: what the log brought of a table that is gone, before a snapshot looked at the one that has its name now,
// does not stay at the target. The same for a partition.
func TestCreatedAgainBeforeItsFirstLook(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, table, sql, rows string }{
		{"table", "a", `insert into a values (2, 'streamed'); drop table a; create table a (id int primary key, v text);
			insert into a values (3, 'new'); alter publication parts add table a`, "3 new"},
		{"partition", "p", "insert into p values (2, 'streamed'); truncate p1; insert into p values (3, 'new')", "3 new, 11 b"},
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		for _, crash := range []bool{false, true} {
			for _, tc := range cases {
				pg := testenv.Postgres(t, pg.Major)
				pg.Exec("create table a (id int primary key, v text); insert into a values (1, 'old'); " + parted)
				c := newCopying(t, pg, SnapshotInitial)
				if crash { // the place is saved, and nothing was read
					c.close()
				}
				pg.Exec(tc.sql)
				if crash {
					c.open()
				}
				c.until(tc.table, tc.rows)
				c.head()
				c.until(tc.table, tc.rows)
				c.close()
			}
		}
	})
}

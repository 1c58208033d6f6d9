package mysql

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// pipe is a Source with a snapshot, and a target in memory behind it.
type pipe struct {
	t      *testing.T
	config Config
	tables []string // to be compared, without the database

	source *Source
	start  connectors.Start
	target *memory
}

func newPipe(t *testing.T, my *testenv.My, tables ...string) *pipe {
	t.Helper()
	grants := []string{"replication slave on *.*", "replication client on *.*", "select", "lock tables"}
	if my.Name == "mysql97" && my.Value("select @@gtid_mode") != "ON" {
		grants = append(grants, "reload on *.*")
	}
	user, password := my.User(grants...)
	p := &pipe{t: t, tables: tables, target: newMemory(t), config: Config{
		SourceID: "snapshot " + my.Database, Flavor: MySQL, Addr: my.Addr, User: user, Password: password, SpoolDir: t.TempDir(),
		Include: []string{my.Database + ".*"}, chunkBytes: 64 << 10, Logger: slog.New(slog.NewTextHandler(chunkLog{t}, nil))}}
	if my.MariaDB {
		p.config.Flavor = MariaDB
	}
	p.start.Epoch = 1
	p.open()
	t.Cleanup(func() { p.close() })
	return p
}

func (p *pipe) open() {
	p.t.Helper()
	var opened connectors.Opened
	testenv.Wait(p.t, "the lock", func() bool { // after a kill it is held for a moment
		var err error
		if opened, err = Open(p.config)(p.t.Context(), p.start); err != nil {
			p.t.Log(err)
		}
		return err == nil
	})
	p.source = opened.Source.(*Source)
	p.start.Resume, p.start.Upto = opened.Resume, opened.Upto
	if opened.Snapshot != nil {
		p.start.Snapshot = opened.Snapshot
	}
}

type chunkLog struct{ t *testing.T }

func (l chunkLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

func (p *pipe) close() {
	if p.source == nil {
		return
	}
	if err := p.source.Close(); err != nil {
		p.t.Error(err)
	}
	p.source = nil
}

// read takes one batch into the target and returns it.
func (p *pipe) read() change.Batch {
	p.t.Helper()
	b, err := p.source.Read(p.t.Context(), 1<<20)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range b.Changes {
		p.target.apply(&b.Changes[i])
	}
	p.start.Resume, p.start.Upto = b.Resume, b.Upto
	if b.Snapshot != nil {
		p.start.Snapshot = b.Snapshot
	}
	return b
}

func (p *pipe) done() bool {
	return !slices.ContainsFunc(p.source.Progress(), func(t connectors.Progress) bool { return !t.Done })
}

// finish reads until the snapshot is complete and all that is committed now has been read.
func (p *pipe) finish() {
	p.t.Helper()
	head, err := p.source.Head(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for p.start.Upto.Less(head) || !p.done() {
		p.read()
	}
}

// compare fails the test where the target is not what the source's tables are.
func (p *pipe) compare() {
	p.t.Helper()
	ctx := p.t.Context()
	conn, err := connectChunks(ctx, &p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.close()
	database, _, _ := strings.Cut(p.config.Include[0], ".")
	for _, name := range p.tables {
		s, err := p.source.shapes.fromCatalog(ctx, conn, tableName{database, name})
		if err != nil {
			p.t.Fatal(err)
		}
		want := map[string]int{}
		var scratch myvalue.Row
		err = conn.rows(context.WithoutCancel(ctx), statementOf(s).all(""), func(cells [][]byte) error {
			row, err := decodeRow(&scratch, s, cells, &Config{MaxRowBytes: 1 << 30, ZeroDates: p.config.ZeroDates})
			want[shown(row)]++
			return err
		})
		if err != nil {
			p.t.Fatal(err)
		}
		got := p.target.rows(database + "." + name)
		if !maps.Equal(got, want) {
			p.t.Errorf("%s: %d different rows at the target, %d at the source", name, len(got), len(want))
			complain(p.t, "only at the target", got, want)
			complain(p.t, "only at the source", want, got)
		}
	}
}

func complain(t *testing.T, what string, a, b map[string]int) {
	n := 0
	for row, count := range a {
		if b[row] != count && n < 5 {
			n++
			t.Logf("%s: %.200s (%d times, %d)", what, row, count, b[row])
		}
	}
}

func shown(row []change.Value) string {
	var s strings.Builder
	for _, v := range row {
		fmt.Fprintf(&s, "%v|", v)
	}
	return s.String()
}

// memory is a target by Covers and by key, strict about rows that are missing.
type memory struct {
	t     *testing.T
	mark  change.Position
	keyed map[string]map[string][]change.Value
	bags  map[string]map[string]int
}

func newMemory(t *testing.T) *memory {
	return &memory{t: t, keyed: map[string]map[string][]change.Value{}, bags: map[string]map[string]int{}}
}

func (m *memory) clone() *memory {
	c := newMemory(m.t)
	c.mark = m.mark
	for name, rows := range m.keyed {
		c.keyed[name] = maps.Clone(rows)
	}
	for name, bag := range m.bags {
		c.bags[name] = maps.Clone(bag)
	}
	return c
}

func (m *memory) apply(c *change.Change) {
	if m.mark.Covers(c) || c.Op == change.NewShape {
		return
	}
	m.mark = c.Pos
	name := c.Table.String()
	switch {
	case c.Op == change.Truncate:
		delete(m.keyed, name)
		delete(m.bags, name)
	case len(c.Table.Key) == 0:
		if m.bags[name] == nil {
			m.bags[name] = map[string]int{}
		}
		row := shown(c.Row())
		if c.Op != change.Delete {
			m.bags[name][row]++
		} else if m.bags[name][row]--; m.bags[name][row] <= 0 {
			delete(m.bags[name], row)
		}
	default:
		m.upsert(name, c)
	}
}

func (m *memory) upsert(name string, c *change.Change) {
	if m.keyed[name] == nil {
		m.keyed[name] = map[string][]change.Value{}
	}
	rows := m.keyed[name]
	b, err := change.AppendKey(nil, c.Table, c.Row())
	if err != nil {
		m.t.Fatal(err)
	}
	key := string(b)
	if c.Op == change.Delete {
		delete(rows, key)
		return
	}
	row := slices.Clone(c.After)
	for i := range row {
		if row[i].IsUnset() {
			if rows[key] == nil {
				m.t.Fatalf("%s of %s %s at %s lacks columns, and the row is missing", c.Op, name, key, c.Pos)
			}
			row[i] = rows[key][i]
		}
	}
	rows[key] = row
}

func (m *memory) rows(name string) map[string]int {
	out := maps.Clone(m.bags[name])
	if out == nil {
		out = map[string]int{}
	}
	for _, row := range m.keyed[name] {
		out[shown(row)]++
	}
	return out
}

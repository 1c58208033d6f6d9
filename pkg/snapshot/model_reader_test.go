package snapshot_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"pgregory.net/rapid"
)

// serve takes the worker's call one step further: its SELECT, or its end.
func (m *model) serve() bool {
	synctest.Wait()
	if m.pending == nil {
		select {
		case m.pending = <-m.calls:
		default:
			return false
		}
		if m.pending.kind == "select" {
			m.sel(m.pending)
			return true // and in a later step the end of the log is read
		}
	}
	c := m.pending
	m.pending = nil
	switch c.kind {
	case "lookup":
		m.lookups++
		c.chunk.Info = m.info(c.sel.Name)
	case "horizon":
		c.horizon = strconv.FormatUint(m.lsn, 10)
	case "select":
		c.chunk.High = m.end()
	}
	close(c.reply)
	synctest.Wait()
	return true
}

func (m *model) info(name string) snapshot.Info {
	return snapshot.Info{Table: m.tables[name].shape(), Incarnation: strconv.Itoa(m.tables[name].made), Revision: strconv.Itoa(m.tables[name].turned), Parts: m.partsOf(name), Estimate: 7}
}

// sel reads what is visible now.
func (m *model) sel(c *call) {
	seen := visibility{}
	for _, x := range m.txns {
		if x.visible {
			seen[x.txn.ID] = true
		}
	}
	c.chunk.Seen = &seenBy{seen, m}
	if c.sel.Name == "" {
		return
	}
	c.chunk.Info = m.info(c.sel.Name)
	rows := m.state(c.sel.Name, func(x *modelTxn) bool { return x.visible }, nil)
	if c.sel.Keys != nil {
		for _, key := range slices.Sorted(slices.Values(c.sel.Keys)) {
			id, err := snapshot.ParseKey(c.chunk.Table, key)
			if err != nil {
				c.err = err
				return
			}
			if row, ok := rows[strconv.FormatInt(id[0].Int(), 10)]; ok {
				c.chunk.Rows = append(c.chunk.Rows, row)
			}
		}
		return
	}
	limit := m.limit
	if limit == 0 {
		limit = rapid.IntRange(1, 4).Draw(m.t, "limit")
	}
	limit = min(c.sel.Limit, limit)
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if len(c.sel.After) > 0 && key <= c.sel.After[0] || !partsMatch(c.sel.Where, key) {
			continue
		}
		if len(c.chunk.Rows) == limit {
			c.chunk.More = true
			return
		}
		c.chunk.Rows, c.chunk.Last = append(c.chunk.Rows, rows[key]), []string{key}
	}
}

type visibility map[string]bool

type seenBy struct {
	ids visibility
	m   *model
}

func (s *seenBy) Sees(txn *change.Txn) bool { return s.ids[txn.ID] }

func (s *seenBy) Settled(horizon string) bool {
	at, _ := strconv.ParseUint(horizon, 10, 64)
	for _, x := range s.m.txns {
		if x.lsn <= at && !s.ids[x.txn.ID] {
			return false
		}
	}
	return true
}

func (m *model) call(ctx context.Context, c *call) error {
	c.reply = make(chan struct{})
	calls := m.calls
	select {
	case calls <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-c.reply:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Lookup is snapshot.Reader's, as are Select, Horizon and Open.
func (m *model) Lookup(ctx context.Context, name string) (snapshot.Info, error) {
	c := &call{kind: "lookup", sel: snapshot.Select{Name: name}}
	err := m.call(ctx, c)
	return c.chunk.Info, err
}

func (m *model) Select(ctx context.Context, s snapshot.Select) (snapshot.Chunk, error) {
	c := &call{kind: "select", sel: s}
	err := m.call(ctx, c)
	return c.chunk, err
}

func (m *model) Horizon(ctx context.Context) (string, error) {
	c := &call{kind: "horizon"}
	err := m.call(ctx, c)
	return c.horizon, err
}

// Open waits for all that runs, as making a slot does. Nothing else happens meanwhile: the stream stands still.
func (m *model) Open(ctx context.Context, name, _ string) (snapshot.Export, error) {
	if m.refuse > 0 {
		m.refuse--
		<-ctx.Done()
		return snapshot.Export{}, ctx.Err()
	}
	for _, x := range m.txns {
		x.visible = true
	}
	state := m.state(name, always, nil)
	var rows [][]change.Value
	for _, key := range slices.Sorted(maps.Keys(state)) {
		rows = append(rows, state[key])
	}
	return snapshot.Export{Info: m.info(name), At: m.end(), Rows: &exported{rows: rows}}, nil
}

type exported struct{ rows [][]change.Value }

func (e *exported) Next(context.Context, int) ([][]change.Value, error) {
	n := min(2, len(e.rows))
	out := e.rows[:n]
	e.rows = e.rows[n:]
	return out, nil
}

func (e *exported) Close() error { return nil }

package metrics

import (
	"strings"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// maxValues bounds the values of one label that comes from the source; other is what the rest is called.
const (
	maxValues = 200
	other     = "other"
)

// capped lets the first maxValues values through and calls the rest other.
type capped struct {
	mu   sync.RWMutex
	seen map[string]string
}

func newCapped() *capped { return &capped{seen: map[string]string{}} }

func (c *capped) value(s string) string {
	c.mu.RLock()
	v, ok := c.seen[s]
	c.mu.RUnlock()
	if ok {
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.seen[s]; ok {
		return v
	}
	if len(c.seen) >= maxValues {
		return other
	}
	v = strings.ToValidUTF8(s, "?") // Prometheus takes no other text
	c.seen[s] = v
	return v
}

// tables names tables for labels, once for each shape.
type tables struct {
	names *capped
	mu    sync.RWMutex
	known map[*change.Table]string
}

// maxShapes bounds the shapes that tables remembers before it begins again.
const maxShapes = 4096

func newTables() *tables { return &tables{names: newCapped(), known: map[*change.Table]string{}} }

func (t *tables) label(table *change.Table) string {
	if table == nil {
		return ""
	}
	t.mu.RLock()
	v, ok := t.known[table]
	t.mu.RUnlock()
	if ok {
		return v
	}
	v = t.names.value(table.String())
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxShapes {
		clear(t.known)
	}
	t.known[table] = v
	return v
}

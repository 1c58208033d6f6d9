package upsert

import (
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// cacheLimit bounds how many table versions are kept: a reader that opens its lanes again gets new pointers for old shapes.
const cacheLimit = 4096

// Cache keeps one plan for each table version. It may be used from several goroutines; its zero value is empty.
type Cache[P any] struct {
	mu    sync.RWMutex
	plans map[*change.Table]P
}

// Get returns the plan for t, if there is one.
func (c *Cache[P]) Get(t *change.Table) (P, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.plans[t]
	return p, ok
}

// Put keeps p as the plan for t.
func (c *Cache[P]) Put(t *change.Table, p P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plans == nil || len(c.plans) >= cacheLimit {
		c.plans = make(map[*change.Table]P)
	}
	c.plans[t] = p
}

// Clear forgets all plans: the next use of each table looks at the target again.
func (c *Cache[P]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plans = nil
}

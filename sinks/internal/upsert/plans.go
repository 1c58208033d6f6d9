package upsert

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Plans keeps one plan for each table version and forgets all of them where the target turned out to be other than they say. Its zero value
// is empty; it may be used from several goroutines.
type Plans[P any] struct {
	Cache[P]

	mu         sync.Mutex
	generation int // how often the plans have been forgotten
	stale      int // one more than the generation in which that happened last because of Judge, 0: not since something was applied
}

// Generation names the plans as they are now.
func (p *Plans[P]) Generation() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

// Forget makes the next use of each table look at the target again, unless another call has done so since generation; it returns the
// new one.
func (p *Plans[P]) Forget(generation int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if generation == p.generation {
		p.generation++
		p.Clear()
	}
	return p.generation
}

// Judge is the last word about a call's error. An error about rows that no search has named is about none: a refusal of a
// statement of our own is Fatal, a collision Retry. Where the error's code is stale, the plans of that generation are
// forgotten; met again with new plans, before anything was applied, it halts.
func (p *Plans[P]) Judge(generation int, err error, stale func(code string) bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.stale = 0
		return nil
	}
	own, ok := errors.AsType[*sinks.Error](err)
	if ok && own.Class == sinks.Wait { // two sessions made one table, say
		return &sinks.Error{Class: sinks.Retry, Code: own.Code, Err: err}
	}
	if ok && own.Class == sinks.Reject {
		return &sinks.Error{Class: sinks.Fatal, Code: own.Code, Err: fmt.Errorf("%w: %w", err, change.ErrHalt)}
	}
	if !ok || own.Class != sinks.Retry || !stale(own.Code) || generation != p.generation {
		return err
	}
	if p.stale != 0 && p.stale == p.generation {
		return &sinks.Error{Class: sinks.Fatal, Code: own.Code, Err: fmt.Errorf("%w: %w", own.Err, change.ErrHalt)}
	}
	p.generation++
	p.stale = p.generation
	p.Clear()
	return err
}

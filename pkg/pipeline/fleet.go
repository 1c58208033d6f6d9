package pipeline

import (
	"context"
	"errors"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Fleet is all pipelines of a process.
type Fleet []*Pipeline

// Run runs every pipeline until all have ended. A pipeline that halts leaves the others running; one that can't start because of
// its configuration or credentials ends all. The error joins those of the pipelines, so ExitCode is the worst of theirs.
func (f Fleet) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(f))
	var wg sync.WaitGroup
	for i, p := range f {
		wg.Go(func() {
			errs[i] = p.Run(ctx)
			if errors.Is(errs[i], change.ErrDenied) || errors.Is(errs[i], change.ErrPreflight) {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

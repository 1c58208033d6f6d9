package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// A call that ends with the drain says why; one that fails by itself keeps its own cause.
func TestWhatIsCutOffSaysWhy(t *testing.T) {
	work, cancel := context.WithCancelCause(t.Context())
	own := errors.New("no space")
	if got := cutOff(work, own); !errors.Is(got, own) {
		t.Errorf("before the end: %v", got)
	}
	cancel(errDrain)
	if got := cutOff(work, fmt.Errorf("write: %w", context.Canceled)); !errors.Is(got, errDrain) {
		t.Errorf("at the end: %v", got)
	}
	if got := cutOff(work, own); !errors.Is(got, own) {
		t.Errorf("a failure of its own at the end: %v", got)
	}
}

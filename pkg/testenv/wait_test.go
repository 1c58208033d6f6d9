package testenv_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestWait(t *testing.T) {
	t.Parallel()
	t.Run("until true", func(t *testing.T) {
		t.Parallel()
		looks := 0
		testenv.Wait(t, "the third look", func() bool { looks++; return looks == 3 })
		if looks != 3 {
			t.Errorf("%d looks", looks)
		}
	})
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		fake := under(t, func(t testing.TB) {
			testenv.WaitFor(t, time.Millisecond, "a flood", func() bool { return false })
		})
		if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "in vain for: a flood") {
			t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
		}
	})
}

func TestWaitEndsBeforeTheBinary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		fake := under(deadline{t, begun.Add(20 * time.Second)}, func(t testing.TB) {
			testenv.Wait(deadline{t, begun.Add(20 * time.Second)}, "a flood", func() bool { return false })
		})
		if took := time.Since(begun); fake.ended != "fatal" || took > 16*time.Second {
			t.Errorf("ended by %q after %s, want fatal well before the deadline of 20s", fake.ended, took)
		}
	})
}

// deadline is a test whose binary has a deadline.
type deadline struct {
	testing.TB
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

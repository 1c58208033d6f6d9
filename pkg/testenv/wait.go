package testenv

import (
	"testing"
	"time"
)

const (
	waitLimit  = 60 * time.Second      // longer than any step of a healthy run here, shorter than a developer's patience
	waitMargin = 5 * time.Second       // left of the test binary's own deadline for cleanups and for the message
	waitFirst  = time.Millisecond      // the first pause between two looks; it doubles
	waitLast   = 50 * time.Millisecond // the longest pause
)

// Wait polls cond until it is true. It ends the test, naming what, after 60 s, or shortly before the test binary's own deadline
// if that comes first. cond runs on the calling goroutine, so it may end the test itself.
func Wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	WaitFor(t, waitLimit, what, cond)
}

// WaitFor is Wait with a limit of its own, for steps known to be slow.
func WaitFor(t testing.TB, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	begun := time.Now()
	end := begun.Add(limit)
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, set := d.Deadline(); set && deadline.Add(-waitMargin).Before(end) {
			end = deadline.Add(-waitMargin)
		}
	}
	for pause := waitFirst; !cond(); pause = min(2*pause, waitLast) {
		if !time.Now().Before(end) {
			t.Fatalf("waited %s in vain for: %s", time.Since(begun).Round(time.Millisecond), what)
		}
		<-time.After(pause)
	}
}

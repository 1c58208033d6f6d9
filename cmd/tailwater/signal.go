package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// stopped is why a context ended: a signal.
type stopped struct{ signal os.Signal }

// Error says which signal.
func (s stopped) Error() string { return "stopped by " + s.signal.String() }

// code is the exit code of a process that a signal has ended.
func (s stopped) code() int {
	if s.signal == syscall.SIGINT {
		return exitInterrupted
	}
	return exitTerminated
}

// watchSignals cancels with the first signal as the cause, and ends the process at the second. The function that it returns stops it.
func (a *app) watchSignals(cancel context.CancelCauseFunc) func() {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for asked := false; ; asked = true {
			select {
			case <-done:
				return
			case s := <-a.signals:
				if asked {
					fmt.Fprintln(a.stderr, "error: "+stopped{s}.Error()+" before all was drained; what was on its way comes again at the next start")
					a.exit(stopped{s}.code())
				}
				cancel(stopped{s})
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
		cancel(nil)
	}
}

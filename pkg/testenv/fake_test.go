package testenv_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// fakeTB records how a helper ends its test. What it doesn't override is the real test's.
type fakeTB struct {
	testing.TB
	ended string // "skip" or "fatal"; "" while it goes on
	log   strings.Builder
}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Errorf(format string, args ...any) { fmt.Fprintf(&f.log, format+"\n", args...) }
func (f *fakeTB) Skip(args ...any)                  { f.end("skip", fmt.Sprint(args...)) }
func (f *fakeTB) Skipf(format string, args ...any)  { f.end("skip", fmt.Sprintf(format, args...)) }
func (f *fakeTB) Fatal(args ...any)                 { f.end("fatal", fmt.Sprint(args...)) }
func (f *fakeTB) Fatalf(format string, args ...any) { f.end("fatal", fmt.Sprintf(format, args...)) }

func (f *fakeTB) end(how, message string) {
	f.ended = how
	f.log.WriteString(message)
	runtime.Goexit()
}

// under runs call with a fake test and returns the fake once call has returned or ended its test.
func under(t testing.TB, call func(t testing.TB)) *fakeTB {
	fake := &fakeTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(fake)
	}()
	<-done
	return fake
}

package upsert_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

func TestPlansAreForgottenOnce(t *testing.T) {
	t.Parallel()
	var p upsert.Plans[int]
	stale := func(code string) bool { return code == "stale" }
	fault := func(class sinks.Class, code string) error {
		return &sinks.Error{Class: class, Code: code, Err: errors.New("no")}
	}
	p.Put(orders, 1)
	first := p.Generation()
	if err := p.Judge(first, fault(sinks.Retry, "stale"), stale); sinks.ClassOf(err) != sinks.Retry {
		t.Errorf("a stale plan is %v", err)
	}
	if _, ok := p.Get(orders); ok || p.Generation() == first {
		t.Error("a stale plan is kept")
	}
	p.Put(orders, 2)
	if err := p.Judge(first, fault(sinks.Retry, "stale"), stale); sinks.ClassOf(err) != sinks.Retry {
		t.Errorf("another call of the old generation: %v", err)
	}
	if _, ok := p.Get(orders); !ok {
		t.Error("a call of the old generation has the new plans forgotten")
	}
	if err := p.Judge(p.Generation(), fault(sinks.Retry, "stale"), stale); sinks.ClassOf(err) != sinks.Fatal || !errors.Is(err, change.ErrHalt) {
		t.Errorf("stale with new plans: %v", err)
	}
	if err := p.Judge(p.Generation(), nil, stale); err != nil {
		t.Error(err)
	}
	if err := p.Judge(p.Generation(), fault(sinks.Retry, "stale"), stale); sinks.ClassOf(err) != sinks.Retry {
		t.Errorf("stale after something was applied: %v", err)
	}
	for class, want := range map[sinks.Class]sinks.Class{sinks.Wait: sinks.Retry, sinks.Reject: sinks.Fatal, sinks.Fatal: sinks.Fatal, sinks.Retry: sinks.Retry} {
		if err := p.Judge(p.Generation(), fault(class, "x"), stale); sinks.ClassOf(err) != want {
			t.Errorf("%s of no row becomes %v, want %s", class, err, want)
		}
	}
	now := p.Generation()
	if next := p.Forget(now); next == now || p.Forget(now) != next {
		t.Error("two calls that met the same plans forget them twice")
	}
}

func TestStreamsKnowWhatIsClean(t *testing.T) {
	t.Parallel()
	var s upsert.Streams
	if !s.MayHaveParked("s", 0) {
		t.Error("a stream that nobody has loaded is clean")
	}
	s.Loaded("s", 0)
	if s.MayHaveParked("s", 0) || !s.MayHaveParked("s", 1) || !s.MayHaveParked("s", 0) {
		t.Error("a stream is clean until something is parked in it")
	}
	s.Loaded("s", 0) // beside the call that parks
	if !s.MayHaveParked("s", 0) {
		t.Error("a Load that saw nothing hides what is being parked")
	}
}

func TestMarksAreComparedWhole(t *testing.T) {
	t.Parallel()
	lane := change.Lane{Stream: "s", N: 1}
	at := change.Mark{Lane: lane, Next: 3, Pos: change.Position{Epoch: 1, Commit: 2}}
	parsed, err := upsert.ParseMark("s", "1", "3", at.Pos.String())
	if err != nil || parsed != at {
		t.Errorf("%v is read as %v, %v", at, parsed, err)
	}
	if _, err := upsert.ParseMark("s", "1", "3", "x"); !errors.Is(err, change.ErrHalt) {
		t.Errorf("a broken position: %v", err)
	}
	other := at
	other.Pos.Epoch = 2
	for _, have := range [][]change.Mark{nil, {other}, {{Lane: change.Lane{Stream: "s"}, Next: 3, Pos: at.Pos}}} {
		if err := upsert.CompareMarks(have, []change.Mark{at}); !errors.Is(err, change.ErrFenced) {
			t.Errorf("%v against %v: %v", have, at, err)
		}
	}
	if err := upsert.CompareMarks([]change.Mark{other, at}[1:], []change.Mark{at}); err != nil {
		t.Error(err)
	}
	if err := upsert.CheckMarks(nil, []change.Mark{at}); !errors.Is(err, change.ErrHalt) {
		t.Errorf("a mark that is moved and not locked: %v", err)
	}
}

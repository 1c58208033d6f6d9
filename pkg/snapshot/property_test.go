package snapshot_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is one batch's worth of a checkpoint, and the target as it was then.
type place struct {
	resume change.Resume
	upto   change.Position
	saved  []byte
	target *target
}

// run is one history: a database, a target, and the processes between them that are killed now and then.
type run struct {
	t      *rapid.T
	m      *model
	g      *target
	places []place
	runner *snapshot.Runner
	again  bool // tables are dropped and created again
	anew   bool // the target holds rows of an earlier life, whose log is gone

	ctx    context.Context // of the requests
	cancel context.CancelFunc
	asking sync.WaitGroup
}

var included = []string{"public.a", "public.h", "public.b"}

func (r *run) open() {
	at := r.places[len(r.places)-1]
	r.g.parks = r.m.recreated
	runner, err := snapshot.New(snapshot.Config{Log: r.m, Reader: r.m, Tables: included, Saved: at.saved, Upto: at.upto, Anew: r.anew,
		Resume: at.resume, KeyBytes: rapid.SampledFrom([]int{1, 600, 1 << 20}).Draw(r.t, "key bytes")})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runner = runner
	if r.anew { // a crash doesn't forget it
		r.anew = false
		if r.places[0].saved, err = runner.Saved(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	clear(r.g.announced)
}

func (r *run) close() error {
	r.cancel()
	r.asking.Wait()
	return r.runner.Close()
}

// kill ends the process, after it has applied a part of its last batch, and starts another one from any place saved.
func (r *run) kill() {
	if err := r.close(); err != nil {
		r.t.Fatal(err)
	}
	n := len(r.places) - 1 - rapid.IntRange(0, 2).Draw(r.t, "back")
	if n < 0 || rapid.Bool().Draw(r.t, "far back") {
		n = rapid.IntRange(0, len(r.places)-1).Draw(r.t, "place")
	}
	r.places = r.places[:n+1]
	if rapid.Bool().Draw(r.t, "restored") {
		r.g = r.places[n].target.clone()
	}
	r.m.restart(r.places[n].resume, r.places[n].upto)
	r.open()
}

func (r *run) read() change.Batch {
	b, err := r.runner.Read(context.Background(), rapid.SampledFrom([]int{1, 500, 1 << 20}).Draw(r.t, "max"))
	if err != nil {
		r.t.Fatal(err)
	}
	last := r.places[len(r.places)-1]
	if b.Upto.Less(last.upto) {
		r.t.Fatalf("Upto went from %s back to %s", last.upto, b.Upto)
	}
	if r.m.budget > 0 && rapid.IntRange(0, 30).Draw(r.t, "kill") == 0 {
		for i := range rapid.IntRange(0, len(b.Changes)).Draw(r.t, "applied") {
			r.g.apply(&b.Changes[i])
		}
		r.kill()
		return change.Batch{}
	}
	for i := range b.Changes {
		r.g.apply(&b.Changes[i])
	}
	if b.Snapshot == nil {
		b.Snapshot = last.saved
	}
	r.places = append(r.places, place{b.Resume, b.Upto, b.Snapshot, r.g.clone()})
	if r.again {
		r.know(string(b.Snapshot))
	}
	return b
}

func (r *run) done() bool {
	for _, p := range r.runner.Progress() {
		if !p.Done {
			return false
		}
	}
	return true
}

// inBubble runs a property with synthetic time. A failure leaves the bubble before rapid sees it.
func inBubble(t *testing.T, property func(t *rapid.T)) {
	rapid.Check(t, func(rt *rapid.T) {
		var failure any
		synctest.Test(t, func(*testing.T) {
			defer func() { failure = recover() }()
			property(rt)
		})
		switch {
		case failure == nil:
		case fmt.Sprintf("%T", failure) == "rapid.stopTest":
			rt.Fatalf("%s", failure)
		default:
			panic(failure)
		}
	})
}

// TestTargetEqualsSource is the rule of DESIGN section 5, Snapshot: whatever is written meanwhile, whenever a commit becomes visible,
// wherever the process is killed, the target ends with the source's rows, and no key goes back in time.
func TestTargetEqualsSource(t *testing.T) {
	inBubble(t, func(t *rapid.T) {
		r := &run{t: t, m: newModel(t), g: newTarget(t)}
		r.again = rapid.Bool().Draw(t, "again")
		if r.anew = rapid.Bool().Draw(t, "anew"); r.anew {
			r.g.earlier()
		}
		r.places = []place{{r.m.resume, r.m.upto, nil, r.g.clone()}}
		r.open()
		defer func() { _ = r.close() }()
		for r.m.budget > 0 {
			r.read()
			if rapid.IntRange(0, 20).Draw(t, "ask again") == 0 {
				r.request(rapid.SampledFrom(included).Draw(t, "again"))
			}
		}
		r.toEnd()
		if r.again { // what is created again after its snapshot is found at the next start
			for _, name := range included {
				if rapid.Bool().Draw(t, "last") {
					r.m.createAgain(name)
					x := r.m.begin()
					r.m.write(x, name)
					x.visible = true
					r.m.log(x)
				}
			}
			r.kill()
			r.toEnd()
		}
		for _, name := range included {
			if len(r.g.parked[name]) > 0 {
				t.Fatalf("%s: %v stay parked", name, r.g.parked[name])
			}
			if got, want := r.g.content(name), r.m.content(name); got != want {
				t.Fatalf("%s: the target has\n%s\nthe source\n%s", name, got, want)
			}
		}
	})
}

// know takes in which tables the progress tells by their incarnation: only of these can it be told that they are others now, so places before
// are given up.
func (r *run) know(progress string) {
	for _, name := range included {
		_, after, _ := strings.Cut(progress, `"table":"`+name+`"`)
		if of, _, _ := strings.Cut(after, "}"); !r.m.known[name] && strings.Contains(of, `"incarnation"`) {
			r.m.known[name] = true
			r.places = r.places[len(r.places)-1:]
		}
	}
}

// toEnd reads until all has been handed over.
func (r *run) toEnd() {
	for n := 0; !r.done() || r.places[len(r.places)-1].upto.Less(r.m.end()); n++ {
		if n == 2000 {
			r.t.Fatalf("no end: %+v at %s of %s", r.runner.Progress(), r.places[len(r.places)-1].upto, r.m.end())
		}
		r.m.Nudge()
		r.read()
	}
}

// request asks for one more snapshot of a table; it is taken by a later Read.
func (r *run) request(name string) {
	runner := r.runner
	r.asking.Go(func() { _ = runner.Request(r.ctx, name, "") })
	synctest.Wait()
}

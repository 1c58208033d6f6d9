package snapshot_test

import (
	"context"
	"encoding/json"
	"fmt"
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
	again  bool // tables are dropped and created again at the end

	keyBytes int  // of the Config
	anew     bool // the target holds rows of an earlier life, whose log is gone

	ctx    context.Context // of the requests
	cancel context.CancelFunc
	asking sync.WaitGroup
}

var included = []string{"public.a", "public.h", "public.b"}

func (r *run) open() {
	at := r.places[len(r.places)-1]
	r.g.parks = r.m.recreated
	r.keyBytes = rapid.SampledFrom([]int{1, 600, 800, 1600, 1 << 20}).Draw(r.t, "key bytes")
	runner, err := snapshot.New(snapshot.Config{Log: r.m, Reader: r.m, Tables: included, Saved: at.saved, Upto: at.upto, Anew: r.anew,
		Begun: r.begun(), Resume: at.resume, KeyBytes: r.keyBytes})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runner = runner
	r.anew = false
	if r.places[0].saved == nil { // a crash doesn't forget it
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
	n = max(n, r.m.floor)
	r.places = r.places[:n+1]
	if rapid.Bool().Draw(r.t, "restored") {
		r.g = r.places[n].target.clone()
	}
	r.m.restart(r.places[n].resume, r.places[n].upto)
	r.m.reopened(n)
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
	} else {
		r.bounded(b.Snapshot)
		r.m.noted(len(r.places))
	}
	r.places = append(r.places, place{b.Resume, b.Upto, b.Snapshot, r.g.clone()})
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
			if rapid.IntRange(0, 3).Draw(t, "look") == 0 {
				r.look()
			}
			if rapid.IntRange(0, 20).Draw(t, "ask again") == 0 {
				r.request(rapid.SampledFrom(included).Draw(t, "again"))
			}
		}
		for range 4 { // all that is written is visible by now, and nothing stands in the way of a partition
			for _, name := range included {
				if rapid.Bool().Draw(t, "repart") {
					r.m.repart(name)
				}
			}
			r.look()
			r.toEnd()
		}
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
			for key := range r.g.parked[name] {
				if r.m.state(name, always, nil)[key] != nil { // one that is gone waits for its operator
					t.Fatalf("%s: %s stays parked", name, key)
				}
			}
			if got, want := r.g.content(name), r.m.content(name); got != want {
				t.Fatalf("%s: the target has\n%s\nthe source\n%s", name, got, want)
			}
		}
	})
}

// begun is what a connector knows of the tables before it opens the log.
func (r *run) begun() []snapshot.Info {
	list := make([]snapshot.Info, len(included))
	for i, name := range included {
		list[i] = r.m.info(name)
	}
	return list
}

// look does what a connector does that sees in the catalogue that a table is another one, or has other parts.
func (r *run) look() {
	for name := range r.m.changed {
		r.runner.Look(name, r.m.seen(name)...)
	}
	clear(r.m.changed)
}

// bounded is invariant 9 for the keys to be read again.
func (r *run) bounded(saved []byte) {
	var p struct{ Tables []struct{ Reread []string } }
	if err := json.Unmarshal(saved, &p); err != nil {
		r.t.Fatal(err)
	}
	size := 0
	for _, t := range p.Tables {
		for _, key := range t.Reread {
			size += len(key)
		}
	}
	if size > r.keyBytes {
		r.t.Fatalf("%d bytes of keys to be read again, of %d", size, r.keyBytes)
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

// TestRequestBeforeTheLook: a table that an earlier process has read may be asked for again before this one has looked at it.
func TestRequestBeforeTheLook(t *testing.T) {
	inBubble(t, func(t *rapid.T) {
		r := &run{t: t, m: newModel(t), g: newTarget(t)}
		r.places = []place{{r.m.resume, r.m.upto, nil, r.g.clone()}}
		r.open()
		defer func() { _ = r.close() }()
		r.m.budget = 0
		r.toEnd()
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		last := r.places[len(r.places)-1]
		r.m.restart(last.resume, last.upto)
		r.open()
		asked := make(chan error, len(included))
		for _, name := range included {
			r.asking.Go(func() { asked <- r.runner.Request(r.ctx, name, "") })
		}
		for range included {
			if synctest.Wait(); !r.m.serve() { // each waits for its Lookup
				t.Fatal("no request looks its table up")
			}
		}
		synctest.Wait()
		for range included {
			r.read()
			synctest.Wait()
		}
		for range included {
			select {
			case err := <-asked:
				if err != nil {
					t.Fatal(err)
				}
			default:
				t.Fatal("a request was not taken")
			}
		}
		r.toEnd()
	})
}

package checkpointtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Open makes a fresh, empty place for checkpoints and returns what opens a Store on it. The suite closes each Store before it opens
// the next on the same place.
type Open func(t *testing.T) func() checkpoint.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	cases := []struct {
		name string
		run  func(t *testing.T, reopen func() checkpoint.Store)
	}{
		{"a record comes back as it was saved", roundTrip},
		{"an unknown pipeline is not found", notFound},
		{"a record outlives its store", reopened},
		{"names of any text don't meet", names},
		{"the second of two writers is fenced", fenced},
		{"a deleted record is not found and may begin anew", deleted},
		{"concurrent writers of one pipeline: each generation is won once", contended},
		{"concurrent pipelines don't mix", concurrent},
		{"a cancelled context saves nothing", cancelled},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Sample is a Record with every field set, for tests of stores.
func Sample(pipeline string, n uint64) checkpoint.Record {
	return checkpoint.Record{
		Pipeline: pipeline, Epoch: 3, Identity: "postgres/7001/1/app",
		Resume: change.Resume(fmt.Sprintf(`{"lsn":"0/%X","text":"a \"quoted\" line\n"}`, n)), Upto: at(n),
		Released: change.Resume(fmt.Sprintf("0/%X", n-1)), ReleasedUpto: at(n - 1),
		Snapshot: []byte{0, 1, 0xff, byte(n)}, Announced: map[string]string{"public.a": "f1", "öffentlich.\"b\"": "f2"},
	}
}

func at(n uint64) change.Position { return change.Position{Epoch: 3, Commit: n, Seq: change.MaxSeq} }

func save(t *testing.T, s checkpoint.Store, r checkpoint.Record) checkpoint.Record {
	t.Helper()
	saved, err := s.Save(t.Context(), r)
	if err != nil {
		t.Fatalf("save generation %d: %v", r.Generation, err)
	}
	if saved.Generation == r.Generation {
		t.Fatalf("generation stayed %d", r.Generation)
	}
	return saved
}

func same(t *testing.T, s checkpoint.Store, want checkpoint.Record) {
	t.Helper()
	got, err := s.Load(t.Context(), want.Pipeline)
	if err != nil {
		t.Fatalf("load %q: %v", want.Pipeline, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("loaded\n%+v, saved\n%+v", got, want)
	}
}

func closing(t *testing.T, s checkpoint.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func roundTrip(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	r := Sample("shop", 10)
	for n := range uint64(5) {
		next := Sample("shop", 10+n)
		next.Generation = r.Generation
		r = save(t, s, next)
		same(t, s, r)
	}
}

func notFound(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	save(t, s, Sample("shop", 10))
	if _, err := s.Load(t.Context(), "other"); !errors.Is(err, checkpoint.ErrNotFound) {
		t.Fatalf("load of an unknown pipeline: %v, want ErrNotFound", err)
	}
}

func reopened(t *testing.T, open func() checkpoint.Store) {
	s := open()
	first := save(t, s, Sample("shop", 10))
	closing(t, s)
	s = open()
	same(t, s, first)
	second := save(t, s, first)
	closing(t, s)
	s = open()
	defer closing(t, s)
	same(t, s, second)
}

func names(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	long := strings.Repeat("x", 400)
	all := []string{"a", "A", "a/b", "a%2Fb", "../a", "..", ".", "a\x00b", "a b", "größe", "%", "a~", long, long + "y", "lock", "\xff"}
	for i, name := range all {
		if name == "\xff" {
			continue // JSON can't hold it; a store may refuse it, but never mix it up
		}
		save(t, s, Sample(name, uint64(i+10)))
	}
	for i, name := range all {
		r, err := s.Load(t.Context(), name)
		if name == "\xff" {
			if !errors.Is(err, checkpoint.ErrNotFound) {
				t.Errorf("load of %q: %v, want ErrNotFound", name, err)
			}
			continue
		}
		if err != nil || r.Upto.Commit != uint64(i+10) {
			t.Errorf("load of %q: %v, %v", name, r.Upto, err)
		}
	}
}

func fenced(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	base := save(t, s, Sample("shop", 10))
	won := save(t, s, base)
	stale := base
	stale.Resume = "stale"
	if _, err := s.Save(t.Context(), stale); !errors.Is(err, change.ErrFenced) {
		t.Fatalf("save over a newer generation: %v, want ErrFenced", err)
	}
	if _, err := s.Save(t.Context(), Sample("shop", 11)); !errors.Is(err, change.ErrFenced) {
		t.Fatalf("save as if there were no record: %v, want ErrFenced", err)
	}
	same(t, s, won)
}

func deleted(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	if err := s.Delete(t.Context(), "shop"); err != nil {
		t.Fatalf("delete of nothing: %v", err)
	}
	other := save(t, s, Sample("other", 10))
	save(t, s, save(t, s, Sample("shop", 10)))
	if err := s.Delete(t.Context(), "shop"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if _, err := s.Load(t.Context(), "shop"); !errors.Is(err, checkpoint.ErrNotFound) {
		t.Fatalf("load after delete: %v, want ErrNotFound", err)
	}
	same(t, s, save(t, s, Sample("shop", 20)))
	same(t, s, other)
}

func contended(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	base := save(t, s, Sample("shop", 10))
	var (
		won atomic.Int32
		wg  sync.WaitGroup
	)
	for range 8 {
		wg.Go(func() {
			switch _, err := s.Save(t.Context(), base); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, change.ErrFenced):
				t.Errorf("save: %v, want ErrFenced", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won one generation", won.Load())
	}
}

func concurrent(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			name := fmt.Sprintf("p%d", i)
			r := Sample(name, 10)
			for n := range uint64(5) {
				r.Resume = change.Resume(fmt.Sprintf("%s at %d", name, n))
				saved, err := s.Save(t.Context(), r)
				if err != nil {
					t.Errorf("save %s: %v", name, err)
					return
				}
				r = saved
				if got, err := s.Load(t.Context(), name); err != nil || got.Resume != r.Resume {
					t.Errorf("load %s: %q, %v, want %q", name, got.Resume, err, r.Resume)
				}
			}
		})
	}
	wg.Wait()
}

func cancelled(t *testing.T, open func() checkpoint.Store) {
	s := open()
	defer closing(t, s)
	r := save(t, s, Sample("shop", 10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	next := r
	next.Resume = "next"
	if _, err := s.Save(ctx, next); err == nil {
		t.Fatal("saved on a cancelled context")
	}
	same(t, s, r)
}

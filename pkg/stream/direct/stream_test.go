package direct_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "shop"

var items = &change.Table{Source: source, Engine: "postgres", Schema: "public", Name: "items",
	Columns: []change.Column{{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64}}, Key: []int{0}}

func at(commit uint64, seq uint64) change.Position {
	return change.Position{Epoch: 1, Commit: commit, Seq: seq<<2 | change.SeqRow}
}

func upto(commit uint64) change.Position {
	return change.Position{Epoch: 1, Commit: commit, Seq: change.MaxSeq}
}

func insert(id int64, pos change.Position) change.Change {
	return change.Change{Op: change.Insert, Table: items, After: []change.Value{change.Int(id)}, Pos: pos, Txn: &change.Txn{ID: "t"}}
}

func truncate(pos change.Position) change.Change {
	return change.Change{Op: change.Truncate, Table: items, Pos: pos, Txn: &change.Txn{ID: "t"}}
}

// batch holds rows of one commit, ids and places from 1 on; whole says that the commit ends in it.
func batch(commit uint64, from, to int, whole bool) change.Batch {
	b := change.Batch{Upto: upto(commit - 1), Resume: "r"}
	if whole {
		b.Upto = upto(commit)
	}
	for i := from; i <= to; i++ {
		b.Changes = append(b.Changes, insert(int64(i), at(commit, uint64(i))))
	}
	return b
}

// rig is one stream with its publisher and one subscriber a sink.
type rig struct {
	t    *testing.T
	s    *direct.Stream
	pub  stream.Publisher
	subs map[string]stream.Subscriber
}

func newRig(t *testing.T, cfg direct.Config) *rig {
	t.Helper()
	if cfg.SourceID == "" {
		cfg.SourceID = source
	}
	if cfg.MemoryBytes == 0 {
		cfg.MemoryBytes = 1 << 20
	}
	if cfg.Sinks == nil {
		cfg.Sinks = []string{"a"}
	}
	r := &rig{t: t, s: direct.New(cfg), subs: map[string]stream.Subscriber{}}
	r.publisher()
	for _, name := range cfg.Sinks {
		r.subscriber(name)
	}
	t.Cleanup(func() { _ = r.s.Close() })
	return r
}

func (r *rig) publisher() {
	r.t.Helper()
	var err error
	if r.pub, err = r.s.Publisher(r.t.Context(), stream.Start{Epoch: 1, Saved: upto(1)}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) subscriber(name string, marks ...change.Mark) {
	r.t.Helper()
	begin := func(context.Context, []change.Lane) ([]change.Mark, error) { return marks, nil }
	sub, err := r.s.Subscriber(r.t.Context(), stream.Subscription{Sink: name, Begin: begin})
	if err != nil {
		r.t.Fatal(err)
	}
	r.subs[name] = sub
}

func (r *rig) publish(b ...change.Batch) {
	r.t.Helper()
	for i := range b {
		if err := r.pub.Publish(r.t.Context(), b[i]); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) fetch(name string, maxBytes int) stream.Delivery {
	r.t.Helper()
	d, err := r.subs[name].Fetch(r.t.Context(), maxBytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) commit(name string, d stream.Delivery) {
	r.t.Helper()
	if err := r.subs[name].Commit(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
}

// nothing says that a Fetch blocks.
func (r *rig) nothing(name string, maxBytes int) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	got := make(chan stream.Delivery, 1)
	go func() {
		d, err := r.subs[name].Fetch(ctx, maxBytes)
		if err == nil {
			got <- d
		}
		close(got)
	}()
	synctest.Wait()
	select {
	case d := <-got:
		r.t.Errorf("fetched %s up to %v, want nothing", ids(d), d.To)
	default:
	}
	cancel()
	<-got
}

func ids(d stream.Delivery) string {
	s := ""
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Op.IsMarker() {
			s += "[" + c.Op.String() + "]"
			continue
		}
		s += fmt.Sprintf("%d.", c.Row()[0].Int())
	}
	return s
}

func (r *rig) wantAcked(want uint64) {
	r.t.Helper()
	select {
	case n := <-r.pub.Acked():
		if n != want {
			r.t.Errorf("acknowledged %d, want %d", n, want)
		}
	default:
		r.t.Errorf("nothing acknowledged, want %d", want)
	}
}

func TestAFetchTakesEverythingThatHasCome(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct.Config{Atomic: true})
	r.publish(batch(2, 1, 2, true), batch(3, 3, 3, true), change.Batch{Upto: upto(9)})
	d := r.fetch("a", 1<<20)
	if ids(d) != "1.2.3." || d.To[0].Pos != upto(9) || d.To[0].Next != 1 || d.From[0].Pos != (change.Position{}) {
		t.Errorf("fetched %s from %v to %v", ids(d), d.From, d.To)
	}
	r.commit("a", d)
	r.wantAcked(3)
	ends, err := r.subs["a"].Ends(t.Context())
	if err != nil || len(ends) != 1 || ends[0].Pos != upto(9) || ends[0].Lane != (change.Lane{Stream: source}) {
		t.Errorf("ends %v, %v", ends, err)
	}
}

func TestDeliveriesAreCutWhereTransactionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, direct.Config{Atomic: true})
		mixed := batch(2, 1, 2, true) // transaction 2, and the beginning of 3
		mixed.Changes = append(mixed.Changes, batch(3, 3, 4, false).Changes...)
		r.publish(mixed)
		d := r.fetch("a", 1<<20)
		if ids(d) != "1.2." || d.To[0].Pos != upto(2) {
			t.Errorf("fetched %s to %v, want transaction 2 only", ids(d), d.To)
		}
		r.commit("a", d)
		r.nothing("a", 1<<20)
		r.publish(batch(3, 5, 5, false))
		r.nothing("a", 1<<20)
		r.publish(batch(3, 6, 6, true))
		d = r.fetch("a", 1<<20)
		if ids(d) != "3.4.5.6." || d.To[0].Pos != upto(3) {
			t.Errorf("fetched %s to %v, want transaction 3 whole", ids(d), d.To)
		}
		r.commit("a", d)
		r.wantAcked(3)
	})
}

func TestATransactionAboveTheShareGoesInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := batch(2, 1, 1, false)
		r := newRig(t, direct.Config{Atomic: true, MemoryBytes: 3 * one.Size()})
		done := make(chan error, 1)
		go func() {
			var err error
			for i := 1; i <= 8 && err == nil; i++ {
				err = r.pub.Publish(t.Context(), batch(2, i, i, i == 8))
			}
			done <- err
		}()
		got := ""
		for got != "1.2.3.4.5.6.7.8." {
			d := r.fetch("a", 1<<20)
			if n := len(d.Changes); n > 3 || n == 0 {
				t.Fatalf("a part of %d rows", n)
			}
			if want := d.Changes[len(d.Changes)-1].Pos; d.To[0].Pos != want && d.To[0].Pos != upto(2) {
				t.Fatalf("part ends at %v, want %v", d.To[0].Pos, want)
			}
			got += ids(d)
			r.commit("a", d)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		r.wantAcked(8)
	})
}

func TestATransactionThatFitsTheMemoryStaysWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, direct.Config{Atomic: true})
		r.publish(batch(2, 1, 1, false), batch(2, 2, 2, false))
		r.nothing("a", 1) // more than one Fetch is asked for, and still one transaction
		r.publish(batch(2, 3, 3, true), batch(3, 4, 4, true))
		if d := r.fetch("a", 1); ids(d) != "1.2.3." || d.To[0].Pos != upto(2) {
			t.Errorf("fetched %s to %v, want transaction 2 whole and alone", ids(d), d.To)
		}
	})
}

func TestPartsAreSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		one := batch(2, 1, 1, false)
		r := newRig(t, direct.Config{Atomic: true, MemoryBytes: 2 * one.Size(), Log: slog.New(slog.NewTextHandler(&said, nil))})
		done := make(chan error, 1)
		go func() {
			var err error
			for i := 1; i <= 6 && err == nil; i++ {
				err = r.pub.Publish(t.Context(), batch(2, i, i, i == 6))
			}
			done <- err
		}()
		for n := 0; n < 6; {
			d := r.fetch("a", 1<<20)
			n += len(d.Changes)
			r.commit("a", d)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(said.String(), "in parts"); n != 1 {
			t.Errorf("said %d times that a transaction goes in parts, want once:\n%s", n, said.String())
		}
	})
}

func TestAnEmptyBatchInsideATransactionDoesNotBlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		part := batch(2, 1, 1, false)
		r := newRig(t, direct.Config{Atomic: true, MemoryBytes: part.Size()})
		done := make(chan error, 1)
		go func() {
			err := r.pub.Publish(t.Context(), batch(2, 1, 1, false))
			err = errors.Join(err, r.pub.Publish(t.Context(), change.Batch{Upto: upto(1), Resume: "r"}))
			done <- errors.Join(err, r.pub.Publish(t.Context(), batch(2, 2, 2, true)))
		}()
		for got := ""; got != "1.2."; {
			d := r.fetch("a", 1<<20)
			got += ids(d)
			r.commit("a", d)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestANewPublisherFencesTheOldOneAndReplays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, direct.Config{Atomic: true})
		old := r.pub
		r.publish(batch(2, 1, 1, true))
		d := r.fetch("a", 1<<20)
		r.publish(batch(3, 2, 2, true))
		r.publisher()
		if err := old.Publish(t.Context(), batch(4, 3, 3, true)); !errors.Is(err, change.ErrFenced) {
			t.Errorf("publish of the old one: %v, want ErrFenced", err)
		}
		if _, open := <-old.Acked(); open {
			t.Error("Acked of the old one is open")
		}
		if err := old.Close(); !errors.Is(err, change.ErrFenced) {
			t.Errorf("close of the old one: %v, want ErrFenced", err)
		}
		r.publish(batch(2, 1, 1, true))
		r.nothing("a", 1<<20) // d is outstanding
		r.commit("a", d)
		select {
		case n := <-r.pub.Acked():
			t.Errorf("the new publisher's %d batches were acknowledged by a delivery of the old one", n)
		default:
		}
		d = r.fetch("a", 1<<20)
		if ids(d) != "1." {
			t.Errorf("fetched %s, want the replay only", ids(d))
		}
		r.commit("a", d)
		r.wantAcked(1)
	})
}

func TestANewSubscriberGetsWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct.Config{Atomic: true})
	r.publish(batch(2, 1, 1, true))
	r.commit("a", r.fetch("a", 1<<20))
	r.publish(batch(3, 2, 2, true))
	d := r.fetch("a", 1<<20)
	old := r.subs["a"]
	r.subscriber("a", change.Mark{Lane: change.Lane{Stream: source}, Pos: upto(2)})
	select {
	case <-d.Lost:
	default:
		t.Error("the old delivery is not lost")
	}
	if err := old.Commit(t.Context(), d); !errors.Is(err, change.ErrFenced) {
		t.Errorf("commit of a lost delivery: %v, want ErrFenced", err)
	}
	again := r.fetch("a", 1<<20)
	if ids(again) != "2." || again.From[0].Pos != upto(2) {
		t.Errorf("fetched %s from %v", ids(again), again.From)
	}
}

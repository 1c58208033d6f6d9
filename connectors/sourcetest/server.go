package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func parts(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	const rows, share = 2000, 64 << 10
	statements := make([]string, rows)
	for i := range statements {
		statements[i] = insert(i, strings.Repeat("x", 1000))
	}
	h.Txn(statements...)
	r.max = share
	whole := r.readTo(rows)
	if len(r.places) < rows*1000/share/2 {
		t.Errorf("%d batches for %d bytes with a share of %d", len(r.places), rows*1000, share)
	}
	for _, p := range r.places {
		if p.n > 0 && p.n < rows && (p.resume != r.opened.Resume && p.upto.Commit >= whole[0].Pos.Commit) {
			t.Fatalf("after %d of %d rows the resume has moved into the transaction", p.n, rows)
		}
		if p.n < rows && !p.upto.Less(whole[0].Pos) {
			t.Fatalf("after %d of %d rows upto is %s", p.n, rows, p.upto)
		}
	}
	for i, c := range whole {
		if c.After[0].Int() != int64(i) {
			t.Fatalf("row %d is %d", i, c.After[0].Int())
		}
	}
}

func idle(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	for range 3 {
		h.Rollback(insert(1, "x"))
		before := r.upto
		r.readTo(0)
		if r.upto.Less(before) {
			t.Fatalf("upto went back")
		}
	}
	again := connectors.Start{Epoch: 1, Resume: r.resume, Upto: r.upto}
	r.close()
	next := open(t, h, again)
	h.Exec(insert(1, "x"))
	want(t, next.readTo(1), `insert a + 1 "x"`)
	if !again.Upto.Less(next.got[0].Pos) {
		t.Errorf("a change at %s after upto %s", next.got[0].Pos, again.Upto)
	}
}

func release(t *testing.T, h Harness) {
	if h.Released == nil {
		releaseUntold(t, h)
		return
	}
	h.Exec(table)
	r := open(t, h, fresh)
	before := h.Released()
	h.Exec(insert(1, "x"))
	r.readTo(1)
	h.Exec(insert(2, "x"))
	r.readTo(2)
	first := r.places[len(r.places)-1]
	if now := h.Released(); now != before {
		t.Fatalf("the server was told %s, before %s, without a release", now, before)
	}
	if err := r.source.Release(t.Context(), first.resume); err != nil {
		t.Fatal(err)
	}
	await(t, "the release to arrive", func() bool { return h.Released() != before })
	told := h.Released()
	h.Exec(insert(3, "x"))
	r.readTo(3)
	r.close()
	if now := h.Released(); now != told {
		t.Fatalf("close told the server %s, the release was %s", now, told)
	}
	again := open(t, h, connectors.Start{Epoch: 1, Resume: first.resume, Upto: first.upto})
	want(t, again.readTo(1), `insert a + 3 "x"`)
	if err := again.source.Release(t.Context(), again.resume); err != nil {
		t.Fatal(err)
	}
	again.close()
	if now := h.Released(); now == told {
		t.Fatal("the last release was not sent by close")
	}
}

// releaseUntold is for a server that isn't told: its log goes by its own rules, so a release must be taken, keep an older place open, and
// refuse what is no place.
func releaseUntold(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	h.Exec(insert(1, "x"))
	r.readTo(1)
	first := r.places[len(r.places)-1]
	h.Exec(insert(2, "x"))
	r.readTo(2)
	if err := r.source.Release(t.Context(), r.resume); err != nil {
		t.Fatal(err)
	}
	if err := r.source.Release(t.Context(), "nowhere"); err == nil {
		t.Error("a release of what is no place was taken")
	}
	r.close()
	again := open(t, h, connectors.Start{Epoch: 1, Resume: first.resume, Upto: first.upto})
	want(t, again.readTo(1), `insert a + 2 "x"`)
}

// silent leaves a transaction larger than any queue unread for longer than the server waits.
func silent(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	const rows = 3000
	statements := make([]string, rows)
	for i := range statements {
		statements[i] = insert(i, strings.Repeat("x", 2000))
	}
	h.Txn(statements...)
	r.read()
	timer := time.NewTimer(3 * h.Patience)
	defer timer.Stop()
	<-timer.C
	r.readTo(rows)
}

func lost(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	h.Exec(insert(1, "x"))
	r.readTo(1)
	h.Disconnect()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		if _, err := r.source.Read(ctx, maxBytes); err != nil {
			if !errors.Is(err, change.ErrUnreachable) {
				t.Fatalf("read after the connection was ended: %v", err)
			}
			break
		}
	}
	for i := 2; i < 5; i++ {
		h.Exec(insert(i, "x"))
	}
	r.source.Close() // it has nothing more to say
	again := open(t, h, connectors.Start{Epoch: 1, Resume: r.resume, Upto: r.upto})
	for i, c := range again.readTo(3) {
		if got, want := string(appendChange(nil, &c)), fmt.Sprintf(`insert a + %d "x"`, i+2); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// await polls until cond holds.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-ticker.C:
		}
	}
}

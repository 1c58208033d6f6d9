package streamtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

const epoch = 3

// table is a table of the harness' source.
func (h *Harness) table(name string, extra ...string) *change.Table {
	t := &change.Table{Source: h.Source, Engine: "postgres", Schema: "public", Name: name, Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "v", Native: "text", Kind: change.KindText, Nullable: true},
	}}
	for _, c := range extra {
		t.Columns = append(t.Columns, change.Column{Name: c, Native: "text", Kind: change.KindText, Nullable: true})
	}
	return t
}

// transaction is one source transaction at commit: an upsert of each key, in order.
func transaction(t *change.Table, commit uint64, payload string, keys ...int64) change.Batch {
	txn := &change.Txn{ID: fmt.Sprintf("%d@0/%X", commit, commit), Committed: time.Unix(1_700_000_000+int64(commit), 0).UTC()}
	b := change.Batch{Upto: change.Position{Epoch: epoch, Commit: commit, Seq: change.MaxSeq}, Resume: change.Resume(fmt.Sprint(commit))}
	for i, k := range keys {
		row := make([]change.Value, len(t.Columns))
		row[0], row[1] = change.Int(k), change.Text(fmt.Sprint(commit, payload))
		for j := 2; j < len(row); j++ {
			row[j] = change.Null()
		}
		b.Changes = append(b.Changes, change.Change{Op: change.Update, Table: t, After: row, Txn: txn, Pos: place(commit, i)})
	}
	return b
}

func place(commit uint64, ordinal int) change.Position {
	return change.Position{Epoch: epoch, Commit: commit, Seq: uint64(ordinal)<<2 | change.SeqRow}
}

// marker is a transaction that holds one marker.
func marker(op change.Op, t *change.Table, commit uint64) change.Batch {
	b := transaction(t, commit, "", 0)
	c := &b.Changes[0]
	c.Op, c.After = op, nil
	if op == change.NewShape {
		c.Pos.Seq &^= 3
	}
	return b
}

// transactions is n of them from commit on, each over a few of 17 keys.
func transactions(t *change.Table, commit uint64, n int) []change.Batch {
	out := make([]change.Batch, n)
	for i := range out {
		c := commit + uint64(i)
		out[i] = transaction(t, c, strings.Repeat("x", int(c%50)), int64(c%17), int64(c*7%17), int64(c*3%17))
	}
	return out
}

func publish(t *testing.T, p stream.Publisher, batches ...change.Batch) {
	t.Helper()
	for i := range batches {
		if err := p.Publish(t.Context(), batches[i]); err != nil {
			t.Fatalf("publish: %v", err)
		}
	}
}

// acked waits until n batches are acknowledged, and holds every count against the one before.
func acked(t *testing.T, p stream.Publisher, n uint64) {
	t.Helper()
	var last uint64
	for last < n {
		select {
		case got, ok := <-p.Acked():
			if !ok {
				t.Fatalf("acknowledged %d of %d batches, then the publisher ended: %v", last, n, p.Close())
			}
			if got < last || got > n {
				t.Fatalf("acknowledged %d after %d, of %d published", got, last, n)
			}
			last = got
		case <-time.After(patience):
			t.Fatalf("acknowledged %d of %d batches in %s", last, n, patience)
		}
	}
}

// patience is how long a healthy stream may take for any one step.
const patience = 30 * time.Second

// moment is how long we watch for what must not happen.
const moment = 300 * time.Millisecond

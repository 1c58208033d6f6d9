package kafka_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// gtids is transactions of the given names, rows inserts each, from Commit first on: on another server the same ones stand elsewhere.
func gtids(t *change.Table, epoch uint32, first uint64, rowsEach int, names ...string) []change.Batch {
	var out []change.Batch
	for i, name := range names {
		b := rows(t, epoch, first+uint64(i), rowsEach)
		txn := &change.Txn{ID: name, Committed: b.Changes[0].Txn.Committed}
		for j := range b.Changes {
			c := &b.Changes[j]
			c.Txn = txn
			c.After = []change.Value{change.Int(int64(j)), change.Text(name)}
		}
		out = append(out, b)
	}
	return out
}

// life opens a publisher at saved, publishes, and closes it; what it ended with.
func life(t testing.TB, cfg kafka.Config, start stream.Start, batches ...change.Batch) error {
	t.Helper()
	p, err := open(t, cfg).Publisher(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, p, batches...)
	for n := range p.Acked() {
		if n == uint64(len(batches)) {
			break
		}
	}
	return p.Close()
}

// TestAnotherServerSendsAgain: after a change of server, a new Epoch, what was published and not saved comes again at other Positions. None
// of it is published twice, nothing new is left out, and a server that lacks a transaction of it is a gap.
// INTERLEAVINGS 1 (b) and (c).
func TestAnotherServerSendsAgain(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cases := []struct {
		name  string
		rows  int
		lives func(t testing.TB, table *change.Table, run func(epoch uint32, saved change.Position, b ...change.Batch) error)
		want  string // the names of the transactions of row 0's lane
	}{
		{"once", 9, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			run(1, change.Position{}, gtids(table, 1, 100, 9, "g1", "g2", "g3", "g4")...)
			run(2, at(1, 101), gtids(table, 2, 7, 9, "g3", "g4", "g5")...)
		}, "g1 g2 g3 g4 g5"},
		{"twice, with nothing saved in between", 9, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			run(1, change.Position{}, gtids(table, 1, 100, 9, "g1", "g2", "g3")...)
			run(2, at(1, 100), gtids(table, 2, 900, 9, "g2", "g3", "g4")...)
			run(3, at(1, 100), gtids(table, 3, 3, 9, "g2", "g3", "g4", "g5")...) // its log begins far below the other's
		}, "g1 g2 g3 g4 g5"},
		{"a crash on the new server", 9, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			run(1, change.Position{}, gtids(table, 1, 100, 9, "g1", "g2", "g3")...)
			run(2, at(1, 100), gtids(table, 2, 7, 9, "g2", "g3", "g4")...)
			run(2, at(1, 100), gtids(table, 2, 7, 9, "g2", "g3", "g4", "g5")...)
		}, "g1 g2 g3 g4 g5"},
		{"half a transaction", 9, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			half := gtids(table, 1, 101, 9, "g2")[0]
			half.Changes = half.Changes[:4]
			run(1, change.Position{}, append(gtids(table, 1, 100, 9, "g1"), half)...)
			run(2, at(1, 100), gtids(table, 2, 7, 9, "g2", "g3")...)
		}, "g1 g2 g3"},
		{"all was saved", 9, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			run(1, change.Position{}, gtids(table, 1, 100, 9, "g1", "g2")...)
			run(2, at(1, 101), gtids(table, 2, 7, 9, "g3")...)
		}, "g1 g2 g3"},
		{"many", 9000, func(t testing.TB, table *change.Table, run func(uint32, change.Position, ...change.Batch) error) {
			run(1, change.Position{}, gtids(table, 1, 100, 9000, "g1", "g2", "g3")...)
			run(2, at(1, 100), gtids(table, 2, 7, 9000, "g2", "g3", "g4")...)
		}, "g1 g2 g3 g4"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(broker, broker.Prefix(t))
			cfg.Tombstones = true
			c.lives(t, orders(cfg.SourceID, "orders"), func(epoch uint32, saved change.Position, b ...change.Batch) error {
				if err := life(t, cfg, stream.Start{Epoch: epoch, Saved: saved}, b...); err != nil {
					t.Fatalf("epoch %d: %v", epoch, err)
				}
				return nil
			})
			names := strings.Fields(c.want)
			seen := fetch(t, open(t, cfg), len(names)*c.rows)
			inOrder(t, cfg, seen, len(names)*c.rows)
			byRow := map[int64][]string{}
			for i := range seen {
				byRow[seen[i].After[0].Int()] = append(byRow[seen[i].After[0].Int()], seen[i].After[1].Str())
			}
			for row, got := range byRow {
				if strings.Join(got, " ") != c.want {
					t.Errorf("row %d went through %v, want %s", row, got, c.want)
				}
			}
		})
	}
}

func at(epoch uint32, commit uint64) change.Position {
	return change.Position{Epoch: epoch, Commit: commit, Seq: change.MaxSeq}
}

func TestAnotherServerLacksATransaction(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	table := orders(cfg.SourceID, "orders")
	if err := life(t, cfg, stream.Start{Epoch: 1}, gtids(table, 1, 100, 9, "g1", "g2", "g3")...); err != nil {
		t.Fatal(err)
	}
	err := life(t, cfg, stream.Start{Epoch: 2, Saved: at(1, 100)}, gtids(table, 2, 7, 9, "g2", "g4")...)
	if !errors.Is(err, change.ErrGap) || !strings.Contains(err.Error(), "g3") {
		t.Errorf("ended with %v, want ErrGap that names g3", err)
	}
}

// TestAnotherServerSendsMarkersAgain: a Truncate, and a shape, that stand in the topic don't come behind the rows that followed them; a
// delete and its tombstone count once.
func TestAnotherServerSendsMarkersAgain(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	cfg := config(broker, broker.Prefix(t))
	cfg.Partitions, cfg.Tombstones = 1, true
	before, after := orders(cfg.SourceID, "orders"), orders(cfg.SourceID, "orders")
	after.Columns = append(after.Columns, change.Column{Name: "more", Native: "text", Kind: change.KindText, Nullable: true})
	log := func(epoch uint32, commit uint64) []change.Batch {
		b := gtids(before, epoch, commit, 2, "g1", "g2", "g3", "g4", "g5")
		b[1].Changes = []change.Change{{Op: change.Truncate, Table: before, Pos: b[1].Changes[0].Pos, Txn: b[1].Changes[0].Txn}}
		gone := &b[2].Changes[1]
		gone.Op, gone.Before, gone.After = change.Delete, gone.After, nil
		for i := range b[3].Changes {
			c := &b[3].Changes[i]
			c.Table, c.After = after, append(c.After, change.Null())
		}
		shape := change.Change{Op: change.NewShape, Table: after, Pos: b[3].Changes[0].Pos, Txn: b[3].Changes[0].Txn}
		shape.Pos.Seq = change.SeqShape
		b[3].Changes = append([]change.Change{shape}, b[3].Changes...)
		b[4].Changes = b[4].Changes[:1]
		b[4].Changes[0].Table, b[4].Changes[0].After = after, append(b[4].Changes[0].After, change.Null())
		return b
	}
	if err := life(t, cfg, stream.Start{Epoch: 1}, log(1, 100)[:4]...); err != nil {
		t.Fatal(err)
	}
	if err := life(t, cfg, stream.Start{Epoch: 2, Saved: at(1, 100)}, log(2, 7)[1:]...); err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, c := range fetch(t, open(t, cfg), 9) {
		ops = append(ops, fmt.Sprintf("%s %s %d", c.Txn.ID, c.Op, c.Pos.Epoch))
	}
	want := "g1 insert 1, g1 insert 1, g2 truncate 1, g3 insert 1, g3 delete 1, g4 new_shape 1, g4 insert 1, g4 insert 1, g5 insert 2"
	if got := strings.Join(ops, ", "); got != want {
		t.Errorf("the topic holds\n%s, want\n%s", got, want)
	}
}

// TestAnotherServerAndACrashBehindAShape: the process dies when of the new server's log only a shape, or a shape among what comes again, has been
// published. That the topic ends in the new Epoch by then doesn't hide what stands there of the one before.
func TestAnotherServerAndACrashBehindAShape(t *testing.T) {
	t.Parallel()
	broker := testenv.Kafka(t)
	for _, behind := range []int{0, 1} { // transactions that come again in front of the shape
		cfg := config(broker, broker.Prefix(t))
		cfg.Partitions = 1
		table := orders(cfg.SourceID, "orders")
		run := func(epoch uint32, saved change.Position, b ...change.Batch) {
			if err := life(t, cfg, stream.Start{Epoch: epoch, Saved: saved}, b...); err != nil {
				t.Fatalf("epoch %d: %v", epoch, err)
			}
		}
		run(1, change.Position{}, gtids(table, 1, 100, 2, "g1", "g2", "g3")...)
		again := gtids(table, 2, 7, 2, "g2", "g3", "g4", "g5")
		shape := change.Change{Op: change.NewShape, Table: table, Pos: again[behind].Changes[0].Pos, Txn: again[behind].Changes[0].Txn}
		shape.Pos.Seq = change.SeqShape
		again[behind].Changes = append([]change.Change{shape}, again[behind].Changes...)
		cut := append([]change.Batch(nil), again[:behind+1]...)
		cut[behind].Changes = cut[behind].Changes[:1]
		run(2, at(1, 100), cut...)
		run(2, at(1, 100), again[:3]...)
		run(2, at(1, 100), again...)
		var got []string
		for _, c := range fetch(t, open(t, cfg), 11) {
			got = append(got, fmt.Sprintf("%s %s %d", c.Txn.ID, c.Op, c.Pos.Epoch))
		}
		want := fmt.Sprintf("g1 insert 1, g1 insert 1, g2 insert 1, g2 insert 1, g3 insert 1, g3 insert 1, g%d new_shape 2, g4 insert 2, g4 insert 2, g5 insert 2, g5 insert 2", behind+2)
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("shape behind %d: the topic holds\n%s, want\n%s", behind, got, want)
		}
	}
}

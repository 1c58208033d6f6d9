package e2e

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestStateDirectoryDeleted: a start without a checkpoint is refused as long as something downstream knows the source, and goes on from
// the slot, with a snapshot, when the operator says so.
func TestStateDirectoryDeleted(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(100)
		r.once()
		r.goOn()
		r.forget()
		r.unchanged(func() {
			r.start("run").refuses(5, "no checkpoint of "+r.name, "epoch 1", "restore the state directory", "--new-epoch")
		})
		r.once("--new-epoch")
		r.equal("orders")
	})
}

// TestSlotDropped: the log that the slot kept is gone; what was deleted meanwhile is nowhere to be had.
func TestSlotDropped(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		r.once()
		r.dropSlot()
		r.goOn()
		for range 2 { // a second start is no way out
			r.unchanged(func() { r.start("run").refuses(5, "slot "+r.name, "the log from", "is missing", "gone") })
		}
		r.newLife()
	})
}

// TestSlotDroppedWhileRunning: a process that is up halts as well.
func TestSlotDroppedWhileRunning(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		p := r.start("run")
		r.arrives(p, "select count(*) from orders", "100")
		r.dropSlot()
		r.goOn()
		p.refuses(5, "slot "+r.name, "is missing")
		if n := r.target.Value("select count(*) from orders where note <> 'first'"); n != "0" {
			t.Errorf("%s rows came after the slot was gone", n)
		}
	})
}

// TestSlotMadeAnew: a slot of the same name that somebody else made begins too late.
func TestSlotMadeAnew(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		r.once()
		r.dropSlot()
		r.goOn()
		r.source.Exec(fmt.Sprintf("select pg_create_logical_replication_slot('%s', 'pgoutput')", r.name))
		r.unchanged(func() {
			r.start("run").refuses(5, "slot "+r.name, "the log from", "is missing", "created anew or moved by somebody else")
		})
		r.newLife()
	})
}

// TestSourceRestored: a server that was put back to a backup has another log, whether it is shorter than ours or has grown past our place.
func TestSourceRestored(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		server := testenv.StartPostgres(t, 15, testenv.Options{})
		r := rigOf(t, stream, &postgres{server.PG})
		r.seed(100)
		r.once()
		backup := server.Backup()
		r.goOn()
		r.once()
		server.Restore(backup)
		r.unchanged(func() { r.start("run").refuses(5, "the log ends at", "the saved place is", "restored from a backup") })
		for range 3 {
			r.source.Exec("insert into orders select g, 'of another history' from generate_series((select max(id) + 1 from orders), (select max(id) + 400 from orders)) g")
		}
		r.unchanged(func() { r.start("run").refuses(5, "restored") })
		r.newLife()
	})
}

// TestNewEpochAfterLostLog: slot and state directory are gone, and rows were deleted meanwhile, which nothing tells any more. A new epoch begins
// with empty tables.
func TestNewEpochAfterLostLog(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := newRig(t, stream)
		r.seed(100)
		r.source.Exec("create table lines (id bigint primary key, note text)")
		r.source.Exec("insert into lines select g, 'first' from generate_series(1, 50) g")
		r.once()
		r.dropSlot()
		r.goOn()
		r.source.Exec("delete from lines")
		r.forget()
		r.once("--new-epoch")
		r.equal("orders", "lines")
		r.source.Exec("delete from orders where id % 7 = 0")
		r.source.Exec("insert into lines values (1, 'again')")
		r.once()
		r.equal("orders", "lines")
		r.unchanged(func() {
			r.start("run", "--new-epoch").refuses(4, "--new-epoch", "leave the flag away", "drop the pipeline")
		})
	})
}

// TestTableCreatedAgain: a table that was dropped and created again while nothing ran leaves no row of the first one behind.
func TestTableCreatedAgain(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(100)
		r.once()
		r.source.Exec("drop table orders")
		r.seed(10)
		r.once()
		r.equal("orders")
	})
}

// TestNewEpochWithoutSnapshot: where no rows are read, nothing can make both ends equal.
func TestNewEpochWithoutSnapshot(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(100)
		r.once()
		if _, ok := r.source.(*postgres); ok {
			r.dropSlot()
		}
		r.goOn()
		r.forget()
		r.config.inSource = "      snapshot: { mode: never }"
		r.unchanged(func() {
			r.start("run", "--new-epoch").refuses(5, "snapshot mode is never", "set snapshot mode initial", "drop the pipeline")
		})
	})
}

// newLife is the way out where log is lost. What was deleted meanwhile is in no log and in no snapshot, so what was copied before has to
// go: drop, empty the target, delete the topics, start anew.
func (r *rig) newLife() {
	r.t.Helper()
	r.start("drop", r.name, "--yes").ends(0)
	r.target.Exec("drop table orders")
	if r.stream == "kafka" {
		r.deleteTopics(r.topics()...)
	}
	r.once()
	r.equal("orders")
	r.source.Exec("delete from orders where id % 7 = 0")
	r.once()
	r.equal("orders")
}

package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "shop"

func newTable() *change.Table {
	return &change.Table{Source: source, Engine: "postgres", Schema: "public", Name: "items", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "v", Native: "bigint", Kind: change.KindInt, Bits: 64},
	}}
}

var errDead = errors.New("the process is dead")

// world is what outlives a process: the server's log, the checkpoint, the target. life is one process in it.
type world struct {
	t      *testing.T
	log    *slot
	disk   *disk
	target map[string]*table // by sink
}

func newWorld(t *testing.T, sinkNames ...string) *world {
	w := &world{t: t, log: &slot{identity: "log-1", table: newTable(), changed: make(chan struct{}), state: map[int64]int64{}}, disk: &disk{t: t}, target: map[string]*table{}}
	if len(sinkNames) == 0 {
		sinkNames = []string{"a"}
	}
	for _, name := range sinkNames {
		w.target[name] = &table{t: t, rows: map[int64]row{}, marks: map[change.Lane]change.Mark{}}
	}
	return w
}

// life can be killed: from then on nothing that this process does has any effect.
type life struct {
	mu     sync.Mutex
	dead   bool
	killed chan struct{}
	step   func(at string) bool // says whether the process dies here; nil: never
}

func newLife() *life { return &life{killed: make(chan struct{})} }

// at is a step of the process; an error says that it is dead.
func (l *life) at(where string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead && l.step != nil && l.step(where) {
		l.dead = true
		close(l.killed)
	}
	if l.dead {
		return errDead
	}
	return nil
}

// op is one committed row operation: v < 0 deletes.
type op struct{ id, v int64 }

// slot is a replication slot: transactions numbered from 1, and what has been released is gone.
type slot struct {
	mu       sync.Mutex
	identity string
	table    *change.Table
	txns     [][]op
	released int // transactions up to here are gone
	state    map[int64]int64
	changed  chan struct{}
	opened   int
	part     int // rows a batch may hold at most; 0: no limit
	shape    bool
	progress []connectors.Progress
	snapshot []byte
	openErr  func() error
	readErr  func() error
	epochs   []uint32
	silent   bool   // nothing else is written to the server: no empty batches
	anew     []byte // the progress that Open returns where targets hold an earlier life's rows
}

func (s *slot) commit(ops ...op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txns = append(s.txns, ops)
	for _, o := range ops {
		if o.v < 0 {
			delete(s.state, o.id)
		} else {
			s.state[o.id] = o.v
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *slot) open(l *life) connectors.Open {
	return func(_ context.Context, start connectors.Start) (connectors.Opened, error) {
		if err := l.at("open"); err != nil {
			return connectors.Opened{}, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opened++
		s.epochs = append(s.epochs, start.Epoch)
		if s.openErr != nil {
			if err := s.openErr(); err != nil {
				return connectors.Opened{}, err
			}
		}
		at, upto := s.released, uptoOf(start.Epoch, s.released)
		if start.Resume != "" {
			var err error
			if at, err = strconv.Atoi(string(start.Resume)); err != nil {
				return connectors.Opened{}, err
			}
			upto = start.Upto
		}
		if at < s.released {
			return connectors.Opened{}, fmt.Errorf("resume at %d, the slot stands at %d: %w", at, s.released, change.ErrGap)
		}
		f := &fakeSource{slot: s, life: l, epoch: start.Epoch, next: at}
		o := connectors.Opened{Source: f, Identity: s.identity, Resume: change.Resume(strconv.Itoa(at)), Upto: upto}
		if start.Anew {
			o.Snapshot = s.anew
		}
		return o, nil
	}
}

func uptoOf(epoch uint32, txn int) change.Position {
	return change.Position{Epoch: epoch, Commit: uint64(txn), Seq: change.MaxSeq}
}

type fakeSource struct {
	slot  *slot
	life  *life
	epoch uint32
	next  int // transactions handed over whole
	row   int // of the next one
	shown bool
}

func (f *fakeSource) Read(ctx context.Context, _ int) (change.Batch, error) {
	for {
		if err := f.life.at("read"); err != nil {
			return change.Batch{}, err
		}
		f.slot.mu.Lock()
		if f.slot.readErr != nil {
			if err := f.slot.readErr(); err != nil {
				f.slot.mu.Unlock()
				return change.Batch{}, err
			}
		}
		b, ok := f.batch()
		changed := f.slot.changed
		var moved <-chan time.Time // nil: never
		if !f.slot.silent {
			moved = time.After(time.Second)
		}
		f.slot.mu.Unlock()
		if ok {
			return b, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return change.Batch{}, ctx.Err()
		case <-f.life.killed:
		case <-moved: // the log moved on without us
			f.slot.mu.Lock()
			defer f.slot.mu.Unlock()
			return f.end(change.Batch{}), nil
		}
	}
}

func (f *fakeSource) end(b change.Batch) change.Batch {
	b.Upto, b.Resume, b.Snapshot = uptoOf(f.epoch, f.next), change.Resume(strconv.Itoa(f.next)), f.slot.snapshot
	return b
}

// batch hands over part rows at most, so transactions come in parts and several in one.
func (f *fakeSource) batch() (change.Batch, bool) {
	var b change.Batch
	limit := f.slot.part
	for f.next < len(f.slot.txns) && (limit == 0 || len(b.Changes) < limit) {
		txn := f.slot.txns[f.next]
		id := &change.Txn{ID: strconv.Itoa(f.next + 1), Committed: time.Now()}
		for f.row < len(txn) && (limit == 0 || len(b.Changes) < limit) {
			pos := change.Position{Epoch: f.epoch, Commit: uint64(f.next + 1), Seq: uint64(f.row)<<2 | change.SeqRow}
			if f.slot.shape && !f.shown {
				f.shown = true
				shape := pos
				shape.Seq &^= 3
				b.Changes = append(b.Changes, change.Change{Op: change.NewShape, Table: f.slot.table, Pos: shape, Txn: id})
			}
			b.Changes = append(b.Changes, changeOf(f.slot.table, txn[f.row], pos, id))
			f.row++
		}
		if f.row == len(txn) {
			f.next, f.row = f.next+1, 0
		}
	}
	return f.end(b), len(b.Changes) > 0
}

func changeOf(t *change.Table, o op, pos change.Position, txn *change.Txn) change.Change {
	if o.v < 0 {
		return change.Change{Op: change.Delete, Table: t, Before: []change.Value{change.Int(o.id), {}}, Pos: pos, Txn: txn}
	}
	return change.Change{Op: change.Insert, Table: t, After: []change.Value{change.Int(o.id), change.Int(o.v)}, Pos: pos, Txn: txn}
}

func (f *fakeSource) Head(context.Context) (change.Position, error) {
	f.slot.mu.Lock()
	defer f.slot.mu.Unlock()
	return uptoOf(f.epoch, len(f.slot.txns)), nil
}

func (f *fakeSource) Release(_ context.Context, upTo change.Resume) error {
	if err := f.life.at("release"); err != nil {
		return err
	}
	at, err := strconv.Atoi(string(upTo))
	f.slot.mu.Lock()
	defer f.slot.mu.Unlock()
	f.slot.released = max(f.slot.released, at)
	return err
}

func (f *fakeSource) Snapshot(context.Context, string, string) error { return nil }

func (f *fakeSource) Progress() []connectors.Progress {
	f.slot.mu.Lock()
	defer f.slot.mu.Unlock()
	return append([]connectors.Progress(nil), f.slot.progress...)
}

func (f *fakeSource) Close() error { return nil }

// disk is a store with two generations, of which the newest may be torn.
type disk struct {
	t       *testing.T
	mu      sync.Mutex
	records []checkpoint.Record // at most two, newest last
	saves   int
	loadErr error
	check   func(r checkpoint.Record) // called before each Save
}

func (d *disk) newest() checkpoint.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.records) == 0 {
		return checkpoint.Record{}
	}
	return d.records[len(d.records)-1]
}

// tear loses the newest generation; Load then says the most that can have been released, as a Store must.
func (d *disk) tear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.records) == 2 {
		r := d.records[0]
		r.Released, r.ReleasedUpto = r.Resume, r.Upto
		d.records = []checkpoint.Record{r}
	}
}

func (d *disk) store(l *life) checkpoint.Store { return &fakeStore{disk: d, life: l} }

type fakeStore struct {
	disk *disk
	life *life
}

func (s *fakeStore) Load(context.Context, string) (checkpoint.Record, error) {
	if s.disk.loadErr != nil {
		return checkpoint.Record{}, s.disk.loadErr
	}
	r := s.disk.newest()
	if r.Generation == 0 {
		return r, checkpoint.ErrNotFound
	}
	r.Announced = maps.Clone(r.Announced)
	return r, nil
}

func (s *fakeStore) Save(_ context.Context, r checkpoint.Record) (checkpoint.Record, error) {
	if err := s.life.at("save.before"); err != nil {
		return r, err
	}
	if s.disk.check != nil {
		s.disk.check(r)
	}
	newest := s.disk.newest().Generation
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if r.Generation != newest {
		return r, change.ErrFenced
	}
	r.Generation++
	r.Announced = maps.Clone(r.Announced)
	s.disk.records = append(s.disk.records, r)
	if len(s.disk.records) > 2 {
		s.disk.records = s.disk.records[1:]
	}
	s.disk.saves++
	return r, s.life.at("save.after")
}

func (s *fakeStore) Delete(context.Context, string) error { return nil }
func (s *fakeStore) Close() error                         { return nil }

package kafka

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// assignment is the lanes that are ours for one generation of the group. What several goroutines touch is guarded by u.mu.
type assignment struct {
	u      *subscriber
	gen    *kafkago.Generation
	rejoin context.CancelFunc // leaves the group, to look at the topics anew
	lost   chan struct{}

	order  []*inLane // in the order of the last fetch request
	lanes  map[change.Lane]*inLane
	topics map[string][]*inLane
	turn   int // whose turn it is to be delivered
	share  int // bytes that a lane may hold ahead

	commits   map[change.Lane]int64
	committed chan struct{}

	fetchers   map[int32]bool  // brokers that have one
	leaderless bool            // some lane has no leader, as far as is known
	looked     time.Time       // when the leaders were last asked for
	ctx        context.Context // run's
	ended      bool            // run waits for what is under way, so nothing is begun any more
	cores      chan []byte     // room to unpack a batch in, one for each core: who has it may decode
	wg         sync.WaitGroup
}

// inLane is one lane as a subscriber sees it.
type inLane struct {
	id      change.Lane
	decoder *codec.Decoder
	records recordReader

	from     change.Mark   // how far it has been delivered
	end      int64         // everything below has been decoded
	seen     producer      // who wrote the batch just below end
	entries  []entry       // what is between, without what isn't a change
	bytes    int           // of those
	fetched  int64         // everything below has been fetched
	batches  []parsedBatch // what is between, as it came
	packed   int           // bytes of those
	out      bool          // a delivery is not committed
	busy     bool          // a fetcher is at it
	decoding bool          // somebody is at its batches
}

// entry is one change and the offset behind its record.
type entry struct {
	c    change.Change
	next int64
	size int
	by   producer // who wrote it
}

func newAssignment(u *subscriber, gen *kafkago.Generation, rejoin context.CancelFunc) *assignment {
	a := &assignment{u: u, gen: gen, rejoin: rejoin, lost: make(chan struct{}), lanes: map[change.Lane]*inLane{}, topics: map[string][]*inLane{},
		commits: map[change.Lane]int64{}, committed: make(chan struct{}, 1), fetchers: map[int32]bool{}, cores: make(chan []byte, runtime.GOMAXPROCS(0))}
	for range cap(a.cores) {
		a.cores <- nil
	}
	for topic, partitions := range gen.Assignments {
		for _, p := range partitions {
			l := &inLane{id: change.Lane{Stream: topic, N: int32(p.ID)}, decoder: codec.NewDecoder(u.s.cfg.SourceID, u.s.shapes.lookup)}
			a.lanes[l.id] = l
			a.topics[topic] = append(a.topics[topic], l)
			a.order = append(a.order, l)
		}
	}
	a.share = max(u.s.cfg.MemoryBytes/max(1, len(a.order)), minShare)
	return a
}

// minShare is the least that a lane may hold ahead, in bytes, however many there are.
const minShare = 64 << 10

// run fetches until ctx ends, and commits the group's offsets on the way.
func (a *assignment) run(ctx context.Context) {
	a.u.mu.Lock()
	a.ctx = ctx
	a.u.mu.Unlock()
	a.wg.Go(func() { a.spread(ctx) })
	t := time.NewTicker(commitEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
			select {
			case <-a.committed:
				a.commit()
			default:
			}
		}
	}
	a.u.mu.Lock()
	a.ended = true
	a.u.mu.Unlock()
	a.wg.Wait()
}

// commitEvery is how long the group's offset may lag behind Commit.
const commitEvery = 100 * time.Millisecond

// commit moves the group's offsets to what has been committed. They are a hint: a sink that keeps marks goes by those, another may see
// the last changes again.
func (a *assignment) commit() {
	a.u.mu.Lock()
	offsets := map[string]map[int]int64{}
	for l, next := range a.commits {
		if offsets[l.Stream] == nil {
			offsets[l.Stream] = map[int]int64{}
		}
		offsets[l.Stream][int(l.N)] = next
	}
	clear(a.commits)
	a.u.mu.Unlock()
	if len(offsets) == 0 {
		return
	}
	if err := a.gen.CommitOffsets(offsets); err != nil {
		a.u.log.Warn("the group's offsets were not stored", "group", a.u.group, "error", err)
		a.recommit(offsets)
	}
}

// recommit puts offsets back for the next commit, where nothing newer has come.
func (a *assignment) recommit(offsets map[string]map[int]int64) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	for topic, partitions := range offsets {
		for n, next := range partitions {
			l := change.Lane{Stream: topic, N: int32(n)}
			a.commits[l] = max(a.commits[l], next)
		}
	}
	select {
	case a.committed <- struct{}{}:
	default:
	}
}

// deliver hands out one lane's changes, or a marker with all lanes of its topic; false where there is nothing to hand out now. u.mu is
// held.
func (a *assignment) deliver(maxBytes int) (stream.Delivery, bool, error) {
	for range a.order {
		l := a.order[a.turn%len(a.order)]
		a.turn++
		if l.out {
			continue
		}
		if len(l.entries) > 0 && l.entries[0].c.Op.IsMarker() {
			d, ok, err := a.deliverMarker(l)
			if ok || err != nil {
				return d, ok, err
			}
		}
		if len(l.entries) > 0 && !l.entries[0].c.Op.IsMarker() || len(l.entries) == 0 && l.end > l.from.Next {
			d := l.take(maxBytes, a.lost)
			a.decode(l)
			return d, true, nil
		}
	}
	return stream.Delivery{}, false, nil
}

// take is what has come up to the next marker, and to about maxBytes. Where nothing is left behind it, To passes control batches and
// holes too.
func (l *inLane) take(maxBytes int, lost <-chan struct{}) stream.Delivery {
	d := stream.Delivery{From: []change.Mark{l.from}, Lost: lost}
	n, size := 0, 0
	for n < len(l.entries) && !l.entries[n].c.Op.IsMarker() && (n == 0 || size+l.entries[n].size <= maxBytes) {
		size += l.entries[n].size
		n++
	}
	d.Changes = make([]change.Change, n)
	for i := range n {
		d.Changes[i] = l.entries[i].c
	}
	l.pass(n)
	d.To = []change.Mark{l.from}
	return d
}

// pass moves from over the first n entries, and to the end where none are left. The lane is out.
func (l *inLane) pass(n int) {
	for i := range n {
		e := &l.entries[i]
		if l.from.Pos.Less(e.c.Pos) {
			l.from.Pos = e.c.Pos
		}
		l.from.Next = e.next
		l.bytes -= e.size
	}
	clear(l.entries[:n])
	l.entries = l.entries[n:]
	if len(l.entries) == 0 {
		l.entries = nil
		l.from.Next = l.end
	}
	l.out = true
}

// deliverMarker hands out the marker at l's head once every lane of the topic stands at it. u.mu is held.
//
// A crash can leave a marker in some lanes only: the others have passed its Position without it, or stand at a later one. Then
// nobody will ever bring it to all. A Truncate that began a snapshot's chunk is begun again by its publisher with a later one, so this one is
// dropped; a shape does no harm where it comes alone; any other Truncate means that the topic has lost it, which is a gap.
func (a *assignment) deliverMarker(l *inLane) (stream.Delivery, bool, error) {
	head := &l.entries[0]
	m := &head.c
	var at []*inLane
	partial := false
	for _, o := range a.topics[l.id.Stream] {
		switch {
		case len(o.entries) > 0 && sameMarker(head, &o.entries[0]):
			if o.out {
				return stream.Delivery{}, false, nil
			}
			at = append(at, o)
		case passed(o, head):
			partial = true
		default:
			return stream.Delivery{}, false, nil
		}
	}
	d := stream.Delivery{Changes: []change.Change{*m}, Lost: a.lost}
	switch {
	case !partial || m.Op == change.NewShape:
	case m.Txn == nil:
		d.Changes = nil
	default:
		return d, false, fmt.Errorf("%w: the truncate of %s at %s stands in %d of the %d partitions of %s; take a new snapshot of the table",
			change.ErrGap, m.Table, m.Pos, len(at), len(a.topics[l.id.Stream]), l.id.Stream)
	}
	for _, o := range at {
		d.From = append(d.From, o.from)
		o.pass(1)
		a.decode(o)
		d.To = append(d.To, o.from)
	}
	return d, true, nil
}

// sameMarker says that two lanes stand at one marker. One that begins a snapshot's chunk comes again at the same Position where its publisher
// has died meanwhile and nothing else happened at the source: what tells the two apart is who wrote them.
func sameMarker(a, b *entry) bool {
	return a.c.Op == b.c.Op && a.c.Pos == b.c.Pos && a.c.Table == b.c.Table && (a.c.Txn != nil || a.by == b.by)
}

// passed says that lane o will never bring the marker m: what it has delivered, or has next, stands above m, or a later publisher has
// fenced it.
func passed(o *inLane, m *entry) bool {
	if o.from.Pos.Covers(&m.c) {
		return true
	}
	if len(o.entries) == 0 {
		return m.c.Txn == nil && o.seen.follows(m.by)
	}
	first := &o.entries[0]
	return m.c.Pos.Less(first.c.Pos) || m.c.Txn == nil && first.by.follows(m.by)
}

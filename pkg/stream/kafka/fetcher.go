package kafka

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	fetchWait     = 500 * time.Millisecond // a request may wait at the broker; it answers as soon as there is anything
	fetchWaitFull = 20 * time.Millisecond  // the same while a lane has no room: it may have some in a moment, and can't join a request
	fetchLaneMax  = 1 << 20                // of one lane in one response, in bytes; the first batch comes whole whatever its size
)

// spread starts a fetcher for every broker that leads one of our lanes, and again after leaders have moved. It returns once somebody fetches:
// the fetchers look again for the leaders of lanes that have none.
func (a *assignment) spread(ctx context.Context) {
	var pause backOff
	for ctx.Err() == nil && len(a.lanes) > 0 && !a.look(ctx) {
		_ = pause.wait(ctx) // the loop's condition sees it
	}
}

// look asks for the leaders that aren't known, and starts the fetchers that are missing. False: there is none at all.
func (a *assignment) look(ctx context.Context) bool {
	groups, err := a.u.s.client.leadersOf(ctx, slices.Collect(maps.Keys(a.lanes)))
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	a.looked = time.Now()
	a.leaderless = err != nil || len(groups[-1]) > 0
	for broker := range groups {
		if broker >= 0 && !a.fetchers[broker] && !a.ended {
			a.fetchers[broker] = true
			a.wg.Go(func() { a.fetch(ctx, broker) })
		}
	}
	for _, running := range a.fetchers {
		if running {
			return true
		}
	}
	return false
}

// lookEvery is how long a lane that has no leader waits until it is looked for again.
const lookEvery = 500 * time.Millisecond

// lookAgain looks for the leaders of lanes without one, where that is due.
func (a *assignment) lookAgain(ctx context.Context) {
	a.u.mu.Lock()
	due := a.leaderless && time.Since(a.looked) >= lookEvery
	if due {
		a.looked = time.Now() // nobody else needs to
	}
	a.u.mu.Unlock()
	if due {
		a.look(ctx)
	}
}

// fetch asks one broker for its lanes until it leads none or ctx ends.
func (a *assignment) fetch(ctx context.Context, broker int32) {
	var pause backOff
	for ctx.Err() == nil {
		lanes, wait, changed := a.want(broker)
		a.lookAgain(ctx)
		if len(lanes) == 0 {
			if changed == nil {
				a.move(ctx, broker)
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		out, err := a.u.s.client.fetch(ctx, broker, lanes, wait)
		moved := err != nil
		if err == nil {
			moved, err = a.takeIn(ctx, out)
		}
		a.release(lanes)
		switch {
		case ctx.Err() != nil:
		case err != nil && !passing(err):
			a.u.fail(err)
			return
		case moved: // a leader is elsewhere, or the connection broke: where the lanes are now is to be asked
			for _, l := range lanes {
				a.u.s.client.forget(l.lane.Stream)
			}
			_ = pause.wait(ctx) // the loop's condition sees it
			a.move(ctx, broker)
			return
		default:
			pause = backOff{}
		}
	}
}

// move ends broker's fetcher and looks where its lanes are now; that may be here.
func (a *assignment) move(ctx context.Context, broker int32) {
	a.u.mu.Lock()
	a.fetchers[broker] = false
	a.u.mu.Unlock()
	a.spread(ctx)
}

// want picks the broker's lanes that have room, longest waiting first, and marks them busy. No lanes: changed is closed when to look
// again, or is nil where the broker leads none of them.
func (a *assignment) want(broker int32) (lanes []fetchLane, wait time.Duration, changed <-chan struct{}) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	wait = fetchWait
	for _, l := range a.order {
		if leader := a.u.s.client.leader(l.id); leader != broker {
			a.leaderless = a.leaderless || leader < 0
			continue
		}
		changed = a.u.changed
		switch {
		case l.busy:
		case l.bytes >= a.share || l.packed >= a.packedShare():
			wait = fetchWaitFull
		default:
			l.busy = true
			lanes = append(lanes, fetchLane{lane: l.id, offset: l.fetched, maxBytes: int32(min(fetchLaneMax, a.packedShare()))})
		}
	}
	return lanes, wait, changed
}

// release makes lanes free for the next request, behind those that were not in this one.
func (a *assignment) release(lanes []fetchLane) {
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	for _, f := range lanes {
		a.lanes[f.lane].busy = false
	}
	if len(lanes) > 1 {
		// A response that is full ends inside some lane: the next one begins with another.
		a.order = slices.Concat(a.order[1:], a.order[:1])
	}
}

// takeIn keeps what has come, to be decoded. moved says that some lane is led by another broker by now.
func (a *assignment) takeIn(ctx context.Context, out []fetched) (moved bool, err error) {
	for i := range out {
		f := &out[i]
		l := a.lanes[f.lane]
		if l == nil {
			return false, fmt.Errorf("fetch: lane %s/%d was not asked for", f.lane.Stream, f.lane.N)
		}
		switch {
		case f.code == 0:
		case f.code == kafkago.OffsetOutOfRange:
			return false, fmt.Errorf("%w: %s/%d: offset %d is not in the topic (it begins at %d and ends at %d): retention has passed us, or the topic was made anew; take a new snapshot of the table",
				change.ErrGap, l.id.Stream, l.id.N, l.fetched, f.logStart, f.end)
		case f.code == kafkago.UnknownTopicOrPartition: // deleted, perhaps made anew: all its marks are to be proved again
			a.u.s.client.forget(f.lane.Stream)
			a.rejoin()
			return true, nil
		case passing(classify(f.code)):
			moved = true
			continue
		default:
			return false, fmt.Errorf("fetch %s/%d: %w", l.id.Stream, l.id.N, classify(f.code))
		}
		records := f.records
		if len(out) > 1 { // a lane that stands still would keep the whole response
			records = bytes.Clone(records)
		}
		if err := a.keep(l, records); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// keep takes in the batches that have come for l, whose fetcher the caller is.
func (a *assignment) keep(l *inLane, b []byte) error {
	var batches []parsedBatch
	end, packed := l.fetched, 0
	for {
		batch, rest, ok, err := nextBatch(b)
		if err != nil {
			return fmt.Errorf("%s/%d: %w", l.id.Stream, l.id.N, err)
		}
		if !ok {
			break
		}
		b = rest
		if batch.next > end { // a response may begin with the batch before
			batches = append(batches, batch)
			end = batch.next // not the last record's: what compaction has taken behind it is passed as well
			packed += len(batch.payload)
		}
	}
	a.u.mu.Lock()
	defer a.u.mu.Unlock()
	l.batches, l.packed, l.fetched = append(l.batches, batches...), l.packed+packed, end
	a.decode(l)
	return nil
}

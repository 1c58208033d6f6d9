package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// laneState is one lane of the present assignment.
type laneState struct {
	mark   change.Mark     // as it stands in the target
	head   change.Position // busy: the first change of the delivery in hand that is not applied
	busy   bool
	since  time.Time // when mark last moved
	parked parkedKeys
}

// lose forgets the lanes of a delivery that came to nothing, unless they have been assigned again since.
func (l *applying) lose(j *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, m := range j.to {
		if l.lanes[m.Lane] == j.lanes[i] {
			delete(l.lanes, m.Lane)
			l.sorted = slices.DeleteFunc(l.sorted, func(s *laneState) bool { return s == j.lanes[i] })
		}
	}
	l.wake()
}

// begin loads marks and parked keys inside each new assignment (invariant 8), once all that was applied under the last one is over.
func (l *applying) begin(ctx context.Context, lanes []change.Lane) ([]change.Mark, error) {
	if err := l.settled(ctx); err != nil {
		return nil, fmt.Errorf("wait for what is being applied: %w", err)
	}
	states := map[string]sinks.State{}
	fresh := make(map[change.Lane]*laneState, len(lanes))
	now := time.Now()
	for _, lane := range lanes {
		fresh[lane] = &laneState{mark: change.Mark{Lane: lane}, since: now}
		if _, ok := states[lane.Stream]; ok {
			continue
		}
		state, err := l.target.Load(ctx, lane.Stream)
		if err != nil {
			return nil, fmt.Errorf("load marks of %s: %w", lane.Stream, err)
		}
		states[lane.Stream] = state
	}
	var marks []change.Mark
	for name, state := range states {
		for _, m := range state.Marks {
			if s := fresh[m.Lane]; s != nil {
				s.mark = m
				marks = append(marks, m)
			} else if l.cfg.Direct {
				return nil, fmt.Errorf("sink %s has a mark of lane %d of %s, %d lanes are configured: the number of lanes can't change under a target: %w",
					l.sink.Name, m.Lane.N, name, len(lanes), change.ErrPreflight)
			}
		}
		for i := range state.Parked {
			p := &state.Parked[i]
			k, err := keyOf(&p.Change)
			if err != nil {
				return nil, fmt.Errorf("parked change: %w", err)
			}
			if s := fresh[p.Lane]; s != nil {
				s.parked.add(k)
			}
		}
	}
	l.assign(fresh, states)
	if !l.cfg.Direct {
		marks = unmarked(marks, fresh)
	}
	return marks, nil
}

// unmarked adds a zero mark for each lane that the target has none of. Invariant 5: it has applied nothing of them, or was emptied since, so
// the stream may not go on from where it remembers this sink.
func unmarked(marks []change.Mark, lanes map[change.Lane]*laneState) []change.Mark {
	marked := make(map[change.Lane]bool, len(marks))
	for _, m := range marks {
		marked[m.Lane] = true
	}
	for lane, s := range lanes {
		if !marked[lane] {
			marks = append(marks, s.mark)
		}
	}
	return marks
}

func (l *applying) assign(fresh map[change.Lane]*laneState, states map[string]sinks.State) {
	sorted := slices.SortedFunc(maps.Values(fresh), func(a, b *laneState) int {
		return cmp.Or(strings.Compare(a.mark.Lane.Stream, b.mark.Lane.Stream), cmp.Compare(a.mark.Lane.N, b.mark.Lane.N))
	})
	l.mu.Lock()
	l.lanes, l.sorted, l.parked = fresh, sorted, 0
	clear(l.streams)
	for name, state := range states {
		l.streams[name] = len(state.Parked)
		l.parked += len(state.Parked)
	}
	l.wake()
	l.mu.Unlock()
	l.report()
}

// parkedNow counts the parked changes of the assigned streams.
func (l *applying) parkedNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parked
}

// report shows how many changes are parked. Where the lanes stand is asked for when somebody looks: there may be very many.
func (l *applying) report() {
	n := l.parkedNow()
	l.cfg.Observer.parked(l.event, n)
	l.board.sink(l.sink.Name, func(s *SinkStatus) { s.Parked = n })
}

// marks is where the lanes stand, by stream and lane.
func (l *applying) marks() []change.Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	marks := make([]change.Mark, len(l.sorted))
	for i, s := range l.sorted {
		marks[i] = s.mark
	}
	return marks
}

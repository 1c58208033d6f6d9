package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestADeliveryCostsTheSameHoweverManyLanesThereAre: what is allocated for an applied delivery doesn't grow with the lanes of the sink.
func TestADeliveryCostsTheSameHoweverManyLanesThereAre(t *testing.T) {
	cost := map[int]float64{}
	for _, lanes := range []int32{6, 6000} {
		cfg := &Config{Name: "p", Sinks: []Sink{{Name: "k"}}}
		l := &applying{apply: &apply{cfg: cfg, sink: &cfg.Sinks[0], board: newBoard(cfg)}, moved: make(chan struct{}), streams: map[string]int{}}
		fresh := map[change.Lane]*laneState{}
		for n := range lanes {
			lane := change.Lane{Stream: fmt.Sprint("table_", n/6), N: n % 6}
			fresh[lane] = &laneState{mark: change.Mark{Lane: lane}}
		}
		l.assign(fresh, map[string]sinks.State{})
		if got := len(l.marks()); got != int(lanes) {
			t.Errorf("%d marks are shown, want %d", got, lanes)
		}
		m := l.sorted[0].mark
		j := &job{from: []change.Mark{m}, to: []change.Mark{m}, lanes: l.sorted[:1]}
		began := time.Now()
		cost[int(lanes)] = testing.AllocsPerRun(100, func() {
			if err := l.applied(j, 0); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d lanes: %.0f allocations, %s for each of 101", lanes, cost[int(lanes)], time.Since(began)/101)
	}
	if cost[6] != cost[6000] || cost[6] > 10 {
		t.Errorf("allocations by lanes: %v", cost)
	}
}

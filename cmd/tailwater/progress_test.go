package main

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

func TestSnapshotLine(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tenAgo, twentyAgo := now.Add(-10*time.Second), now.Add(-20*time.Second)
	for name, c := range map[string]struct {
		tables []api.Progress
		want   string
	}{
		"one table":        {[]api.Progress{{Table: "a", Rows: 250, Estimate: 1000, Started: tenAgo}}, "snapshot a (0 of 1 tables): 250 rows, 25%, 25 rows/s, 30s left"},
		"not begun":        {[]api.Progress{{Table: "a", Estimate: -1}}, "snapshot a (0 of 1 tables): 0 rows"},
		"no estimate":      {[]api.Progress{{Table: "a", Rows: 50, Estimate: -1, Started: tenAgo}}, "snapshot a (0 of 1 tables): 50 rows, 5 rows/s"},
		"estimate too low": {[]api.Progress{{Table: "a", Rows: 100, Estimate: 10, Started: tenAgo}}, "snapshot a (0 of 1 tables): 100 rows, 99%, 10 rows/s"},
		"all have begun": {[]api.Progress{{Table: "a", Rows: 100, Estimate: 90, Started: twentyAgo, Done: true}, {Table: "b", Rows: 100, Estimate: 300, Started: tenAgo}},
			"snapshot b (1 of 2 tables): 200 rows, 50%, 10 rows/s, 20s left"},
		"one is to come": {[]api.Progress{{Table: "a", Rows: 100, Estimate: 90, Started: twentyAgo, Done: true}, {Table: "b", Rows: 100, Estimate: 400, Started: tenAgo}, {Table: "c", Estimate: -1}},
			"snapshot b (1 of 3 tables): 200 rows, 25% of this table, 10 rows/s, 30s left in it"},
		"a later one has begun": {[]api.Progress{{Table: "a", Estimate: -1}, {Table: "b", Rows: 10, Estimate: 20, Started: tenAgo}},
			"snapshot b (0 of 2 tables): 10 rows, 50% of this table, 1 rows/s, 10s left in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := snapshotLine(c.tables, now); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSinkText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sink api.Sink
		want string
	}{
		"applies":    {api.Sink{Ready: true, Lanes: 4}, ""},
		"not open":   {api.Sink{}, "its target or the stream is not open"},
		"paused":     {api.Sink{Ready: true, Lanes: 4, Paused: true, Parked: 7}, "paused, 7 changes are parked and parked_limit is reached"},
		"waits":      {api.Sink{Ready: true, Lanes: 4, Waits: 1}, "1 of 4 lanes wait for the order of others"},
		"no lane":    {api.Sink{Ready: true}, "no lanes yet: nothing is published, or the group waits for another process"},
		"parks some": {api.Sink{Ready: true, Lanes: 4, Parked: 7}, "7 changes are parked; tailwater parked list says why"},
	} {
		if got := sinkText(c.sink); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

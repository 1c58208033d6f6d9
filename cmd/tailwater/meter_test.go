package main

import (
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestLag: 0 at the log's end only, and growing while nothing is read, also where other databases' changes move the log on all the time.
func TestLag(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	place := func(n int) change.Position { return change.Position{Epoch: 1, Commit: uint64(n)} }
	never := time.Time{}
	m := &meter{}
	if _, known := m.lag(at(0), never); known {
		t.Error("a lag is told before anything is known")
	}
	for _, step := range []struct {
		name      string
		now       int
		end, read int // end 0: the source doesn't answer
		committed time.Time
		want      int
	}{
		{"at the end", 0, 10, 10, at(-50), 0},
		{"the log moves on, we follow", 1, 12, 11, at(-50), 1},
		{"the end of a second ago is read", 2, 14, 13, at(-50), 1},
		{"a backlog of other databases", 30, 1000, 15, at(-50), 28},
		{"a backlog of our own", 31, 1001, 16, at(20), 11},
		{"behind still", 32, 1002, 990, at(20), 12},
		{"at the end again", 33, 1002, 1002, at(20), 0},
		{"the source is gone", 34, 0, 1002, at(20), 0},
		{"the source is gone for an hour", 3633, 0, 1002, at(20), 3600},
	} {
		if step.end > 0 {
			m.look(logEnd{pos: place(step.end), at: at(step.now)}, place(step.read))
		}
		if got, known := m.lag(at(step.now), step.committed); !known || got != time.Duration(step.want)*time.Second {
			t.Errorf("%s: lag %s, known %t, want %d s", step.name, got, known, step.want)
		}
	}
}

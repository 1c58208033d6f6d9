package main

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

func TestLanesAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream config.Stream
		tables []string
		want   int
	}{
		"whole transactions":        {config.Stream{Type: config.Direct, Atomic: true, Lanes: 4}, []string{"a.*"}, 1},
		"direct lanes":              {config.Stream{Type: config.Direct, Lanes: 4}, []string{"a.*"}, 4},
		"too many direct lanes":     {config.Stream{Type: config.Direct, Lanes: 40}, []string{"a.b"}, maxLanes},
		"partitions of one topic":   {config.Stream{Type: config.Kafka, Partitions: 3}, []string{"a.b"}, 3},
		"partitions of two topics":  {config.Stream{Type: config.Kafka, Partitions: 3}, []string{"a.b", "a.c"}, 6},
		"partitions of many topics": {config.Stream{Type: config.Kafka, Partitions: 1}, []string{"a.b", "a.c*"}, maxLanes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &config.Pipeline{Stream: c.stream}
			p.Source.Tables.Include = c.tables
			if got := lanesAtOnce(wiring{pipeline: p}); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}

package metrics_test

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/metrics"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/sinks"
)

var update = flag.Bool("update", false, "write the golden files again")

// at is the tests' clock.
var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fed returns a registry that has been told a little of everything.
func fed(status ...pipeline.Status) *metrics.Metrics {
	m := metrics.New(metrics.Options{
		Version:  `v"1`,
		Status:   func() []pipeline.Status { return status },
		Topic:    func(_ string, t *change.Table) string { return "p." + t.Name },
		LagBytes: func(name string) (int64, bool) { return 4096, name == "a" },
		Lag:      func(name string) (time.Duration, bool) { return 1500 * time.Millisecond, name == "a" },
		Now:      func() time.Time { return at },
	})
	o := m.Observer()
	table := &change.Table{Schema: "s", Name: "t\n\"x\\"}
	capture, sink := pipeline.Event{Pipeline: "a"}, pipeline.Event{Pipeline: "a", Sink: "k"}
	o.Rows(capture, pipeline.StageRead, table, change.Insert, 3)
	o.Rows(capture, pipeline.StageRead, table, change.SnapshotRow, 2)
	o.Rows(capture, pipeline.StagePublished, table, change.Insert, 3)
	o.Rows(sink, pipeline.StageApplied, table, change.Insert, 2)
	o.Rows(sink, pipeline.StageSkipped, table, change.Insert, 1)
	o.Rows(sink, pipeline.StageParked, table, change.Update, 1)
	o.Txns(capture, 2)
	o.Applied(sink, 30*time.Millisecond)
	o.Latency(sink, 40*time.Millisecond, 3)
	o.Latency(sink, -time.Second, 1)
	o.Latency(sink, 2*time.Hour, 1)
	o.Retry(sink, "40001")
	o.Restart(capture, "unreachable", time.Second)
	o.Gap(capture, change.ErrGap)
	o.Gap(sink, change.ErrGap)
	o.Schema(sink, sinks.SchemaChange{Table: table, Kind: sinks.KindDrop, Action: sinks.Ignore, Column: "c"})
	m.AuthFailed()
	return m
}

func scrape(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func status() pipeline.Status {
	return pipeline.Status{Pipeline: "a", State: pipeline.Running, SavedAt: at.Add(-3 * time.Second), Unacked: 1,
		Snapshot: []connectors.Progress{{Table: "s.half", Rows: 5, Estimate: 10}, {Table: "s.done", Rows: 5, Estimate: 1, Done: true}, {Table: "s.unknown", Rows: 5, Estimate: -1}},
		Sinks:    []pipeline.SinkStatus{{Sink: "k", Parked: 7}}}
}

// TestGoldenText holds every metric of ours as it is served.
func TestGoldenText(t *testing.T) {
	t.Parallel()
	const file = "testdata/metrics.txt"
	var ours []string
	for line := range strings.Lines(scrape(fed(status()))) {
		if strings.Contains(line, "tailwater_") {
			ours = append(ours, regexp.MustCompile(`go="[^"]*"`).ReplaceAllString(line, `go="GO"`))
		}
	}
	got := strings.Join(ours, "")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (%v)\n%s", file, err, got)
	}
}

// TestFormat holds all of it, the runtime's too, to the text format: a type before its samples, no series twice, buckets that grow.
func TestFormat(t *testing.T) {
	t.Parallel()
	sample := regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? [0-9.eE+-]+(?:Inf)?$`)
	types := map[string]string{}
	seen := map[string]bool{}
	for line := range strings.Lines(scrape(fed(status(), pipeline.Status{Pipeline: "b", State: pipeline.Halted}))) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			if types[name] != "" {
				t.Errorf("%s stands twice", name)
			}
			types[name] = kind
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no sample: %s", line)
			continue
		}
		series := line[:strings.LastIndexByte(line, ' ')]
		if seen[series] {
			t.Errorf("%s stands twice", series)
		}
		seen[series] = true
		name := m[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && (types[base] == "histogram" || types[base] == "summary") {
				name = base
			}
		}
		if types[name] == "" {
			t.Errorf("%s has no type", name)
		}
		if types[name] == "counter" != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, types[name])
		}
	}
	for _, name := range []string{"go_goroutines", "go_info", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_start_time_seconds"} {
		if types[name] == "" {
			t.Errorf("no %s", name)
		}
	}
}

// TestLabelsAreCapped: however many tables a source has, a metric has so many series.
func TestLabelsAreCapped(t *testing.T) {
	t.Parallel()
	m := fed()
	o := m.Observer()
	const n = 1000
	for i := range n {
		o.Rows(pipeline.Event{Pipeline: "a"}, pipeline.StageRead, &change.Table{Schema: "s", Name: fmt.Sprint("t", i)}, change.Insert, 1)
	}
	lines := slices.Collect(strings.Lines(scrape(m)))
	tables, rest := 0, ""
	for _, line := range lines {
		if strings.HasPrefix(line, "tailwater_source_events_total{") {
			tables++
			if strings.Contains(line, `table="other"`) {
				rest = line
			}
		}
	}
	if tables > 210 || rest != "tailwater_source_events_total{op=\"insert\",pipeline=\"a\",table=\"other\"} 801\n" {
		t.Errorf("%d series, %s", tables, rest)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	m := fed(status())
	o := m.Observer()
	table := &change.Table{Schema: "s", Name: "u"}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				o.Rows(pipeline.Event{Pipeline: "a"}, pipeline.StageRead, table, change.Delete, 2)
				o.Applied(pipeline.Event{Pipeline: "a", Sink: "z"}, time.Millisecond)
			}
			scrape(m)
		})
	}
	wg.Wait()
	got := scrape(m)
	for _, want := range []string{`tailwater_source_events_total{op="delete",pipeline="a",table="s.u"} 8000`, `tailwater_sink_commit_seconds_count{pipeline="a",sink="z"} 4000`} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestCountingIsCheap: what the loops call for each run of rows doesn't grow the heap much.
func TestCountingIsCheap(t *testing.T) {
	o := fed().Observer()
	table := &change.Table{Schema: "s", Name: "u"}
	e := pipeline.Event{Pipeline: "a", Sink: "k"}
	n := testing.AllocsPerRun(1000, func() { o.Rows(e, pipeline.StageApplied, table, change.Update, 100) })
	if n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// TestCheckpointAge: where nothing is left to save no checkpoint is old.
func TestCheckpointAge(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]pipeline.Status{
		"0":  {Pipeline: "a", State: pipeline.Running, SavedAt: at.Add(-time.Minute), Read: change.Position{Commit: 7}, Saved: change.Position{Commit: 7}},
		"60": {Pipeline: "a", State: pipeline.Running, SavedAt: at.Add(-time.Minute), Read: change.Position{Commit: 8}, Saved: change.Position{Commit: 7}},
		"61": {Pipeline: "a", State: pipeline.Running, SavedAt: at.Add(-time.Minute - time.Second), Unacked: 1},
	} {
		if line := `tailwater_checkpoint_age_seconds{pipeline="a"} ` + want + "\n"; !strings.Contains(scrape(fed(s)), line) {
			t.Errorf("%+v: no line %q", s, line)
		}
	}
}

// TestReady: 1 only where the pipeline runs and moves.
func TestReady(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status pipeline.Status
		want   string
	}{
		{pipeline.Status{Pipeline: "a", State: pipeline.Snapshotting}, "1"},
		{pipeline.Status{Pipeline: "a", State: pipeline.Running, NotReady: "the source is not open"}, "0"},
		{pipeline.Status{Pipeline: "a", State: pipeline.Halted}, "0"},
	} {
		if line := `tailwater_pipeline_ready{pipeline="a"} ` + c.want + "\n"; !strings.Contains(scrape(fed(c.status)), line) {
			t.Errorf("%+v: no line %q", c.status, line)
		}
	}
}

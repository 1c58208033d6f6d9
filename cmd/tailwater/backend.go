package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// backend answers what the API is asked, from the running pipelines.
type backend struct {
	fleet   *fleet
	started time.Time
}

var _ api.Backend = (*backend)(nil)

// Status is api.Backend's.
func (b *backend) Status() api.Status {
	out := api.Status{Version: version, Started: b.started}
	for _, name := range b.fleet.order {
		out.Pipelines = append(out.Pipelines, b.fleet.members[name].describe())
	}
	return out
}

// describe is a pipeline's state in the words of the API.
func (m *member) describe() api.Pipeline {
	s := m.pipeline.Status()
	events, rate := m.meter.events.Load(), math.Float64frombits(m.meter.rate.Load())
	out := api.Pipeline{Name: s.Pipeline, State: string(s.State), NotReady: s.NotReady, Restarts: int64(s.Restarts), Reason: s.LastError, ReasonAt: s.LastErrorAt, Events: &events, EventsPerSecond: &rate, Snapshot: progressOf(s.Snapshot)}
	if lag, known := m.meter.lag(time.Now(), s.Committed); known {
		seconds := lag.Seconds()
		out.LagSeconds = &seconds
	}
	if m.meter.measured.Load() {
		n := m.meter.bytes.Load()
		out.LagBytes = &n
	}
	if len(s.Sinks) > 0 {
		parked := int64(0)
		for _, k := range s.Sinks {
			parked += int64(k.Parked)
			out.Sinks = append(out.Sinks, api.Sink{Name: k.Sink, Ready: k.Ready, Lanes: len(k.Marks), Parked: int64(k.Parked), Paused: k.Paused, Waits: k.Waits, Retry: k.Retry, Since: k.Since})
		}
		out.Parked = &parked
	}
	if s.Epoch != 0 {
		out.Checkpoint = &api.Checkpoint{Upto: s.Saved.String(), Address: addressOf(m.wiring.pipeline, s.Saved), ReleasedUpto: s.Released.String(), Epoch: s.Epoch}
		if !s.SavedAt.IsZero() {
			out.Checkpoint.Saved = &s.SavedAt
		}
	}
	return out
}

func progressOf(in []connectors.Progress) []api.Progress {
	var out []api.Progress
	for _, p := range in {
		out = append(out, api.Progress{Table: p.Table, Rows: p.Rows, Estimate: p.Estimate, Started: p.Started, Done: p.Done})
	}
	return out
}

// member returns a running pipeline, or what the API says where there is none.
func (b *backend) member(name string) (*member, error) {
	m := b.fleet.members[name]
	if m == nil {
		return nil, &api.Error{Status: http.StatusNotFound, Code: "pipeline", Message: fmt.Sprintf("no pipeline %q runs here", name), Suggestion: "there are: " + list(b.fleet.order)}
	}
	return m, nil
}

// Snapshot is api.Backend's.
func (b *backend) Snapshot(ctx context.Context, name string, r api.SnapshotRequest) error {
	m, err := b.member(name)
	if err != nil {
		return err
	}
	source, ok := m.current().(connectors.Snapshotter)
	if state := m.pipeline.Status().State; !ok || state != pipeline.Running && state != pipeline.Snapshotting {
		return &api.Error{Status: http.StatusConflict, Code: "state", Message: fmt.Sprintf("pipeline %s is %s: no snapshot can begin", name, state), Suggestion: "wait until it runs"}
	}
	if err := source.Snapshot(ctx, r.Table, r.Where); err != nil {
		if errors.Is(err, change.ErrPreflight) {
			return &api.Error{Status: http.StatusUnprocessableEntity, Code: "preflight", Message: err.Error()}
		}
		return err
	}
	return nil
}

// Parked is api.Backend's.
func (b *backend) Parked(ctx context.Context, name, sink string) ([]api.Parked, error) {
	m, err := b.member(name)
	if err != nil {
		return nil, err
	}
	return parkedOf(ctx, m.wiring, sink)
}

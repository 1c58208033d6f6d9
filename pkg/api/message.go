package api

import "time"

// Status is what a process says about itself.
type Status struct {
	Version   string     `json:"version"`
	Started   time.Time  `json:"started,omitzero"` // absent: no process runs
	Pipelines []Pipeline `json:"pipelines"`
}

// Pipeline is what a process, or its files, say about one pipeline. What isn't known is absent, never zero.
type Pipeline struct {
	Name            string      `json:"name"`
	State           string      `json:"state"`            // starting, snapshot, running, draining, stopped, halted; not running
	Reason          string      `json:"reason,omitempty"` // why it halted or was restarted; stays after it has recovered
	ReasonAt        time.Time   `json:"reason_at,omitzero"`
	NotReady        string      `json:"not_ready,omitempty"` // what keeps it from moving while it runs
	Restarts        int64       `json:"restarts,omitempty"`
	LagSeconds      *float64    `json:"lag_seconds,omitempty"`
	LagBytes        *int64      `json:"lag_bytes,omitempty"`
	EventsPerSecond *float64    `json:"events_per_second,omitempty"`
	Events          *int64      `json:"events,omitempty"`
	Parked          *int64      `json:"parked,omitempty"` // of all sinks
	Sinks           []Sink      `json:"sinks,omitempty"`
	Snapshot        []Progress  `json:"snapshot,omitempty"`
	Checkpoint      *Checkpoint `json:"checkpoint,omitempty"`
}

// Sink is how one sink's loop does.
type Sink struct {
	Name   string    `json:"name"`
	Ready  bool      `json:"ready"` // its target and the stream are open
	Lanes  int       `json:"lanes"` // that this process applies now
	Parked int64     `json:"parked"`
	Paused bool      `json:"paused"`          // it waits because parked_limit is reached
	Waits  int       `json:"waits"`           // lanes that wait for the order of others
	Retry  string    `json:"retry,omitempty"` // what the target said last, while calls are tried again
	Since  time.Time `json:"since,omitzero"`  // when the first of those failed first
}

// Checkpoint is a pipeline's saved place.
type Checkpoint struct {
	Upto         string     `json:"upto"`
	Address      string     `json:"address"` // of Upto, as the source's server writes it
	Resume       string     `json:"resume,omitempty"`
	ReleasedUpto string     `json:"released_upto"`
	Epoch        uint32     `json:"epoch"`
	Generation   uint64     `json:"generation,omitempty"` // read from a file only
	Saved        *time.Time `json:"saved,omitempty"`
}

// Progress is how far the snapshot of one table has come.
type Progress struct {
	Table    string    `json:"table"`
	Rows     int64     `json:"rows"`
	Estimate int64     `json:"estimate"` // of all rows; -1: unknown
	Started  time.Time `json:"started"`
	Done     bool      `json:"done"`
}

// SnapshotRequest asks for a snapshot of one table beside the stream.
type SnapshotRequest struct {
	Table string `json:"table"`           // schema.table
	Where string `json:"where,omitempty"` // a SQL condition
}

// Parked is one change that a sink's target refused, or that waits behind one; without its values.
type Parked struct {
	Sink  string `json:"sink"`
	Table string `json:"table"`
	Op    string `json:"op"`
	Pos   string `json:"pos"`
	Lane  string `json:"lane"`
	Code  string `json:"code,omitempty"` // empty: it waits behind one that has a code
	Cause string `json:"cause,omitempty"`
}

// Accepted answers a request that goes on after the answer.
type Accepted struct {
	Pipeline string `json:"pipeline"`
	Message  string `json:"message"`
}

// Error is how every refusal looks. Its Error text is one sentence.
type Error struct {
	Status     int    `json:"-"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// errorBody is the JSON around an Error.
type errorBody struct {
	Error *Error `json:"error"`
}

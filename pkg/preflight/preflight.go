// Package preflight holds what a check before the start finds: the words that connectors, streams and sinks share with the doctor
// verb. It imports the standard library only.
package preflight

// Severity says whether a finding stops a pipeline.
type Severity string

// The severities.
const (
	OK    Severity = "ok"
	Warn  Severity = "warn"
	Error Severity = "error" // run would refuse, or lose something
)

// Finding is what one check found.
type Finding struct {
	Check    string   `json:"check"` // stable id, e.g. "postgres.wal_level"
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`       // one sentence with the value found
	Fix      string   `json:"fix,omitempty"` // SQL or setting to paste; empty for OK
}

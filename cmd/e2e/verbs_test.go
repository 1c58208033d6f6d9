package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestVerbs: what the verbs say of each engine as a source and as a target, while the pipeline runs and after it.
func TestVerbs(t *testing.T) {
	t.Parallel()
	everyEnd(t, func(t *testing.T, r *rig) {
		r.seed(10)
		p := r.start("run")
		r.arrives(p, "select count(*) from orders", "10")
		testenv.Wait(t, "status says that it runs", func() bool {
			p.alive()
			s := r.status()
			return s.State == "running" && s.Checkpoint.Address != "" && len(s.Snapshot) == 1 && s.Snapshot[0].Done && len(s.Sinks) == 1 && s.Sinks[0].Ready
		})
		if s := r.status(); s.Snapshot[0].Table != r.table("orders") || s.Snapshot[0].Rows != 10 {
			t.Errorf("status says %+v", s)
		}
		p.stop()
		if s := r.status(); s.State != "not running" {
			t.Errorf("status says %+v of a pipeline that has ended", s)
		}
		r.examined()
		r.granted()
		list := r.start("parked", "list")
		list.ends(0)
	})
}

// status is what status --json says of the pipeline.
type status struct {
	State string
	Sinks []struct {
		Ready bool
		Retry string
	}
	Snapshot []struct {
		Table string
		Rows  int
		Done  bool
	}
	Checkpoint struct{ Address string }
}

func (r *rig) status() status {
	r.t.Helper()
	p := r.start("status", "--json")
	p.ends(0)
	var envelope struct {
		Result struct{ Pipelines []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(p.out.String()), &envelope); err != nil || len(envelope.Result.Pipelines) != 1 {
		r.t.Fatalf("%v\n%s", err, p.out.String())
	}
	var s status
	if err := json.Unmarshal(envelope.Result.Pipelines[0], &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// examined has doctor look at both ends, which have nothing that run would refuse.
func (r *rig) examined() {
	r.t.Helper()
	p := r.start("doctor", "--json")
	p.ends(0)
	var envelope struct {
		Result []struct{ Of, Check, Severity, Summary string }
	}
	if err := json.Unmarshal([]byte(p.out.String()), &envelope); err != nil {
		r.t.Fatalf("%v\n%s", err, p.out.String())
	}
	seen := map[string]bool{}
	for _, f := range envelope.Result {
		seen[f.Of] = true
	}
	if !seen["source"] || !seen["sink copy"] {
		r.t.Errorf("doctor looked at %v", seen)
	}
}

// granted looks at the grants for both ends.
func (r *rig) granted() {
	r.t.Helper()
	for of, word := range map[string]string{"source": "REPLICATION", "sink": "GRANT "} {
		p := r.start("grants", of)
		p.ends(0)
		if out := p.out.String(); !strings.Contains(strings.ToUpper(out), word) || !strings.Contains(out, fmt.Sprintf("-- pipeline %s, %s", r.name, of)) {
			r.t.Errorf("grants %s says\n%s", of, out)
		}
	}
}

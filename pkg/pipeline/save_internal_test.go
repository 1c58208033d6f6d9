package pipeline

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestAShapeAloneIsSaved: what has been announced is part of the checkpoint, also where the place has not moved.
func TestAShapeAloneIsSaved(t *testing.T) {
	t.Parallel()
	at := change.Position{Epoch: 1, Commit: 7}
	s := newSettler(nil, opening{rec: checkpoint.Record{Resume: "7", Upto: at}}, nil)
	s.take(pending{resume: "7", upto: at})
	if s.unsaved() {
		t.Error("a batch of nothing is to be saved")
	}
	s.take(pending{resume: "7", upto: at, announced: []announcement{{table: "public.items", fingerprint: "f"}}})
	if !s.unsaved() || s.next.Announced["public.items"] != "f" {
		t.Errorf("a shape is not saved: %v", s.next.Announced)
	}
}

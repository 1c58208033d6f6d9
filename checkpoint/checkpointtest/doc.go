// Package checkpointtest is the suite that every checkpoint.Store passes: round trip, "not found" told apart from "damaged", fencing
// of a second writer, deletion, concurrent use, and survival of a reopening. It imports the standard library and the checkpoint and change
// contracts only.
//
//	func TestConformance(t *testing.T) {
//		checkpointtest.Run(t, func(t *testing.T) func() checkpoint.Store { ... })
//	}
package checkpointtest

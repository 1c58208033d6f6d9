// Package sinktest is the suite that every sink with marks passes, on a real target: whatever is applied, replayed, cut off or refused,
// rows, marks and parked changes move together and no older row stands over a newer one.
//
// It imports pkg/change, sinks and test libraries. A sink mounts it with one call:
//
//	func TestSink(t *testing.T) { sinktest.Run(t, func(t *testing.T) sinktest.Harness { ... }) }
package sinktest

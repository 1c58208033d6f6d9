// Package pipeline runs a pipeline's two loops: capture (source to stream, checkpoint, release) and apply (stream to one sink, marks,
// parked rows), restarts them, drains them, and says with which exit code the process ends. It imports the contracts and pkg/fault
// only; whoever wires it hands in the implementations.
//
// capture opens in the order store, source, publisher, and saves the place where the source begins before the first Read. Then Read ->
// Publish -> Acked -> Save -> Release (invariant 1): a Save holds the newest acknowledged batch, and a Release goes no further than
// the Save before the last one, because a store may have to fall back by one generation.
//
// apply is the only room that drops what a mark covers (invariant 2), parks what a target refuses with all later changes of its key
// (invariant 8), and waits for other lanes where a unique or foreign key asks for it.
//
// Cancelling Run stops reading; what is in flight goes on for at most DrainTimeout, so that a graceful stop repeats nothing
// (invariant 10). A loop that ends for good ends its pipeline, never another one of the Fleet.
package pipeline

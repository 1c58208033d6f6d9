// Package direct is the stream of a pipeline without a broker: capture and apply in one process, the source's own log as the buffer.
// It imports the change and stream contracts and the standard library only.
//
// One lane (0) of the stream named after the source id: a Fetch hands out everything that has come since the last one, cut where a
// source transaction ends. A transaction above the memory share is handed out in parts, and said so. With Atomic off the rows are
// split by key over several lanes, each going its own pace; a marker is one Delivery of all lanes, after all have reached it.
//
// A batch is acknowledged when every sink has committed all of it, and its bytes count until then, so the slowest sink holds back the
// source and nothing is spilled. What could be handed out takes less room than a transaction that has not ended may. Nothing outlives the
// process: the sinks' marks are the only memory, and a new publisher replays from the checkpoint while pipeline/apply drops what the marks
// cover.
//
// Invariants 1 (what Acked counts is durable in every sink) and 9 (bytes bound the queue) are upheld here.
package direct
